"""Oracles of the layers that divide by a root of squares, without a mean.

With r = 1 / sqrt(mean x^2 + epsilon), scale s and h = s dy, RMSNormalization is by definition

    y = s x r      ds = sum dy x r      dx = r h - x r^3 sum (h x) / n     (a sum over n values)

of which every term is a product: no difference is taken but that of the two in dx.
"""

import math
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.moments import Moments, inverse_deviation
from compare.oracle.products import product
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded
from compare.oracle.unit_length import UnitVectors


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """One axis or several, counted from the front."""
    return tuple(int(a) % rank for a in (axis if isinstance(axis, (list, tuple)) else [axis]))


@judges("RMSNormalization")
class RMSNormalization(Oracle):
    """x over the root of its mean square along some axes, times a scale along the last ones."""

    exact = False
    in_float32 = True
    operation = "a quotient by a root mean square"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x = x.flushed()
        self.axes = axes_of(self.config.get("axis", -1), len(x.shape))
        self.count = math.prod(x.shape[axis] for axis in self.axes)
        squares = product(x, x)
        found = averaged(squares, self.axes, self.count)
        lowest = np.maximum(found.value - found.bound, 0.0)
        self.inverse = inverse_deviation(Moments(found, found, lowest), self.config["epsilon"])
        scale = weights["scale"].flushed()
        self.given = scale.shape
        self.scale = scale.reshape(*[1] * (len(x.shape) - len(scale.shape)), *scale.shape)
        return product(x, self.inverse, self.scale)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        shared = tuple(i for i, n in enumerate(self.scale.shape) if n == 1)
        gradient = product(dy, self.x, self.inverse).sum(axis=shared, keepdims=True)
        along = averaged(product(dy, self.scale, self.x, more=1), self.axes, self.count)
        taken = product(self.x, self.inverse, self.inverse, self.inverse, along, more=4)
        dx = product(dy, self.scale, self.inverse, more=2) - taken
        return dx, {"scale": gradient.reshape(self.given)}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        axes = axes_of(self.config.get("axis", -1), len(input_shape))
        count = math.prod(input_shape[axis] for axis in axes)
        others = math.prod(input_shape) // count
        return {"output": count, "input_gradient": count, "scale_gradient": others}


@judges("UnitNormalization")
class UnitNormalization(Oracle):
    """x over its length along some axes; what is shorter than 1e-12 is divided by that."""

    exact = False
    operation = "a quotient by a length"
    shortest = 1e-12

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        axes = axes_of(self.config.get("axis", -1), len(x.shape))
        self.vectors = UnitVectors(x, axes, self.shortest)
        return self.vectors.values

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self.vectors.backward(dy), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        axes = axes_of(self.config.get("axis", -1), len(input_shape))
        count = math.prod(input_shape[axis] for axis in axes)
        return {"output": count, "input_gradient": count}


def averaged(x: Bounded, axes: tuple[int, ...], count: int) -> Bounded:
    """The mean along some axes, which are kept."""
    def total(array: np.ndarray) -> np.ndarray:
        return np.asarray(array.sum(axis=axes, keepdims=True))

    magnitude = total(np.abs(x.value))
    x.rounding.watch(magnitude)
    return mean(total(x.value), magnitude, total(x.bound), total(x.support()), count, x.rounding)
