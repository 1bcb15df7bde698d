"""Faults of the layers that normalize groups of channels, or by a root of squares."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.families.normalization import (
    outside_root,
    unbiased,
    wrong_epsilon,
)
from compare.evaluation.faults.injection import cousin, gradient, input_gradient, output, patching
from compare.evaluation.faults.networks import around

OUT, DX = "output", "input_gradient"
GROUPS = around("GroupNormalization", groups=2, epsilon=0.01)
ROOT = around("RMSNormalization", shape=(4, 3), epsilon=0.01)  # as many steps as channels
UNIT = around("UnitNormalization")


def other_groups(count):
    """Normalizes by another number of groups."""
    def change(layer, y, x):
        return cousin(layer, x.shape, groups=count).forward(x, False)

    return output(change)


def interleaved(layer, y, x):
    """Channel c belongs to group c modulo their number, not to a row of neighbours."""
    order = np.argsort(np.arange(x.shape[-1]) % layer.groups, kind="stable")
    normal = (cousin(layer, x.shape, center=False, scale=False)
              .forward(x[..., order], False)[..., np.argsort(order)])
    return normal * layer.params["gamma"] + layer.params["beta"]


def beta_missing(layer, y, x):
    return y - layer.params["beta"]


def constant_moments(layer, dx, dy):
    grouped = dy.reshape(len(dy), *layer._grouped)
    gamma = layer.params["gamma"].reshape(layer._broadcast)
    return (grouped * layer._inverse * gamma).reshape(dy.shape)


def centred(layer, y, x):
    """The mean is taken away, too, as in a layer normalization."""
    centred = x - x.mean(axis=-1, keepdims=True)
    root = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + layer.epsilon)
    return centred / root * layer.params["scale"]


def summed(layer, y, x):
    """A sum of squares in place of their mean."""
    root = np.sqrt(np.square(x).sum(axis=-1, keepdims=True) + layer.epsilon)
    return x / root * layer.params["scale"]


def epsilon_outside(layer, y, x):
    root = np.sqrt(np.square(x).mean(axis=-1, keepdims=True)) + layer.epsilon
    return x / root * layer.params["scale"]


def along_steps(layer, y, x):
    root = np.sqrt(np.square(x).mean(axis=1, keepdims=True) + layer.epsilon)
    return x / root * layer.params["scale"]


def constant_root(layer, dx, dy):
    """As if the root did not depend on the input."""
    return dy * layer._inverse * layer.params["scale"]


def absolute(layer, y, x):
    """Divides by the sum of absolute values."""
    return x / np.abs(x).sum(axis=-1, keepdims=True)


def squared(layer, y, x):
    return x / np.square(x).sum(axis=-1, keepdims=True)


def constant_length(layer, dx, dy):
    return dy * layer._made.inverse


GN, RMS, UN = "GroupNormalization", "RMSNormalization", "UnitNormalization"
TABLE = [
    (GN, "one-group", "normalizes over all channels", GROUPS, OUT, "normalization-axes",
     other_groups(1)),
    (GN, "each-channel", "normalizes each channel by itself", GROUPS, OUT, "normalization-axes",
     other_groups(4)),
    (GN, "interleaved", "a group takes every second channel, not neighbours", GROUPS, OUT,
     "normalization-axes", output(interleaved)),
    (GN, "epsilon-1e-5", "epsilon is 1e-5 where 1e-2 is asked for", GROUPS, OUT, "epsilon",
     wrong_epsilon(1e-5)),
    (GN, "epsilon-outside", "epsilon is added to the root, not under it", GROUPS, OUT, "epsilon",
     patching(_normalize=outside_root)),
    (GN, "unbiased-variance", "divides the squares by n - 1", GROUPS, OUT, "moving-statistics",
     patching(_normalize=unbiased)),
    (GN, "beta-missing", "beta is not added", GROUPS, OUT, "bias-missing", output(beta_missing)),
    (GN, "dx-constant-moments", "the gradient takes mean and variance for constants", GROUPS, DX,
     "moving-statistics", input_gradient(constant_moments)),
    (GN, "dgamma-halved", "gamma's gradient is half of it", GROUPS, "gamma_gradient", "scale",
     gradient("gamma", lambda layer, g, dy: g / 2)),
    (RMS, "centred", "takes the mean away first", ROOT, OUT, "norm-other", output(centred)),
    (RMS, "summed", "divides by the root of the sum of squares", ROOT, OUT, "norm-other",
     output(summed), ("scale",)),
    (RMS, "epsilon-outside", "epsilon is added to the root, not under it", ROOT, OUT, "epsilon",
     output(epsilon_outside)),
    (RMS, "epsilon-1e-5", "epsilon is 1e-5 where 1e-2 is asked for", ROOT, OUT, "epsilon",
     wrong_epsilon(1e-5)),
    (RMS, "other-axis", "normalizes along the steps in place of the channels", ROOT, OUT,
     "normalization-axes", output(along_steps)),
    (RMS, "scale-missing", "the scale is not multiplied", ROOT, OUT, "gamma-missing",
     output(lambda layer, y, x: layer._normal)),
    (RMS, "dx-constant-root", "the gradient takes the root for a constant", ROOT, DX, "norm-other",
     input_gradient(constant_root)),
    (RMS, "dscale-negated", "the scale's gradient has the wrong sign", ROOT, "scale_gradient",
     "sign", gradient("scale", lambda layer, g, dy: -g)),
    (UN, "absolute-values", "divides by the sum of absolute values", UNIT, OUT, "norm-other",
     output(absolute)),
    (UN, "squared", "divides by the square of the length", UNIT, OUT, "norm-other",
     output(squared)),
    (UN, "dx-constant-length", "the gradient takes the length for a constant", UNIT, DX,
     "norm-other", input_gradient(constant_length)),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
