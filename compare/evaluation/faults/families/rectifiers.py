"""Faults of ReLU, LeakyReLU, PReLU and ELU."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import (
    activation,
    gradient,
    input_gradient,
    output,
    patched,
)
from compare.evaluation.faults.networks import around
from scratch.naming import snake_case

OUT, DX = "output", "input_gradient"
RELU = around("ReLU")
CAPPED = around("ReLU", max_value=0.8)
THRESHOLD = around("ReLU", threshold=0.3)
LEAKY = around("LeakyReLU", negative_slope=0.1)
PRELU = around("PReLU", shape=(6, 5, 2), shared_axes=[1, 2])
ELU = around("ELU", alpha=0.5)


def leaky(slope):
    return activation(lambda z, right: np.where(z > 0, z, slope * z))


def through(mask):
    """A gradient that passes where a function (dy, z) says."""
    return activation(slope=lambda dy, z, y: dy * mask(dy, z))


def modifying(self, right, x, training=False):
    """Rectifies in place."""
    y = right(x, training)
    x[x < 0] = 0
    return y


TABLE = [
    ("ReLU", "leaks", "lets one hundredth of what is negative through", RELU, OUT,
     "activation-other", leaky(0.01)),
    ("ReLU", "missing", "hands its input on", RELU, OUT, "activation-missing",
     activation(lambda z, right: z)),
    ("ReLU", "in-place", "rectifies its input in place", RELU, "input", "input-modified",
     lambda layer: patched(layer, forward=modifying)),
    ("ReLU", "samples-rotated", "each output is that of the sample before", RELU, OUT,
     "batch-mixed", output(lambda layer, y, x: np.roll(y, 1, axis=0))),
    ("ReLU", "dx-mask-missing", "the gradient passes everywhere", RELU, DX, "mask-missing",
     through(lambda dy, z: 1), ("activation-missing",)),
    ("ReLU", "dx-mask-inverted", "the gradient passes where the input was negative", RELU, DX,
     "mask-inverted", through(lambda dy, z: z <= 0)),
    ("ReLU", "dx-mask-of-gradient", "the mask is the sign of the gradient, not of the input",
     RELU, DX, "mask-wrong-tensor", through(lambda dy, z: dy > 0)),
    ("ReLU", "dx-passes-at-zero", "the gradient passes at exactly 0", RELU, DX,
     "activation-kink", through(lambda dy, z: z >= 0)),
    ("ReLU", "max-value-ignored", "nothing is cut off at max_value", CAPPED, OUT,
     "activation-other", activation(lambda z, right: np.maximum(z, 0))),
    ("ReLU", "dx-max-value-ignored", "the gradient passes beyond max_value", CAPPED, DX,
     "activation-other", through(lambda dy, z: z > 0), ("mask-wrong-tensor",)),
    ("ReLU", "cut-off-at-one", "what is larger than 1 is cut off, which nobody asked for", RELU,
     OUT, "activation-other", activation(lambda z, right: np.clip(z, 0, 1))),
    ("ReLU", "as-softsign", "softsign in place of relu", RELU, OUT, "activation-other",
     activation(lambda z, right: z / (1 + np.abs(z)))),
    ("ReLU", "threshold-ignored", "cuts off at 0 in place of the threshold", THRESHOLD, OUT,
     "activation-other", activation(lambda z, right: np.maximum(z, 0))),
    ("LeakyReLU", "other-slope", "the slope is 0.2, another library's", LEAKY, OUT,
     "activation-other", leaky(0.2)),
    ("LeakyReLU", "dx-as-relu", "the gradient knows nothing of the slope", LEAKY, DX,
     "activation-other", through(lambda dy, z: z > 0)),
    ("LeakyReLU", "dx-other-slope", "the gradient's slope is 0.3, that of earlier versions", LEAKY,
     DX, "activation-other", through(lambda dy, z: np.where(z > 0, 1, 0.3))),
    ("PReLU", "alpha-ignored", "nothing negative passes", PRELU, OUT, "activation-other",
     output(lambda layer, y, x: np.maximum(x, 0))),
    ("PReLU", "dalpha-mean", "alpha's gradient is a mean over the batch", PRELU, "alpha_gradient",
     "scale", gradient("alpha", lambda layer, g, dy: g / len(dy))),
    ("PReLU", "dalpha-everywhere", "alpha's gradient counts positive inputs, too", PRELU,
     "alpha_gradient", "mask-missing", gradient(
         "alpha", lambda layer, g, dy: (dy * layer._x).sum(axis=(0, 1, 2)).reshape(g.shape))),
    ("PReLU", "dx-negated", "the input gradient has the wrong sign", PRELU, DX, "sign",
     input_gradient(lambda layer, dx, dy: -dx)),
    ("ELU", "alpha-ignored", "alpha is taken to be 1", ELU, OUT, "activation-other",
     activation(lambda z, right: np.where(z > 0, z, np.expm1(np.minimum(z, 0))))),
    ("ELU", "dx-alpha-ignored", "the gradient takes alpha to be 1", ELU, DX, "activation-other",
     activation(slope=lambda dy, z, y: dy * np.where(z > 0, 1, np.exp(np.minimum(z, 0))))),
]


def faults():
    """All of them."""
    for class_name, name, sentence, network, tensor, cause, inject, *also in TABLE:
        layer = snake_case(class_name).replace("re_lu", "relu").replace("p_relu", "prelu")
        yield single("Rectifiers", f"{layer.replace('_', '-')}-{name}", sentence, network,
                     snake_case(class_name), tensor, cause, inject, *also)
