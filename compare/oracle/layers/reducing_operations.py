"""Oracles of the operations between layers that make fewer numbers of many, beside sums and means:
the largest, the smallest, variances, deviations, lengths; and of vectors made one long."""

from typing import Any

import numpy as np

from compare.oracle.base import judges
from compare.oracle.layers.global_pooling import GlobalMaxPooling2D
from compare.oracle.layers.operations import Reduction
from compare.oracle.layers.piecewise import scaled
from compare.oracle.layers.root_mean_square import UnitNormalization, axes_of
from compare.oracle.moments import moments
from compare.oracle.products import product
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config

SHORTEST = 1e-7  # Keras's epsilon


@judges("MaxOperation")
class Max(GlobalMaxPooling2D):
    """The largest along axes; its gradient is shared equally by all that tie for it."""

    exact = False
    operation = "a maximum"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.axes = axes_of(self.config["axis"], len(x.shape))
        return super().forward(x, weights)


@judges("MinOperation")
class Min(Max):
    """The smallest along axes: the largest of the negatives, which come back as they went."""

    operation = "a minimum"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return -super().forward(-x, weights)


class Spread(Reduction):
    """Base of what is a sum of squares along axes."""

    exact = False

    def given(self, y: Bounded) -> Bounded:
        """y, whose axes have length 1, as it comes out."""
        keeps = self.config.get("keepdims")
        return y if keeps else y.rearranged(lambda a: np.squeeze(a, self.axes(len(self.shape))))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": self.number(input_shape), "input_gradient": self.number(input_shape)}


@judges("VarOperation")
class Var(Spread):
    """The mean of the squared distances from the mean.

    Automatic differentiation sends a gradient through the mean, too, of which nothing would come
    without rounding; the bound has room for it.
    """

    operation = "a variance"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.shape = x.flushed(), x.shape
        self.found = moments(self.x, self.axes(len(x.shape)))
        return self.given(self.found.variance)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self.through(self.spread(dy.flushed())), {}

    def through(self, dy: Bounded) -> Bounded:
        """The input's gradient, given the variance's at each place of the input."""
        axes, number = self.axes(len(self.shape)), self.number(self.shape)
        each = product(dy, scaled(self.x - self.found.mean, 2.0))
        part = each / float(number)
        total, magnitude, passed_on, terms = (
            array.sum(axis=axes, keepdims=True)
            for array in (part.value, np.abs(part.value), part.bound, part.support()))
        return part - mean(total, magnitude, passed_on, terms, number, dy.rounding)


@judges("StdOperation")
class Std(Var):
    """The root of the variance."""

    operation = "a standard deviation"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.deviation = super().forward(x, weights).sqrt()
        return self.deviation

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return super().backward(scaled(dy, 0.5) / self.deviation)


@judges("NormOperation")
class Norm(Spread):
    """The root of the sum of squares; its gradient is x dy / length, or half of that twice."""

    operation = "the root of a sum of squares"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.shape = x.flushed(), x.shape
        squares = product(self.x, self.x).sum(axis=self.axes(len(x.shape)), keepdims=True)
        self.length = self.given(squares.sqrt())
        return self.length

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return product(self.x, self.spread(dy.flushed() / self.length), more=1), {}


@judges("NormalizeOperation")
class Normalize(UnitNormalization):
    """x over its length along axes, or over a shortest one."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        epsilon = config.get("epsilon")
        self.shortest = SHORTEST if epsilon is None else epsilon
