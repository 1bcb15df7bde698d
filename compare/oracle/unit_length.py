"""Vectors over their length, or over a shortest one, with proved bounds.

With r = 1 / sqrt(sum x^2) the vector is x r, and the gradient of a dy with respect to x

    r dy - x r^3 sum (dy x),

each of the two within some roundings of its own size: the sum's, those of r three times over, and
of the products. Where r exceeds 1 / shortest it is that number and a constant: x / shortest, and
dy / shortest. Where it may be either, so may the gradient.
"""

import numpy as np

from compare.oracle.moments import RSQRT_ROUNDINGS, Moments, inverse_deviation
from compare.oracle.products import product
from compare.oracle.running_error import Bounded


class UnitVectors:
    """x over its length along `axes`.

    Attributes:
        values: what comes out, of x's shape.
    """

    def __init__(self, x: Bounded, axes: tuple[int, ...], shortest: float) -> None:
        self.x, self.axes, self.limit = x.flushed(), axes, 1 / shortest
        self.inverse = self._inverse(product(self.x, self.x).sum(axis=axes, keepdims=True))
        self.values = product(self.x, self.inverse)

    def _inverse(self, squares: Bounded) -> Bounded:
        """1 / sqrt(squares), at most the limit, which is one number rounded once."""
        rounding = squares.rounding
        lowest = np.maximum(squares.value - squares.bound, 0.0)
        root = inverse_deviation(Moments(squares, squares, lowest), 0.0)
        with np.errstate(divide="ignore"):
            least = (1 - rounding.gamma(RSQRT_ROUNDINGS)) / np.sqrt(squares.value + squares.bound)
        limit, unit = self.limit, rounding.unit * self.limit
        most = np.where(np.isfinite(root.value), root.value + root.bound, np.inf)
        self.constant = root.value > limit
        self.certain = (least > limit + unit) | (most < limit - unit)
        value = np.minimum(root.value, limit)
        near = np.maximum(np.minimum(most, limit) - value, value - np.minimum(least, limit)) + unit
        return Bounded(value, rounding, np.where(most < limit - unit, root.bound, near))

    def backward(self, dy: Bounded) -> Bounded:
        """The gradient with respect to x, given that to `values`."""
        along = product(dy, self.x, more=1).sum(axis=self.axes, keepdims=True)
        # of the steps on the way, those that count both factors of a square are three times r's
        taken = product(self.x, self.inverse, self.inverse, self.inverse, along, more=4)
        size = np.abs(taken.value) + taken.bound
        error = np.where(self.certain, np.where(self.constant, 0.0, taken.bound), size)
        part = Bounded(np.where(self.constant, 0.0, taken.value), dy.rounding, error)
        return product(dy, self.inverse, more=2) - part
