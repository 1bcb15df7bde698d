"""Oracles of the layers that are random in training: they are told what was drawn.

Where that is whole numbers, whole numbers come out.
"""

import math

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.elementary import constant
from compare.oracle.running_error import Bounded


@judges("Dropout")
class Dropout(Oracle):
    """x * noise in training; x as it is at inference or without noise."""

    operation = "a product with noise"

    @property
    def rate(self) -> float:
        """The share of what is dropped."""
        return float(self.config["rate"])

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = weights.get("noise") if self.training else None
        return x if self.noise is None else product(x, self.noise)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy if self.noise is None else product(dy, self.noise), {}

    def shared_axes(self, rank: int) -> set[int]:
        """The axes of the input along which one number is drawn for all."""
        sizes = self.config.get("noise_shape") or ()
        return {rank - len(sizes) + i for i, size in enumerate(sizes) if size == 1}


@judges("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
class SpatialDropout(Dropout):
    """A dropout of whole feature maps."""

    def shared_axes(self, rank: int) -> set[int]:
        channel = 1 if self.config.get("data_format") == "channels_first" else rank - 1
        return set(range(1, rank)) - {channel}


@judges("StochasticDepth")
class StochasticDepth(Dropout):
    """A dropout of whole samples, where what is dropped is multiplied by 0: an infinity is NaN."""

    @property
    def rate(self) -> float:
        return float(self.config["drop_path_rate"])

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = weights.get("noise") if self.training else None
        return x if self.noise is None else multiplied(x, self.noise)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy if self.noise is None else multiplied(dy, self.noise), {}

    def shared_axes(self, rank: int) -> set[int]:
        return set(range(1, rank))


@judges("GaussianNoise")
class GaussianNoise(Oracle):
    """x + noise in training; x as it is at inference or without noise."""

    operation = "a sum with noise"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        noise = weights.get("noise") if self.training else None
        return x if noise is None else x + noise

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy, {}


@judges("GaussianDropout")
class GaussianDropout(Oracle):
    """x * noise in training; x as it is at inference or without noise."""

    operation = "a product with noise"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = weights.get("noise") if self.training else None
        return x if self.noise is None else x * self.noise

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy if self.noise is None else dy * self.noise, {}


@judges("AlphaDropout")
class AlphaDropout(Dropout):
    """a * (x where the noise is 1, selu's lower limit where it is 0) + b in training.

    a and b are such that numbers of mean 0 and variance 1 keep these (Klambauer et al.,
    Self-Normalizing Neural Networks, 2017, section 3).
    """

    exact = False
    operation = "a product with noise, scaled and shifted"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.noise = weights.get("noise") if self.training else None
        if self.noise is None:
            return x
        rate, limit = self.config["rate"], -1.6732632423543772 * 1.0507009873554805
        scale = 1 / math.sqrt((1 - rate) * (1 + rate * limit**2))
        self.scale = constant(scale, x.rounding)
        dropped = (-self.noise + Bounded(1.0, x.rounding)) * constant(limit, x.rounding)
        shift = constant(-scale * rate * limit, x.rounding)
        return (x * self.noise + dropped) * self.scale + shift

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy if self.noise is None else product(dy, self.noise) * self.scale, {}


def product(x: Bounded, noise: Bounded) -> Bounded:
    """x * noise, where what is dropped is an exact 0, whatever x is."""
    return multiplied(Bounded(x.value, x.rounding, x.error).where(noise.value != 0), noise)


def multiplied(x: Bounded, noise: Bounded) -> Bounded:
    """x * noise, or x / (1 / noise), which costs two roundings more."""
    made = x * noise
    return Bounded(made.value, x.rounding, made.bound + x.rounding.gamma(2) * np.abs(made.value))
