"""Oracles of the layers that are random in training: they are told what was drawn.

Where that is whole numbers, whole numbers come out.
"""

from compare.oracle.base import Oracle
from compare.oracle.running_error import Bounded


class Dropout(Oracle):
    """x * noise in training, rounded once; x as it is at inference or without noise."""

    def forward(self, x, weights):
        self.noise = weights.get("noise") if self.training else None
        return x if self.noise is None else product(x, self.noise)

    def backward(self, dy):
        return dy if self.noise is None else product(dy, self.noise), {}


class GaussianNoise(Oracle):
    """x + noise in training; x as it is at inference or without noise."""

    def forward(self, x, weights):
        noise = weights.get("noise") if self.training else None
        return x if noise is None else x + noise

    def backward(self, dy):
        return dy, {}


def product(x: Bounded, noise: Bounded) -> Bounded:
    """x * noise; what is dropped is an exact 0, whatever x is."""
    dropped = noise.value == 0
    return Bounded(x.value, x.rounding, x.error).where(~dropped) * noise
