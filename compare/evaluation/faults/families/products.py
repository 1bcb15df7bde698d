"""Faults of products of inputs, and of inputs with noise: Dot, Gaussian and alpha dropout."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import input_gradient, output, patching
from compare.evaluation.faults.networks import VECTOR, around, joined

OUT, DX, NOISE = "output", "input_gradient", "noise"
STEPS = (4, 3)  # as many steps as channels
DOT = joined("Dot", shape=STEPS, axes=2)
COSINES = joined("Dot", shape=STEPS, axes=2, normalize=True)
GAUSSIAN = around("GaussianDropout", shape=VECTOR, rate=0.2, batch=5)
ALPHA = around("AlphaDropout", shape=VECTOR, rate=0.3, batch=5)


def transposed(layer, y, x):
    return y.swapaxes(1, 2)


def other_axis(layer, y, x):
    return np.einsum("nka,nkb->nab", *x)


def without_lengths(layer, y, x):
    return np.einsum("nak,nbk->nab", *x)


def constant_lengths(layer, dx, dy):
    first, second = layer._factors
    gradients = dy @ second.swapaxes(1, 2), (first.swapaxes(1, 2) @ dy).swapaxes(1, 2)
    return [gradient * made.inverse for gradient, made in zip(gradients, layer._made)]


def added(self, right, x, noise):
    """Adds what should be multiplied by."""
    return x + noise


def zeroed(self, right, x, noise):
    """A plain dropout: what is dropped is 0."""
    return x * noise


def not_restored(self, right, x, noise):
    """What is dropped is set to the limit, but mean and variance are not brought back."""
    return x * noise + self.dtype.type(-1.7580993408473766) * (1 - noise)


TABLE = [
    ("Dot", "transposed", "the two inputs' axes are exchanged", DOT, OUT, "axes-permuted",
     output(transposed), ("inputs-swapped",)),
    ("Dot", "other-axis", "adds up along the steps in place of the channels", DOT, OUT,
     "axes-permuted", output(other_axis), ("merge-other",)),
    ("Dot", "not-normalized", "the vectors are not made one long", COSINES, OUT, "norm-other",
     output(without_lengths)),
    ("Dot", "dx-constant-lengths", "the gradient takes the lengths for constants", COSINES,
     f"{DX}_1", UNKNOWN, input_gradient(constant_lengths)),
    ("GaussianDropout", "at-inference", "multiplies at inference, too", GAUSSIAN, OUT, UNKNOWN,
     patching(forward=lambda self, right, x, training=False: right(x, True)), (), "inference"),
    ("GaussianDropout", "added", "the noise is added", GAUSSIAN, OUT, "mask-wrong-tensor",
     patching(combine=added)),
    ("GaussianDropout", "rate-for-deviation", "takes the rate for the deviation", GAUSSIAN, NOISE,
     "noise-distribution",
     patching(draw=lambda self, right, rng, shape: rng.normal(1, self.rate, shape))),
    ("GaussianDropout", "dx-passes", "the gradient passes by the noise", GAUSSIAN, DX,
     "mask-missing", patching(combine_backward=lambda self, right, dy, noise: dy)),
    ("AlphaDropout", "zeroed", "drops to 0, as a dropout does", ALPHA, OUT, "mask-wrong-tensor",
     patching(combine=zeroed)),
    ("AlphaDropout", "not-restored", "mean and variance are not restored", ALPHA, OUT, UNKNOWN,
     patching(combine=not_restored)),
    ("AlphaDropout", "rate-swapped", "drops as often as it should keep", ALPHA, NOISE,
     "noise-distribution",
     patching(draw=lambda self, right, rng, shape: 1 - right(rng, shape))),
    ("AlphaDropout", "dx-not-scaled", "the gradient lacks the factor", ALPHA, DX, "scale",
     patching(combine_backward=lambda self, right, dy, noise: dy * noise), ("mask-wrong-tensor",)),
    ("AlphaDropout", "dx-mask-missing", "the gradient passes by the mask", ALPHA, DX,
     "mask-missing", patching(
         combine_backward=lambda self, right, dy, noise: right(dy, np.ones_like(noise)))),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
