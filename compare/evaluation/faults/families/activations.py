"""Faults of activations, as layers and inside others, and of softmax."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import activation, half, input_gradient, output
from compare.evaluation.faults.networks import around
from scratch.activations import ACTIVATIONS, approximate_gelu, softmax

OUT, DX = "output", "input_gradient"
SOFTMAX = around("Softmax")
SOFTMAX_IMAGE = around("Softmax", shape=(6, 5, 2), axis=1)
UNFUSED = (["MeanSquaredError", {}], "softmax")


def layer_of(name: str):
    return around("Activation", activation=name)


def as_other(name: str):
    """Another activation's function in its place."""
    return activation(lambda z, right: ACTIVATIONS[name].function(z))


def slope_of(name: str):
    """Another activation's gradient."""
    other = ACTIVATIONS[name]
    return activation(slope=lambda dy, z, y: other.gradient(dy, z, other.function(z)))


def twice(z, right):
    return right.function(right.function(z))


def missing(z, right):
    return z


def steeper(z, right):
    """The hard sigmoid of earlier versions: 0.2 z + 0.5."""
    return np.clip(0.2 * z + 0.5, 0, 1)


def along(axis):
    return activation(lambda z, right: softmax(z, axis))


def over_all(z, right):
    """Normalized over samples and classes, and multiplied by the number of samples."""
    e = np.exp(z - z.max())
    return e / e.sum() * len(z)


def diagonal(layer, dx, dy):
    return dy * layer._y * (1 - layer._y)


