"""GELU, z times the probability that a standard normal number is below z; exact and approximate.

Hendrycks and Gimpel, Gaussian Error Linear Units (2016). Keras's activation named 'gelu' is the
exact one. The approximate one has no name of its own in a Keras config. TensorFlow keeps the
constants of both in float32, whatever the precision of z; so do these.
"""

import math

import numpy as np

from scratch.activations.activation import Activation
from scratch.activations.error_function import erfc

SQRT_HALF = float(np.float32(math.sqrt(0.5)))
CUBIC = float(np.float32(0.044715))
SQRT_TWO_OVER_PI = math.sqrt(2 / math.pi)
SATURATED = 30.0  # far beyond where the approximation's tanh is 1 in float64


def probability(z):
    """Of a standard normal number to be below z; accurate also where it is very small."""
    return 0.5 * erfc(-SQRT_HALF * z)


def density(z):
    """The probability's derivative."""
    with np.errstate(over="ignore"):
        scaled = SQRT_HALF * z
        return SQRT_HALF / math.sqrt(math.pi) * np.exp(-scaled * scaled)


def approximate_tanh(z):
    """(tanh u, du/dz) for u = sqrt(2 / pi) (z + 0.044715 z^3)."""
    z = np.minimum(np.maximum(z, -SATURATED), SATURATED)
    return (np.tanh(SQRT_TWO_OVER_PI * (z + CUBIC * z * z * z)),
            SQRT_TWO_OVER_PI * (1 + 3 * CUBIC * z * z))


def approximate_gradient(dy, z, y):
    t, slope = approximate_tanh(z)
    return dy * (0.5 * (1 + t) + 0.5 * z * ((1 - t * t) * slope))


def gelu_function(z):
    return z * probability(z)


def gelu_gradient(dy, z, y):
    return dy * (probability(z) + z * density(z))


def approximate_function(z):
    return 0.5 * z * (1 + approximate_tanh(z)[0])


gelu = Activation("gelu", gelu_function, gelu_gradient)
approximate_gelu = Activation("approximate_gelu", approximate_function, approximate_gradient)
