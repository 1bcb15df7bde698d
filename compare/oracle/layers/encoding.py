"""The oracles of class numbers as zeros and ones, and of numbers as the bins they fall into."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded


class Encoding(Oracle):
    """Base: class numbers, each of which may be any from a lowest to a highest one, encoded."""

    operation = "an encoding of classes"
    exact = True
    factors = 1

    def encoded(self, low: np.ndarray, high: np.ndarray, depth: int, x: Bounded) -> Bounded:
        """What stands for the classes `low`; where `high` is another one any between may be."""
        mode = self.config.get("output_mode", "multi_hot")
        self.input_shape = low.shape
        if mode == "int":
            return Bounded(low, x.rounding, high - low)
        if mode == "one_hot" and low.shape[-1] == 1:
            low, high = low.reshape(low.shape[:-1]), high.reshape(low.shape[:-1])
        places = np.arange(depth)
        ones = np.asarray(low[..., None] == places, np.float64)
        open_ones = np.asarray((low[..., None] <= places) & (places <= high[..., None])
                               & (low != high)[..., None], np.float64)
        if mode == "count":
            ones, open_ones = ones.sum(axis=1), open_ones.sum(axis=1)
        elif mode == "multi_hot":
            ones, open_ones = ones.max(axis=1), open_ones.max(axis=1)
        return Bounded(ones, x.rounding, open_ones)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return Bounded(np.zeros(self.input_shape), dy.rounding), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1}


@judges("CategoryEncoding")
class CategoryEncoding(Encoding):
    """A one at the place of each class number."""

    outputs = ("num_tokens",)

    def admitted(self, x: np.ndarray) -> np.ndarray:
        """Class numbers made of any numbers; what is not finite becomes class 0."""
        whole = np.floor(np.abs(np.where(np.isfinite(x), x, 0).astype(np.float64)))
        return np.asarray(whole % self.config["num_tokens"], x.dtype)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        classes = np.trunc(x.value)
        return self.encoded(classes, classes, self.config["num_tokens"], x)


@judges("Discretization")
class Discretization(Encoding):
    """How many boundaries, as float32 holds them, are not above a number.

    Keras reads float64 inputs in its default precision, so that they may be rounded to float32.
    """

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        edges = np.asarray(self.config["bin_boundaries"], np.float32).astype(np.float64)
        room = x.bound
        if x.rounding.unit < 2.0**-24:
            room = room + np.abs(x.value) * 2.0**-24
        found = [np.sum(value[..., None] >= edges, axis=-1).astype(np.float64)
                 for value in (x.value, x.value - room, x.value + room)]
        low, high = found[1], found[2]
        right = self.encoded(found[0], found[0], len(edges) + 1, x)
        return right if np.array_equal(low, high) else Bounded(
            right.value, x.rounding, self.encoded(low, high, len(edges) + 1, x).bound)
