"""Right variants of activations: other formulas that are as near to the exact result."""

import math

import numpy as np

from compare.evaluation.faults.families.making import At
from compare.evaluation.faults.fault import Variant
from compare.evaluation.faults.injection import activation
from compare.evaluation.faults.networks import around
from scratch.activations import ACTIVATIONS, softmax

SOFTMAX = around("Softmax")
RELU = around("ReLU")
LEAKY = around("LeakyReLU", negative_slope=0.1)
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def layer_of(name: str):
    return around("Activation", activation=name)


def function(change):
    return activation(lambda z, right: change(z))


def slope(change):
    return activation(slope=lambda dy, z, y: dy * change(z, y))


def sigmoid(z):
    return ACTIVATIONS["sigmoid"].function(z)


def sigmoid_in_two_branches(z):
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, small) / (1 + small)


def mish_of_exponentials(z):
    """With e^z = n: tanh(log(1 + n)) = (n^2 + 2 n) / (n^2 + 2 n + 2)."""
    n = np.exp(np.minimum(z, 20))
    product = n * (n + 2)
    return z * (product / (product + 2))


def tanh_of_expm1(z):
    less_one = np.expm1(2 * np.minimum(z, 20))
    return less_one / (less_one + 2)


complement = np.vectorize(math.erfc, otypes=[np.float64])


def by_log_sum(z):
    top = z.max(axis=-1, keepdims=True)
    return np.exp(z - (top + np.log(np.exp(z - top).sum(axis=-1, keepdims=True))))


# identifier, sentence, network, layer, injection
TABLE = [
    ("softplus-logaddexp", "numpy's log(e^0 + e^z)", layer_of("softplus"), "activation",
     function(lambda z: np.logaddexp(z, z.dtype.type(0)))),
    ("tanh-of-expm1", "(e^2z - 1) / (e^2z - 1 + 2), by expm1", layer_of("tanh"), "activation",
     function(tanh_of_expm1)),
    ("gelu-of-erfc", "z / 2 erfc(-z / sqrt(2)), by the C library", layer_of("gelu"), "activation",
     function(lambda z: z / 2 * complement(-z / np.sqrt(2)).astype(z.dtype))),
    ("log-sigmoid-logaddexp", "minus numpy's log(e^0 + e^-z)", layer_of("log_sigmoid"),
     "activation", function(lambda z: -np.logaddexp(z.dtype.type(0), -z))),
    ("tanh-slope-by-cosh", "a slope of 1 / cosh(z)^2", layer_of("tanh"), "activation",
     slope(lambda z, y: 1 / np.square(np.cosh(z)))),
    ("sigmoid-in-two-branches", "e^-|z| on both sides of 0", layer_of("sigmoid"), "activation",
     function(sigmoid_in_two_branches)),
    ("sigmoid-slope-of-both-sides", "a slope of sigmoid(z) sigmoid(-z)", layer_of("sigmoid"),
     "activation", slope(lambda z, y: sigmoid(z) * sigmoid(-z))),
    ("silu-as-quotient", "z / (1 + e^-z)", layer_of("silu"), "activation",
     function(lambda z: z / (1 + np.exp(-z)))),
    ("elu-exp-minus-one", "e^z - 1 without expm1", layer_of("elu"), "activation",
     function(lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1))),
    ("selu-exp-minus-one", "e^z - 1 without expm1, in selu", layer_of("selu"), "activation",
     function(lambda z: SELU_SCALE * np.where(
         z > 0, z, SELU_ALPHA * (np.exp(np.minimum(z, 0)) - 1)))),
    ("mish-of-exponentials", "tanh(log(1 + e^z)) as a quotient of exponentials",
     layer_of("mish"), "activation", function(mish_of_exponentials)),
    ("hard-sigmoid-of-sixths", "z / 6 + 1/2, cut off", layer_of("hard_sigmoid"), "activation",
     function(lambda z: np.clip(z / 6 + z.dtype.type(0.5), 0, 1))),
    ("exponential-by-powers-of-two", "2 to the power of z log2(e)", layer_of("exponential"),
     "activation", function(lambda z: np.exp2(z * z.dtype.type(math.log2(math.e))))),
    ("relu-of-magnitude", "(z + |z|) / 2", RELU, "re_lu",
     function(lambda z: (z + np.abs(z)) / 2)),
    ("leaky-relu-of-two", "max(z, 0) + slope min(z, 0)", LEAKY, "leaky_re_lu",
     function(lambda z: np.maximum(z, 0) + z.dtype.type(0.1) * np.minimum(z, 0))),
    ("softmax-by-log-sum", "exp(z - log sum exp(z))", SOFTMAX, "softmax", function(by_log_sum)),
    ("softmax-in-float64", "computed in float64 and rounded once", SOFTMAX, "softmax",
     function(lambda z: softmax(z.astype(np.float64)))),
    ("log-softmax-by-logaddexp", "z minus a chain of logaddexp", layer_of("log_softmax"),
     "activation",
     function(lambda z: z - np.logaddexp.reduce(z, axis=-1, keepdims=True))),
]


def variants():
    """All of them."""
    for name, sentence, network, layer, inject in TABLE:
        yield Variant(f"right-{name}", "Right activations", sentence, network, At(layer, inject))