ACTIVATION, INNER = "activation", "dense"
INSIDE = {name: around("Dense", units=4, activation=name) for name in ("tanh", "sigmoid", "gelu")}
CONV = around("Conv2D", filters=3, kernel_size=2, activation="relu")
# identifier, sentence, network, layer, tensor, cause, injection, causes that are the same
TABLE = [
    ("tanh-missing", "tanh is left out", layer_of("tanh"), ACTIVATION, OUT, "activation-missing",
     activation(missing)),
    ("sigmoid-twice", "the sigmoid is applied twice", layer_of("sigmoid"), ACTIVATION, OUT,
     "activation-twice", activation(twice)),
    ("gelu-approximate", "the approximation by tanh in place of the error function",
     layer_of("gelu"), ACTIVATION, OUT, "activation-other",
     activation(lambda z, right: approximate_gelu.function(z))),
    ("silu-as-sigmoid", "the sigmoid without its factor z", layer_of("silu"), ACTIVATION, OUT,
     "activation-other", as_other("sigmoid")),
    ("relu6-as-relu", "nothing is cut off at 6", around("Activation", seed=6, activation="relu6"),
     ACTIVATION, OUT, "activation-other", as_other("relu")),
    ("selu-as-elu", "elu in place of selu", layer_of("selu"), ACTIVATION, OUT,
     "activation-other", as_other("elu")),
    ("softplus-as-relu", "relu in place of softplus", layer_of("softplus"), ACTIVATION, OUT,
     "activation-other", as_other("relu")),
    ("hard-sigmoid-slope", "the slope of earlier versions, 0.2 in place of 1/6",
     layer_of("hard_sigmoid"), ACTIVATION, OUT, "activation-other", activation(steeper)),
    ("log-softmax-as-softmax", "softmax without the logarithm", layer_of("log_softmax"),
     ACTIVATION, OUT, "activation-other", as_other("softmax")),
    ("mish-float16", "the output is rounded to float16", layer_of("mish"), ACTIVATION, OUT,
     "low-precision", activation(lambda z, right: half(right.function(z)))),
    ("exponential-scaled", "the output is larger by one part in a thousand",
     layer_of("exponential"), ACTIVATION, OUT, "scale",
     activation(lambda z, right: right.function(z) * 1.001)),
    ("tanh-dx-as-sigmoid", "the gradient is that of a sigmoid", layer_of("tanh"), ACTIVATION, DX,
     "activation-other", slope_of("sigmoid")),
    ("sigmoid-dx-missing", "the gradient is handed on as it comes", layer_of("sigmoid"),
     ACTIVATION, DX, "activation-missing", activation(slope=lambda dy, z, y: dy),
     ("mask-missing",)),
    ("sigmoid-dx-of-input", "the slope y (1 - y) is worked out from the input", layer_of("sigmoid"),
     ACTIVATION, DX, "mask-wrong-tensor", activation(slope=lambda dy, z, y: dy * z * (1 - z))),
    ("softsign-dx-of-output", "the slope is taken at the output, not at the input",
     layer_of("softsign"), ACTIVATION, DX, "activation-twice",
     activation(slope=lambda dy, z, y: dy / np.square(1 + np.abs(y))),
     ("mask-wrong-tensor",)),
    ("elu-dx-as-relu", "the gradient is that of relu", layer_of("elu"), ACTIVATION, DX,
     "activation-other", slope_of("relu")),
    ("inner-relu-missing", "a convolution forgets its relu", CONV, "conv2d", OUT,
     "activation-missing", activation(missing)),
    ("inner-tanh-twice", "a dense layer applies tanh twice", INSIDE["tanh"], INNER, OUT,
     "activation-twice", activation(twice)),
    ("inner-gelu-approximate", "the approximation by tanh inside a dense layer", INSIDE["gelu"],
     INNER, OUT, "activation-other",
     activation(lambda z, right: approximate_gelu.function(z))),
    ("inner-sigmoid-dx-missing", "a dense layer forgets its sigmoid's slope", INSIDE["sigmoid"],
     INNER, DX, "activation-missing", activation(slope=lambda dy, z, y: dy), ("mask-missing",)),
    ("inner-relu-dx-of-gradient", "a convolution's mask is the sign of the gradient", CONV,
     "conv2d", DX, "mask-wrong-tensor", activation(slope=lambda dy, z, y: dy * (dy > 0))),
    ("softmax-over-batch", "normalized over the samples", SOFTMAX, "softmax", OUT, "softmax-axis",
     along(0)),
    ("softmax-other-axis", "normalized over the channels in place of the rows", SOFTMAX_IMAGE,
     "softmax", OUT, "softmax-axis", along(-1)),
    ("softmax-over-all", "normalized over the whole batch", SOFTMAX, "softmax", OUT,
     "softmax-axis", activation(over_all)),
    ("softmax-twice", "applied twice", SOFTMAX, "softmax", OUT, "softmax-twice",
     activation(twice), ("activation-twice",)),
    ("softmax-missing", "left out", SOFTMAX, "softmax", OUT, "activation-missing",
     activation(missing)),
    ("softmax-as-sigmoid", "each number by itself", SOFTMAX, "softmax", OUT, "activation-other",
     as_other("sigmoid")),
    ("softmax-warm", "a temperature of 1.001", SOFTMAX, "softmax", OUT, UNKNOWN,
     activation(lambda z, right: right.function(z / z.dtype.type(1.001))), ("scale",)),
    ("softmax-dx-no-jacobian", "the gradient is handed on as it comes", SOFTMAX, "softmax", DX,
     "softmax-jacobian-missing", activation(slope=lambda dy, z, y: dy),
     ("activation-missing", "mask-missing")),
    ("softmax-dx-diagonal", "the Jacobian is taken for a diagonal", SOFTMAX, "softmax", DX,
     "activation-other", input_gradient(diagonal), ("softmax-jacobian-missing",)),
    ("softmax-end-twice", "the last softmax, whose output a squared error reads, is applied twice",
     around("Dense", units=4, end=UNFUSED), "last", OUT, "softmax-twice",
     activation(twice), ("activation-twice",)),
    ("softmax-float16", "the output is rounded to float16", SOFTMAX, "softmax", OUT,
     "low-precision", output(lambda layer, y, x: half(y))),
]


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, cause, inject, *also in TABLE:
        family = "Softmax" if "softmax" in name and layer != ACTIVATION else "Activations"
        yield single(family, f"activation-{name}" if family == "Activations" else name, sentence,
                     network, layer, tensor, cause, inject, *also)
