"""Faults of layers that are random in training."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import patching
from compare.evaluation.faults.networks import around

OUT, DX, NOISE = "output", "input_gradient", "noise"
DROPOUT = around("Dropout", rate=0.3, batch=5)
SPATIAL = around("SpatialDropout2D", rate=0.3)
GAUSSIAN = around("GaussianNoise", stddev=0.5)


def always(self, right, x, training=False):
    return right(x, True)


def unscaled(self, right, x, noise):
    return x * (noise != 0)


def every_pixel(self, right, shape):
    return shape


def swapped_rate(self, right, rng, shape):
    """Keeps what it should drop, and drops what it should keep."""
    kept = rng.random(shape, np.float32) < self.rate
    return np.where(kept, self.dtype.type(1 / (1 - self.rate)), self.dtype.type(0))


def variance_for_deviation(self, right, rng, shape):
    return rng.normal(0.0, self.stddev**2, shape)


TABLE = [
    ("Dropout", "at-inference", "drops at inference, too", DROPOUT, OUT, "training-flag",
     patching(forward=always), (), "inference"),
    ("Dropout", "not-scaled", "what is kept is not made larger", DROPOUT, OUT, "scale",
     patching(combine=unscaled)),
    ("Dropout", "mask-inverted", "what should be dropped passes, and nothing else", DROPOUT, OUT,
     "mask-inverted", patching(combine=lambda self, right, x, noise: x * (noise.max() - noise))),
    ("Dropout", "rate-swapped", "drops as often as it should keep", DROPOUT, NOISE,
     "noise-distribution", patching(draw=swapped_rate)),
    ("Dropout", "dx-mask-missing", "the gradient passes by the mask", DROPOUT, DX, "mask-missing",
     patching(combine_backward=lambda self, right, dy, noise: dy)),
    ("Dropout", "dx-mask-inverted", "the gradient passes where the input was dropped", DROPOUT, DX,
     "mask-inverted",
     patching(combine_backward=lambda self, right, dy, noise: dy * (noise.max() - noise))),
    ("Dropout", "dx-other-mask", "the gradient passes another sample's mask", DROPOUT, DX,
     "mask-wrong-tensor",
     patching(combine_backward=lambda self, right, dy, noise: right(dy, np.roll(noise, 1, 0)))),
    ("SpatialDropout2D", "per-pixel", "draws for every pixel, not for whole maps", SPATIAL, NOISE,
     "noise-distribution", patching(shape_of_noise=every_pixel)),
    ("SpatialDropout2D", "dx-not-scaled", "the gradient that passes is not made larger", SPATIAL,
     DX, "scale", patching(combine_backward=unscaled)),
    ("GaussianNoise", "at-inference", "adds noise at inference, too", GAUSSIAN, OUT, UNKNOWN,
     patching(forward=always), (), "inference"),
    ("GaussianNoise", "variance", "takes the deviation for a variance", GAUSSIAN, NOISE,
     "noise-distribution", patching(draw=variance_for_deviation)),
    ("GaussianNoise", "subtracted", "the noise is taken away, not added", GAUSSIAN, OUT, "sign",
     patching(combine=lambda self, right, x, noise: x - noise)),
    ("GaussianNoise", "dx-multiplied", "the gradient is multiplied by 1 + noise", GAUSSIAN, DX,
     UNKNOWN, patching(combine_backward=lambda self, right, dy, noise: dy * (1 + noise)),
     ("mask-wrong-tensor",)),
]


def faults():
    """All of them."""
    return of_layers(TABLE, "Noise")
