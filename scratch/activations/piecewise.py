"""Activations made of straight pieces (and a few parabolas), from the rectifier to the shrinkers.

At a kink, where a function has no derivative, the gradients are the ones that TensorFlow gives
Keras; each is said where it is not plain from the formula.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from scratch.activations.activation import Activation


def leaky_relu_function(z, slope: float):
    return (np.maximum if slope <= 1 else np.minimum)(z, slope * z)  # z where z is positive


def leaky_relu_gradient(dy, z, y, slope: float):
    above = z > 0
    return dy * above + slope * dy * ~above


def leaky_relu_with(negative_slope: float) -> Activation:
    """z above 0, negative_slope * z elsewhere; at 0 the gradient is the slope.

    TensorFlow keeps this slope in float32, whatever the precision of z.
    """
    slope = float(np.float32(negative_slope))
    return Activation(f"leaky_relu with slope {negative_slope}",
                      partial(leaky_relu_function, slope=slope),
                      partial(leaky_relu_gradient, slope=slope))


@dataclass(frozen=True)
class Limits:
    """What a rectifier with all its arguments does.

    Attributes:
        lowest, highest: between them z stays, as TensorFlow rounds them.
        threshold, negative_slope: of the line below.
        is_relu6: whether nothing passes back at the highest.
    """

    lowest: float
    highest: float
    threshold: float
    negative_slope: float
    is_relu6: bool

    def function(self, z):
        y = np.minimum(np.where(z > self.lowest, z, 0), self.highest)
        if self.negative_slope:
            y -= self.negative_slope * np.maximum(self.threshold - z, 0)
        return y

    def gradient(self, dy, z, y):
        below = z < self.highest if self.is_relu6 else z <= self.highest
        dz = dy * ((z > self.lowest) & below)
        if self.negative_slope:
            dz += self.negative_slope * dy * (z < self.threshold)
        return dz


def relu_with(max_value=None, negative_slope=0.0, threshold=0.0) -> Activation:
    """z between threshold and max_value, max_value beyond, negative_slope * (z - threshold) below.

    At the threshold nothing passes back; at max_value everything does, except at a max_value of 6
    without a threshold, where Keras takes another way (`relu6`). Keras rounds the two of them to
    float32 in what it does above the threshold, whatever the precision of z.
    """
    if max_value is None and threshold == 0:
        return leaky_relu_with(negative_slope) if negative_slope else relu
    if max_value == 6 and threshold == 0 and not negative_slope:
        return relu6

    limits = Limits(float(np.float32(threshold)),
                    float(np.float32(np.inf if max_value is None else max_value)),
                    threshold, negative_slope, max_value == 6 and threshold == 0)
    return Activation(f"relu from {threshold} to {max_value} with slope {negative_slope}",
                      limits.function, limits.gradient)


def clipped(z, low, high):
    return np.minimum(np.maximum(z, low), high)


def hard_sigmoid_function(z):
    return clipped(z + 3, 0, 6) / 6


def hard_sigmoid_slope(z):
    """1/6 where z + 3, as rounded, lies between 0 and 6, and 0 elsewhere."""
    shifted = z + 3
    return (shifted > 0) & (shifted < 6)


def linear_function(z):
    return z


def linear_gradient(dy, z, y):
    return dy


def relu_function(z):
    return np.maximum(z, 0)


def relu_gradient(dy, z, y):
    return dy * (z > 0)


def relu6_function(z):
    return clipped(z, 0, 6)


def relu6_gradient(dy, z, y):
    return dy * ((y > 0) & (y < 6))


def hard_sigmoid_gradient(dy, z, y):
    return dy / 6 * hard_sigmoid_slope(z)


def hard_silu_function(z):
    return z * hard_sigmoid_function(z)


def hard_silu_gradient(dy, z, y):
    return dy * hard_sigmoid_function(z) + dy * z / 6 * hard_sigmoid_slope(z)


def hard_tanh_function(z):
    return clipped(z, -1, 1)


def hard_tanh_gradient(dy, z, y):
    """At -1 and 1 everything passes."""
    return dy * (np.abs(z) <= 1)


def hard_shrink_function(z):
    return z * (np.abs(z) > 0.5)


def shrink_gradient(dy, z, y):
    return dy * (np.abs(z) > 0.5)


def soft_shrink_function(z):
    return z - clipped(z, -0.5, 0.5)


def sparse_sigmoid_function(z):
    return 0.5 * (clipped(z, -1, 1) + 1)


def sparse_sigmoid_gradient(dy, z, y):
    return 0.5 * dy * (np.abs(z) < 1)


def sparse_plus_function(z):
    """0 up to -1, a parabola, z from 1 on."""
    return np.where(z < 1, 0.25 * np.square(clipped(z, -1, 1) + 1), z)


def sparse_plus_gradient(dy, z, y):
    return dy * (0.5 * (clipped(z, -1, 1) + 1))


# functions with names, not lambdas: a model that holds one of them can be pickled
linear = Activation("linear", linear_function, linear_gradient)
relu = Activation("relu", relu_function, relu_gradient)
relu6 = Activation("relu6", relu6_function, relu6_gradient)
leaky_relu = leaky_relu_with(0.2)._replace(name="leaky_relu")
hard_sigmoid = Activation("hard_sigmoid", hard_sigmoid_function, hard_sigmoid_gradient)
hard_silu = Activation("hard_silu", hard_silu_function, hard_silu_gradient)
hard_tanh = Activation("hard_tanh", hard_tanh_function, hard_tanh_gradient)
hard_shrink = Activation("hard_shrink", hard_shrink_function, shrink_gradient)
soft_shrink = Activation("soft_shrink", soft_shrink_function, shrink_gradient)
sparse_sigmoid = Activation("sparse_sigmoid", sparse_sigmoid_function, sparse_sigmoid_gradient)
sparse_plus = Activation("sparse_plus", sparse_plus_function, sparse_plus_gradient)
