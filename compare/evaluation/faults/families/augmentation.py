"""Faults of the augmentations of images, with the draws given."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.injection import patching
from compare.evaluation.faults.networks import around

OUT, DX, NOISE = "output", "input_gradient", "noise"
FLIP = around("RandomFlip", mode="horizontal", batch=5)
LIGHT = around("RandomBrightness", factor=0.4, value_range=(-1, 1), batch=5)
CONTRAST = around("RandomContrast", factor=(0.6, 0.8), value_range=(-1, 1), batch=5)


def along(axis):
    return lambda self, right, x, noise: np.where(noise != 0, np.flip(x, axis), x)


def inverted(self, right, x, noise):
    return right(x, 1 - noise)


def not_clipped(self, right, x, noise):
    right(x, noise)
    return self.changed(x, noise)


def of_the_batch(self, right, x, noise):
    """The mean of each channel is that of the whole batch."""
    mean = x.mean(axis=(0, *self.image_axes), keepdims=True)
    return (x - mean) * noise + mean


def of_all_channels(self, right, x, noise):
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    return (x - mean) * noise + mean


TABLE = [
    ("RandomFlip", "vertical", "turns images upside down instead", FLIP, OUT, "axes-permuted",
     patching(combine=along(1))),
    ("RandomFlip", "inverted", "turns those over that should stay", FLIP, OUT, "mask-inverted",
     patching(combine=inverted), ("axes-permuted",)),  # all of it turned over once more
    ("RandomFlip", "never", "turns nothing over", FLIP, OUT, "mask-missing",
     patching(combine=lambda self, right, x, noise: x)),
    ("RandomFlip", "dx-stays", "the gradient is not turned back", FLIP, DX, "mask-missing",
     patching(combine_backward=lambda self, right, dy, noise: dy)),
    ("RandomFlip", "dx-vertical", "the gradient is turned upside down", FLIP, DX, "axes-permuted",
     patching(combine_backward=along(1))),
    ("RandomFlip", "seldom", "turns over three of ten", FLIP, NOISE, "noise-distribution",
     patching(draw=lambda self, right, rng, shape: (rng.random((shape[0], 1, 1, 1)) < 0.3).astype(
         self.dtype))),
    ("RandomFlip", "at-inference", "turns over at inference, too", FLIP, OUT, "training-flag",
     patching(forward=lambda self, right, x, training=False: right(x, True)), (), "inference"),
    ("RandomBrightness", "not-clipped", "what leaves the range is not clipped", LIGHT, OUT,
     "clip-missing", patching(combine=not_clipped)),
    ("RandomBrightness", "multiplied", "multiplies by 1 + noise", LIGHT, OUT, "mask-wrong-tensor",
     patching(changed=lambda self, right, x, noise: x * (1 + noise))),
    ("RandomBrightness", "darker", "takes the noise away", LIGHT, OUT, "sign",
     patching(changed=lambda self, right, x, noise: x - noise)),
    ("RandomBrightness", "other-image", "uses another image's draw", LIGHT, OUT,
     "mask-wrong-tensor", patching(
         changed=lambda self, right, x, noise: x + np.roll(noise, 1, axis=0))),
    ("RandomBrightness", "dx-passes", "the gradient passes where the output was clipped", LIGHT, DX,
     "clip-missing", patching(combine_backward=lambda self, right, dy, noise: dy)),
    ("RandomBrightness", "factor-alone", "draws as if values went from 0 to 1", LIGHT, NOISE,
     "noise-distribution", patching(draw=lambda self, right, rng, shape: right(rng, shape) / 2)),
    ("RandomContrast", "mean-of-batch", "the mean is that of the whole batch", CONTRAST, OUT,
     "normalization-axes", patching(changed=of_the_batch)),
    ("RandomContrast", "mean-of-channels", "the mean is that of all channels", CONTRAST, OUT,
     "normalization-axes", patching(changed=of_all_channels)),
    ("RandomContrast", "around-zero", "stretches around 0, not around the mean", CONTRAST, OUT,
     "moving-statistics", patching(changed=lambda self, right, x, noise: x * noise)),
    ("RandomContrast", "not-clipped", "what leaves the range is not clipped", CONTRAST, OUT,
     "clip-missing", patching(combine=not_clipped)),
    ("RandomContrast", "dx-mean-constant", "the gradient takes the mean for a constant", CONTRAST,
     DX, "moving-statistics",
     patching(changed_backward=lambda self, right, dy, noise: dy * noise)),
    ("RandomContrast", "dx-passes", "the gradient passes where the output was clipped", CONTRAST,
     DX, "clip-missing", patching(combine_backward=lambda self, right, dy, noise:
                                  self.changed_backward(dy, noise))),
]


def faults():
    """All of them."""
    return of_layers(TABLE, "Augmentation")
