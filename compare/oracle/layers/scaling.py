"""Oracles of the layers that multiply and add given numbers, or a learned gain for each channel."""

import math
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.low_precision import UNCAST
from compare.oracle.running_error import Bounded, Rounding, bilinear
from compare.tracing.types import Config

SINGLE = Rounding.of("float32")
LARGEST = 2.0**10  # whole numbers up to that leave room for products and sums that are exact


def given_numbers(value: Any) -> np.ndarray:
    """What a config holds: plain numbers, which TensorFlow rounds to float32, or an array."""
    if isinstance(value, dict):
        inner = value.get("config", {})
        if value.get("class_name") == "__tuple__":
            return given_numbers(value["items"])
        return np.asarray(inner["value"], inner["dtype"]).astype(np.float64)
    array = np.asarray(value)
    if array.dtype.kind == "f" and not isinstance(value, (np.ndarray, np.generic)):
        array = array.astype(np.float32)
    return array.astype(np.float64)


def exactly(numbers: np.ndarray, like: Bounded, config: Config | None = None) -> Bounded:
    """Numbers that each side rounds to the audited precision in the same way.

    Args:
        config: the layer's, if a mistaken one may say that it does not cast them.
    """
    uncast = "numbers" in (config or {}).get(UNCAST, ())
    return Bounded((SINGLE if uncast else like.rounding).nearest(numbers), like.rounding)


@judges("Rescaling")
class Rescaling(Oracle):
    """x * scale + offset."""

    operation = "a product and a sum with given numbers"
    casts_numbers = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        numbers = [given_numbers(config.get("scale", 1.0)), given_numbers(config.get("offset", 0))]
        self.scale, self.offset = numbers
        self.exact = all((np.abs(a) <= LARGEST).all() and (a == np.round(a)).all()
                         for a in numbers)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        y = x * exactly(self.scale, x, self.config)
        return y + exactly(self.offset, x, self.config) if self.offset.any() else y

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy * exactly(self.scale, dy, self.config), {}


@judges("LayerScale")
class LayerScale(Oracle):
    """x * gamma, one gamma for each channel, whose gradient is a sum of products."""

    operation = "a product with a gain"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.gamma = x, weights["gamma"]
        return x * self.gamma

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        gradient = bilinear(lambda a, b: (a * b).sum(axis=tuple(range(a.ndim - 1))), dy, self.x)
        return dy * self.gamma, {"gamma": gradient}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "input_gradient": 1,
                "gamma_gradient": math.prod(input_shape[:-1])}


@judges("OwnWeight")
class OwnWeight(Oracle):
    """The weight, once for each sample; its gradient is the sum of theirs."""

    operation = "a weight by itself"
    factors = 1

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.read, weight = x, weights[self.config["weight"]]
        return weight.rearranged(lambda a: np.repeat(
            a.reshape(1, *self.config["output_shape"]), len(x.value), axis=0))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        gradient = dy.sum(axis=0).reshape(*self.config["shape"])
        return Bounded(np.zeros(self.read.shape), dy.rounding), {self.config["weight"]: gradient}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "input_gradient": 1,
                f"{self.config['weight']}_gradient": input_shape[0]}


@judges("CustomScaleLayer")
class ScaledResidual(Oracle):
    """a + b * scale of two inputs: two roundings, or one where both are made at once."""

    operation = "a sum with a scaled branch"
    merges = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.scale = np.asarray(config["scale"], np.float64)
        self.exact = bool(abs(self.scale) <= LARGEST and self.scale == np.round(self.scale))

    def forward(self, x: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        shortcut, branch = x
        return shortcut + branch * exactly(self.scale, branch)

    def backward(self, dy: Bounded) -> tuple[list[Bounded], dict[str, Bounded]]:
        return [dy, dy * exactly(self.scale, dy)], {}


@judges("Normalization")
class StandardScore(Oracle):
    """(x - mean) / deviation, or x * deviation + mean, with given statistics.

    The deviation is the root of the variance, or 1e-7 if that is more.
    """

    exact = False
    operation = "a difference from a mean over a deviation"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        mean = self._statistic("mean", weights)
        root = self._statistic("variance", weights).sqrt()
        smallest = exactly(np.asarray(1e-7), x).value
        above = root.value + root.bound > smallest
        self.deviation = Bounded(np.maximum(root.value, smallest), x.rounding,
                                 np.where(above, root.bound, 0.0))
        if self.config.get("invert"):
            return x * self.deviation + mean
        return (x - mean) / self.deviation

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy * self.deviation if self.config.get("invert") else dy / self.deviation, {}

    def _statistic(self, name: str, weights: dict[str, Bounded]) -> Bounded:
        """In a shape that broadcasts to x."""
        rank, axis = len(self.x.shape), self.config.get("axis", -1)
        named = () if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
        axes = sorted(int(a) % rank for a in named)
        shape = [size if i in axes else 1 for i, size in enumerate(self.x.shape)]
        given = self.config.get(name)
        if given is None:
            return weights[name].reshape(shape)
        numbers = given_numbers(np.asarray(given).tolist())
        spread = np.broadcast_to(numbers, [self.x.shape[a] for a in axes]).reshape(shape)
        return exactly(spread, self.x)
