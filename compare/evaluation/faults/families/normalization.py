"""Faults of batch and layer normalization: moments, moving statistics, inference, gradients."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import (
    gradient,
    half,
    input_gradient,
    output,
    patched,
    patching,
)
from compare.evaluation.faults.networks import around

OUT, DX = "output", "input_gradient"
BATCH = around("BatchNormalization", momentum=0.9)
LAYER = around("LayerNormalization")
STEPS = around("LayerNormalization", shape=(4, 3))  # as many steps as channels
IMAGE = around("LayerNormalization", shape=(6, 5, 2), axis=-1)


def wrong_epsilon(epsilon):
    def forward(self, right, x, training=False):
        kept, self.epsilon = self.epsilon, epsilon
        try:
            return right(x, training)
        finally:
            self.epsilon = kept

    return lambda layer: patched(layer, forward=forward)


def outside_root(self, right, centred, variance):
    """1 / (deviation + epsilon)."""
    deviation = np.sqrt(variance) + centred.dtype.type(self.epsilon)
    return right(centred, np.square(deviation) - centred.dtype.type(self.epsilon))


def unbiased(self, right, centred, variance):
    """A sum of squares over n - 1."""
    n = centred.size // variance.size
    factor = n / (n - 1) if getattr(self, "_by_batch", True) else 1
    return right(centred, variance * variance.dtype.type(factor))


def swapped_momentum(self, right, name, batch):
    moving = self.params[name]
    moving[...] = moving * (1 - self.momentum) + batch.reshape(-1) * self.momentum


def counting(self, right, x, training=False):
    """Keeps how many numbers each moment is taken of."""
    self.numbers = x.size // x.shape[-1]
    return right(x, training)


def unbiased_moving(self, right, name, batch):
    factor = batch.dtype.type(self.numbers / (self.numbers - 1))
    right(name, batch * factor if name == "moving_variance" else batch)


def replaced(self, right, name, batch):
    """The statistics of the last batch alone."""
    self.params[name][...] = batch.reshape(-1)


def only_mean_moves(self, right, name, batch):
    if name == "moving_mean":
        right(name, batch)


def batch_at_inference(self, right, x, training=False):
    kept = {name: self.params[name].copy() for name in self.non_trainable}
    y = right(x, True)
    if not training:
        for name, value in kept.items():
            self.params[name][...] = value
    return y


def moving_in_training(self, right, x, training=False):
    return right(x, False)


def without(name: str):
    """The output as if gamma were 1, or beta 0."""
    def change(layer, y, x):
        if name == "beta":
            return y - layer.params["beta"].reshape(layer._broadcast)
        beta = layer.params["beta"].reshape(layer._broadcast)
        return layer._normal + beta

    return output(change)


def constant_moments(layer, dx, dy):
    """As if mean and variance did not depend on the input."""
    return dy * layer._inverse * layer.params["gamma"].reshape(layer._broadcast)


def mean_forgotten(layer, dx, dy):
    """The gradient lacks the share of the mean."""
    dn = dy * layer.params["gamma"].reshape(layer._broadcast)
    axes = layer._axes
    return layer._inverse * (dn - layer._normal * (dn * layer._normal).mean(axes, keepdims=True))


def over_samples(layer, y, x):
    """Normalizes each feature over the batch, as the other layer of that kind does."""
    centred = x - x.mean(axis=0)
    normal = centred / np.sqrt(np.square(centred).mean(axis=0) + layer.epsilon)
    return normal * layer.params["gamma"] + layer.params["beta"]


def along_steps(layer, y, x):
    """Normalizes over the axis before the last one, along which gamma and beta lie, too."""
    centred = x - x.mean(axis=1, keepdims=True)
    normal = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + layer.epsilon)
    return normal * layer.params["gamma"][:, None] + layer.params["beta"][:, None]


def over_all(layer, y, x):
    """Normalizes over the whole image, where each pixel counts for itself."""
    axes = (1, 2, 3)
    centred = x - x.mean(axis=axes, keepdims=True)
    normal = centred / np.sqrt(np.square(centred).mean(axis=axes, keepdims=True) + layer.epsilon)
    return normal * layer.params["gamma"] + layer.params["beta"]


BN, LN = "BatchNormalization", "LayerNormalization"
TABLE = [
    (BN, "epsilon-1e-5", "epsilon is 1e-5 where 1e-3 is asked for", BATCH, OUT, "epsilon",
     wrong_epsilon(1e-5)),
    (BN, "epsilon-outside", "epsilon is added to the root, not under it", BATCH, OUT, "epsilon",
     patching(_normalize=outside_root)),
    (BN, "unbiased-variance", "divides the squares by n - 1", BATCH, OUT, "moving-statistics",
     patching(_normalize=unbiased)),
    (BN, "moving-in-training", "normalizes by the moving statistics in training", BATCH, OUT,
     "moving-statistics", patching(forward=moving_in_training)),
    (BN, "gamma-missing", "gamma is not multiplied", BATCH, OUT, "gamma-missing", without("gamma")),
    (BN, "beta-missing", "beta is not added", BATCH, OUT, "bias-missing", without("beta")),
    (BN, "float16-output", "the output is rounded to float16", BATCH, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    (BN, "batch-at-inference", "normalizes by the batch at inference", BATCH, OUT,
     "moving-statistics", patching(forward=batch_at_inference), (), "inference"),
    (BN, "momentum-swapped", "the share of the old and the new statistics are swapped", BATCH,
     "moving_mean", "moving-statistics", patching(_move=swapped_momentum), (),
     "moving statistics"),
    (BN, "moving-variance-unbiased", "the moving variance takes the variance over n - 1", BATCH,
     "moving_variance", "moving-statistics", patching(forward=counting, _move=unbiased_moving), (),
     "moving statistics"),
    (BN, "statistics-replaced", "the moving statistics are those of the last batch", BATCH,
     "moving_mean", "moving-statistics", patching(_move=replaced), (), "moving statistics"),
    (BN, "moving-variance-stays", "the moving variance is never moved", BATCH, "moving_variance",
     "moving-statistics", patching(_move=only_mean_moves), (), "moving statistics"),
    (BN, "dx-constant-moments", "the gradient takes mean and variance for constants", BATCH, DX,
     "moving-statistics", input_gradient(constant_moments)),
    (BN, "dx-mean-forgotten", "the gradient lacks the mean's share", BATCH, DX,
     "moving-statistics", input_gradient(mean_forgotten)),
    (BN, "dgamma-divided", "gamma's gradient is a mean over the batch", BATCH, "gamma_gradient",
     "scale", gradient("gamma", lambda layer, g, dy: g / len(dy))),
    (BN, "dbeta-missing", "beta has no gradient", BATCH, "beta_gradient", "bias-missing",
     gradient("beta", lambda layer, g, dy: 0 * g), ("gradient-missing",)),
    (LN, "epsilon-1e-5", "epsilon is 1e-5 where 1e-3 is asked for", LAYER, OUT, "epsilon",
     wrong_epsilon(1e-5)),
    (LN, "epsilon-missing", "nothing is added to the variance", LAYER, OUT, "epsilon",
     wrong_epsilon(0.0)),
    (LN, "epsilon-outside", "epsilon is added to the root, not under it", LAYER, OUT, "epsilon",
     patching(_normalize=outside_root)),
    (LN, "unbiased-variance", "divides the squares by n - 1", LAYER, OUT, UNKNOWN,
     patching(_normalize=unbiased), ("moving-statistics",)),
    (LN, "over-samples", "normalizes each feature over the batch", LAYER, OUT,
     "normalization-axes", output(over_samples)),
    (LN, "other-axis", "normalizes along the steps in place of the channels", STEPS, OUT,
     "normalization-axes", output(along_steps)),
    (LN, "over-all", "normalizes over the whole image in place of each pixel", IMAGE, OUT,
     "normalization-axes", output(over_all)),
    (LN, "beta-missing", "beta is not added", LAYER, OUT, "bias-missing", without("beta")),
    (LN, "dx-constant-moments", "the gradient takes mean and variance for constants", LAYER, DX,
     "moving-statistics", input_gradient(constant_moments)),
    (LN, "dgamma-doubled", "gamma's gradient counts twice", LAYER, "gamma_gradient", "scale",
     gradient("gamma", lambda layer, g, dy: 2 * g)),
    (LN, "dbeta-negated", "beta's gradient has the wrong sign", LAYER, "beta_gradient", "sign",
     gradient("beta", lambda layer, g, dy: -g)),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
