"""Activations made of exponentials, written so that nothing overflows or cancels for large |z|."""

from functools import partial

import numpy as np

from scratch.activations.activation import Activation


def sigmoid_function(z):
    """1 / (1 + exp(-z)); where exp(-z) overflows, that is 0, as it should be."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def softplus_function(z):
    """log(1 + exp(z)), with the exponential taken of a number that is never positive."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def exponential_function(z):
    """exp(z), which is infinite where it is too large, without a warning."""
    with np.errstate(over="ignore"):
        return np.exp(z)


def silu_gradient(dy, z, y):
    s = sigmoid_function(z)
    return dy * (s * (1 + z * (1 - s)))


def mish_gradient(dy, z, y):
    t = np.tanh(softplus_function(z))
    return dy * (t + z * (1 - t * t) * sigmoid_function(z))


def softsign_gradient(dy, z, y):
    with np.errstate(over="ignore"):
        return dy / np.square(1 + np.abs(z))


def elu_function(z, alpha: float):
    return np.maximum(z, 0) + alpha * np.expm1(np.minimum(z, 0))  # one of them is 0


def elu_gradient(dy, z, y, alpha: float):
    return np.where(z > 0, dy, dy * (y + alpha))


def elu_with(alpha: float = 1.0) -> Activation:
    """z above 0, alpha * (exp(z) - 1) elsewhere; at 0 the gradient is alpha."""
    return Activation(f"elu with alpha {alpha}", partial(elu_function, alpha=alpha),
                      partial(elu_gradient, alpha=alpha))


# Klambauer et al., Self-Normalizing Neural Networks (2017), equation 14
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
SELU_LIMIT = 1.7580993408473768  # their product


def selu_function(z):
    return SELU_SCALE * np.maximum(z, 0) + SELU_LIMIT * np.expm1(np.minimum(z, 0))


def selu_gradient(dy, z, y):
    """At 0 it is the scale, the slope on the right."""
    return np.where(y < 0, dy * (y + SELU_LIMIT), SELU_SCALE * dy)


def celu_function(z):
    return np.maximum(z, 0) + np.expm1(np.minimum(z, 0))


def celu_gradient(dy, z, y):
    """At 0 both of Keras's two terms, for above and below, pass dy on: 2 dy in all."""
    return dy * (z >= 0) + dy * (np.exp(np.minimum(z, 0)) * (z <= 0))


def squareplus_function(z):
    return 0.5 * z + 0.5 * np.hypot(z, 2)


def squareplus_gradient(dy, z, y):
    return dy * (0.5 * (1 + z / np.hypot(z, 2)))


def sigmoid_gradient(dy, z, y):
    return dy * y * (1 - y)


def log_sigmoid_function(z):
    return -softplus_function(-z)


def log_sigmoid_gradient(dy, z, y):
    return dy * sigmoid_function(-z)


def silu_function(z):
    return z * sigmoid_function(z)


def tanh_gradient(dy, z, y):
    return dy * (1 - y * y)


def tanh_shrink_function(z):
    return z - np.tanh(z)


def tanh_shrink_gradient(dy, z, y):
    return dy * np.square(np.tanh(z))


def softplus_gradient(dy, z, y):
    return dy * sigmoid_function(z)


def softsign_function(z):
    return z / (1 + np.abs(z))


def mish_function(z):
    return z * np.tanh(softplus_function(z))


def exponential_gradient(dy, z, y):
    return dy * y


sigmoid = Activation("sigmoid", sigmoid_function, sigmoid_gradient)
log_sigmoid = Activation("log_sigmoid", log_sigmoid_function, log_sigmoid_gradient)
silu = Activation("silu", silu_function, silu_gradient)
tanh = Activation("tanh", np.tanh, tanh_gradient)
tanh_shrink = Activation("tanh_shrink", tanh_shrink_function, tanh_shrink_gradient)
softplus = Activation("softplus", softplus_function, softplus_gradient)
softsign = Activation("softsign", softsign_function, softsign_gradient)
squareplus = Activation("squareplus", squareplus_function, squareplus_gradient)
mish = Activation("mish", mish_function, mish_gradient)
exponential = Activation("exponential", exponential_function, exponential_gradient)
elu = elu_with(1.0)._replace(name="elu")
selu = Activation("selu", selu_function, selu_gradient)
celu = Activation("celu", celu_function, celu_gradient)
