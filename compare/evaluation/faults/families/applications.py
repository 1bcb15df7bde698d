"""Faults of the layers that Keras keeps with its networks: LayerScale, StochasticDepth,
CustomScaleLayer."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import gradient, input_gradient, output, patched
from compare.evaluation.faults.networks import around, joined

OUT, DX, DX_2 = "output", "input_gradient", "input_gradient_2"
GAIN = around("LayerScale", init_values=0.5, projection_dim=4)
DEPTH = around("StochasticDepth", drop_path_rate=0.4)
RESIDUAL = joined("CustomScaleLayer", scale=0.17)


def by_element(self, right, rng, shape):
    """A dropout of single numbers."""
    kept = rng.random(shape) >= self.drop_path_rate
    return np.where(kept, self.dtype.type(1 / (1 - self.drop_path_rate)), self.dtype.type(0))


def by_batch(self, right, rng, shape):
    """One draw for all samples."""
    return np.broadcast_to(right(rng, shape)[:1], (shape[0], *[1] * (len(shape) - 1)))


def unscaled(self, right, rng, shape):
    """0 or 1: nothing makes up for what is dropped."""
    return right(rng, shape) * self.dtype.type(1 - self.drop_path_rate)


def inverted_rate(self, right, rng, shape):
    """Keeps the share that should be dropped."""
    drawn = rng.random((shape[0], *[1] * (len(shape) - 1)))
    return np.where(drawn < self.drop_path_rate,
                    self.dtype.type(1 / (1 - self.drop_path_rate)), self.dtype.type(0))


SCALE, DROP, SUM = "LayerScale", "StochasticDepth", "CustomScaleLayer"
TABLE = [
    (SCALE, "gamma-missing", "the input passes as it is", GAIN, OUT, "gamma-missing",
     output(lambda layer, y, x: x)),
    (SCALE, "gamma-added", "adds gamma to 1", GAIN, OUT, "gamma-missing",
     output(lambda layer, y, x: x + y)),
    (SCALE, "gamma-per-column", "a gain for each column of the image", GAIN, OUT, UNKNOWN, output(
        lambda layer, y, x: x * layer.params["gamma"].repeat(2)[:x.shape[2], None])),
    (SCALE, "dx-without-gamma", "the gradient passes as it comes", GAIN, DX,
     "gamma-missing", input_gradient(lambda layer, dx, dy: dy)),
    (SCALE, "gamma-gradient-mean", "gamma's gradient is the mean over the pixels", GAIN,
     "gamma_gradient", "scale", gradient("gamma", lambda layer, g, dy: g / dy[..., 0].size)),
    (SCALE, "gamma-gradient-of-output", "gamma's gradient is taken from the output", GAIN,
     "gamma_gradient", UNKNOWN, gradient("gamma", lambda layer, g, dy: g * layer.params["gamma"]),
     ("scale",)),
    (DROP, "by-element", "drops single numbers, not samples", DEPTH, "noise",
     "noise-distribution", lambda layer: patched(layer, draw=by_element),
     ("noise-not-independent",)),
    (DROP, "whole-batch", "one draw for all samples", DEPTH, "noise", "noise-not-independent",
     lambda layer: patched(layer, draw=by_batch)),
    (DROP, "unscaled", "nothing makes up for what is dropped", DEPTH, "noise",
     "noise-distribution", lambda layer: patched(layer, draw=unscaled)),
    (DROP, "inverted-rate", "keeps the share that should be dropped", DEPTH, "noise",
     "noise-distribution", lambda layer: patched(layer, draw=inverted_rate)),
    (DROP, "dx-not-dropped", "the gradient passes as it comes", DEPTH, DX, "mask-missing",
     input_gradient(lambda layer, dx, dy: dy)),
    (SUM, "branch-unscaled", "the branch is added as it is", RESIDUAL, OUT,
     "given-numbers", output(lambda layer, y, x: x[0] + x[1])),
    (SUM, "shortcut-scaled", "scales the shortcut, not the branch", RESIDUAL, OUT,
     "given-numbers", output(lambda layer, y, x: x[1] + x[0] * layer.dtype.type(layer.scale)),
     ("inputs-swapped",)),
    (SUM, "both-scaled", "scales the sum", RESIDUAL, OUT, "given-numbers",
     output(lambda layer, y, x: (x[0] + x[1]) * layer.dtype.type(layer.scale))),
    (SUM, "dx-unscaled", "the branch's gradient passes as it comes", RESIDUAL, DX_2,
     "given-numbers", input_gradient(lambda layer, dx, dy: [dy, dy])),
    (SUM, "dx-by-scale", "the branch's gradient is divided by the scale", RESIDUAL, DX_2,
     "given-numbers",
     input_gradient(lambda layer, dx, dy: [dy, dy / layer.dtype.type(layer.scale)])),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
