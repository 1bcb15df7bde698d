"""The oracle of the layer that joins two inputs by scalar products."""

import math
from functools import partial
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded, bilinear
from compare.oracle.unit_length import UnitVectors
from compare.tracing.types import Config


@judges("Dot")
class Dot(Oracle):
    """Sums of products along one axis of each of two inputs, sample by sample.

    With the axes of the products last and first and all others in one, that is a product of
    matrices (P, K) and (K, Q); normalized, all their vectors along K are made one long before.
    """

    operation = "a sum of products"
    merges = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.exact = not config.get("normalize")

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        self.shapes = [a.shape for a in x]
        self.places = places(self.config["axes"], self.shapes)
        if self.config.get("normalize"):
            self.vectors = [UnitVectors(a, (axis,), 1e-7) for a, axis in zip(x, self.places)]
            x = [each.values for each in self.vectors]
        self.joined = x
        kept = [[n for i, n in enumerate(shape) if i not in (0, axis)]
                for shape, axis in zip(self.shapes, self.places)]
        y = bilinear(lambda a, b: self._first(a) @ self._second(b), *x)
        return y.reshape(self.shapes[0][0], *(kept[0] + kept[1] or [1]))

    def _first(self, array: np.ndarray) -> np.ndarray:
        """The first input as (N, P, K)."""
        moved = np.moveaxis(array, self.places[0], -1)
        return moved.reshape(len(array), -1, moved.shape[-1])

    def _second(self, array: np.ndarray) -> np.ndarray:
        """The second input as (N, K, Q)."""
        moved = np.moveaxis(array, self.places[1], 1)
        return moved.reshape(*moved.shape[:2], -1)

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        rows = self._first(np.empty(self.shapes[0])).shape[1]
        columns = self._second(np.empty(self.shapes[1])).shape[2]
        dy = dy.reshape(self.shapes[0][0], rows, columns)
        first, second = self.joined
        gradients = [
            bilinear(lambda d, b: d @ self._second(b).swapaxes(1, 2), dy, second),
            bilinear(lambda d, a: self._first(a).swapaxes(1, 2) @ d, dy, first)]
        found = []
        for i, (gradient, place) in enumerate(zip(gradients, (-1, 1))):
            axis = self.places[i]
            moved = np.moveaxis(np.empty(self.shapes[i]), axis, place).shape
            back = gradient.reshape(*moved).rearranged(partial(
                np.moveaxis, source=place, destination=axis))
            found.append(self.vectors[i].backward(back) if self.config.get("normalize") else back)
        return found, {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        axis, _ = places(self.config["axes"], input_shape)
        along = input_shape[0][axis]
        others = max(math.prod(shape[1:]) // max(along, 1) for shape in input_shape)
        return {"output": along, "input_gradient": others}


def places(axes: Any, shapes: Any) -> tuple[int, ...]:
    """The axes of both inputs, counted from the front."""
    pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
    return tuple(int(axis) % len(shape) for axis, shape in zip(pair, shapes))
