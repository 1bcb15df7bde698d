"""Oracles of the softmax and its logarithm."""

import math
from typing import Any

import numpy as np

from compare.oracle.base import Activation, judges
from compare.oracle.layers.piecewise import wider
from compare.oracle.running_error import LIBRARY_ULPS, Bounded, Rounding, grown

WORST_SHIFT = 1e-3  # the largest error that adding the largest logit back may make


@judges("Softmax", activation="softmax")
class Softmax(Activation):
    """exp(x - max) / sum exp(x - max), along an axis or several."""

    operation = "exp, a sum and a division"
    exact = False

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        axis = self.config.get("axis", -1)
        self.axis = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
        self.y = softmax(x, self.axis)
        return self.y

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        product = dy * self.y
        weighted = product.sum(axis=self.axis, keepdims=True)
        dx = self.y * (dy - weighted)
        if len(self.axis) > 1:  # Keras takes exp(x - logsumexp(x)), whose gradient has two terms
            dx = wider(dx, product - self.y * weighted)
        return dx, {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        axis = self.config.get("axis", -1)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        classes = math.prod(input_shape[a] for a in axes)
        return {"output": classes, "input_gradient": classes}


@judges(activation="log_softmax")
class LogSoftmax(Activation):
    """x - max - log sum exp(x - max), along the last axis."""

    operation = "exp, a sum, log and a difference"
    exact = False

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        largest = x.value.max(axis=-1, keepdims=True)
        shifted = x - Bounded(largest, x.rounding)
        self.y = shifted - shifted.exp().sum(axis=-1, keepdims=True).log()
        self.y.error = self.y.bound + added_back(largest, x.rounding)
        return self.y

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy - self.y.exp() * dy.sum(axis=-1, keepdims=True), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": input_shape[-1], "input_gradient": input_shape[-1]}


def added_back(largest: np.ndarray, rounding: Rounding) -> np.ndarray:
    """The absolute error of x - (max + log sum exp(x - max)), the shift added back to the
    logarithm, beyond that of (x - max) - log sum: the sum is rounded, and flushed.

    Such is scipy's and PyTorch's logsumexp. Where it would leave less than about three digits,
    there is no room for it: by then the formula is at fault.
    """
    error = 2 * rounding.unit * np.abs(largest)
    return np.asarray(np.where(error <= WORST_SHIFT, error, 0.0))


def softmax(x: Bounded, axis: int | tuple[int, ...]) -> Bounded:
    """Softmax with the largest value taken off first, as a quotient, as a product with the sum's
    reciprocal, or as exp of a log-softmax.

    The shift is one and the same number for a whole row, so an error in it cancels; it is
    therefore taken as exact, and only the subtraction rounds. exp(x - shift - log sum) rounds two
    more subtractions, of numbers as large as |x - shift| and log sum, whose errors exp turns into
    relative ones; the bound has room for them, so that either formula passes. So has it for
    exp(x - (shift + log sum)), in which that sum rounds, too: see `added_back`. Along several axes
    Keras takes this one, whatever it costs.
    """
    largest = x.value.max(axis=axis, keepdims=True)
    shifted = x - Bounded(largest, x.rounding)
    exponentials = shifted.exp()
    sums = exponentials.sum(axis=axis, keepdims=True)
    quotient = exponentials / sums
    exponent = 2 * np.abs(shifted.value) + (4 + 2 * LIBRARY_ULPS) * np.log(sums.value)
    if isinstance(axis, tuple) and len(axis) > 1:
        exponent = exponent + 2 * np.abs(largest)
    else:
        exponent = exponent + added_back(largest, x.rounding) / x.rounding.unit
    slack = grown(shifted.value - np.log(sums.value), x.rounding.unit * exponent)
    # as a product with the reciprocal it is rounded once more, also where a division by 1 would not
    # be: TensorFlow without oneDNN then gives the next number below
    reciprocal = x.rounding.gamma(1) * (np.abs(quotient.value) + quotient.bound)
    bound = quotient.bound + slack + reciprocal
    if isinstance(axis, tuple) and len(axis) > 1:
        return Bounded(quotient.value, x.rounding, bound)
    # whatever the logits' errors: a share lies between 0 and 1, up to the roundings of its own
    known = np.isfinite(x.bound).all(axis=axis, keepdims=True)
    terms = x.value.size // sums.value.size + 4 + 2 * LIBRARY_ULPS
    most = 1 + 2 * WORST_SHIFT + x.rounding.gamma(terms)
    return Bounded(quotient.value, x.rounding, np.where(known, np.minimum(bound, most), bound))
