"""Oracles of pooling to a given size: window i of m along an axis of n numbers goes from
floor(i n / m) to ceil((i + 1) n / m).

One axis after the other is pooled, a mean of means, or the largest of the largest. That decides
which of several numbers that tie gets the gradient, and so how often a mean is rounded.
"""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded, added_up, largest
from compare.tracing.types import Config


class AdaptivePooling(Oracle):
    """Base: the windows along each axis, pooled one axis after the other."""

    rank = 2

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        size = config["output_size"]
        self.to = tuple(size) if isinstance(size, (tuple, list)) else (size,) * self.rank
        self.first = 2 if config.get("data_format") == "channels_first" else 1

    def windows(self, size: int, number: int) -> list[tuple[int, int]]:
        """(first place, the one behind the last) of each."""
        return [(int(np.floor(i * size / number)), int(np.ceil((i + 1) * size / number)))
                for i in range(number)]

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.read: list[Bounded] = []  # what was pooled along each axis
        for axis, number in enumerate(self.to, start=self.first):
            x = x.flushed()
            self.read.append(x)
            x = joined([self.pooled(cut(x, axis, window), axis)
                        for window in self.windows(x.shape[axis], number)], axis)
        return x

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        for i in reversed(range(self.rank)):
            dy = self._back(dy.flushed(), self.first + i, self.read[i])
        return dy, {}

    def _back(self, dy: Bounded, axis: int, x: Bounded) -> Bounded:
        """What each number gets of the windows that hold it, along one axis."""
        total, magnitude, passed_on, terms = (np.zeros(x.shape) for _ in range(4))
        for k, window in enumerate(self.windows(x.shape[axis], dy.shape[axis])):
            share = self.shares(cut(dy, axis, (k, k + 1)), cut(x, axis, window), axis)
            place = (slice(None),) * axis + (slice(*window),)
            total[place] += share.value
            magnitude[place] += np.abs(share.value)
            passed_on[place] += share.bound
            terms[place] += share.support()
        return added_up(total, magnitude, passed_on, terms, dy.rounding)

    def pooled(self, window: Bounded, axis: int) -> Bounded:
        """What a window comes to, its axis gone."""
        raise NotImplementedError

    def shares(self, dy: Bounded, window: Bounded, axis: int) -> Bounded:
        """What each of its numbers gets of its gradient, which has that axis with a length of 1."""
        raise NotImplementedError

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        sizes = list(zip(input_shape[self.first:], self.to))
        together = int(np.prod([max(b - a for a, b in self.windows(*pair)) for pair in sizes]))
        over = int(np.prod([max(2, -(-number // size) + 1) for size, number in sizes]))
        return {"output": together, "input_gradient": over}


def cut(x: Bounded, axis: int, window: tuple[int, int]) -> Bounded:
    return x.rearranged(lambda a: a[(slice(None),) * axis + (slice(*window),)])


def joined(parts: list[Bounded], axis: int) -> Bounded:
    """Arrays beside each other along a new axis."""
    error = None if all(part.error is None for part in parts) else np.stack(
        [part.bound for part in parts], axis)
    return Bounded(np.stack([part.value for part in parts], axis), parts[0].rounding, error)


class AdaptiveAverage(AdaptivePooling):
    """Means of windows."""

    operation = "means of windows"
    exact = False

    def pooled(self, window: Bounded, axis: int) -> Bounded:
        total, magnitude, passed_on, terms = (
            array.sum(axis=axis) for array in (window.value, np.abs(window.value), window.bound,
                                               window.support()))
        return mean(total, magnitude, passed_on, terms, window.shape[axis], window.rounding)

    def shares(self, dy: Bounded, window: Bounded, axis: int) -> Bounded:
        number = window.shape[axis]
        one = dy.support() if number > 1 else np.zeros(dy.shape)
        share = mean(dy.value, np.abs(dy.value), dy.bound, one, number, dy.rounding)
        return share.rearranged(lambda a: np.broadcast_to(a, window.shape))


class AdaptiveMax(AdaptivePooling):
    """The largest of each window; along an axis the first of those that tie gets the gradient."""

    operation = "maxima of windows"
    ties = True
    every_tie_wins = False
    near_tie = 0.0  # how far below the maximum a number may lie and still be taken for it

    def pooled(self, window: Bounded, axis: int) -> Bounded:
        if window.error is None:
            return Bounded(window.value.max(axis=axis), window.rounding)
        value, error = largest(window.value, window.error, window.rounding.tiny, axis)
        return Bounded(value, window.rounding, error).flushed()

    def shares(self, dy: Bounded, window: Bounded, axis: int) -> Bounded:
        values, errors = window.value, window.bound
        highest = values.max(axis=axis, keepdims=True)
        won = values == highest
        if not self.every_tie_wins:
            won = won & (won.cumsum(axis=axis) == 1)
        below = highest - values
        close = values + errors >= (values - errors).max(axis=axis, keepdims=True)
        contested = close & (close.sum(axis=axis, keepdims=True) > 1) & (
            errors.max(axis=axis, keepdims=True) > 0)  # equal exact numbers tie on every side
        doubt = contested | ((below > 0) & (below <= self.near_tie))
        bound = np.where(doubt, np.abs(dy.value) + dy.bound, np.where(won, dy.bound, 0.0))
        return Bounded(np.where(won, dy.value, 0.0), dy.rounding,
                       None if dy.error is None and not doubt.any() else bound)

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {**super().reductions(input_shape, output_shape), "output": 1}


@judges("AdaptiveAveragePooling1D")
class AdaptiveAveragePooling1D(AdaptiveAverage):
    """Of sequences."""

    rank = 1


@judges("AdaptiveAveragePooling2D")
class AdaptiveAveragePooling2D(AdaptiveAverage):
    """Of images."""


@judges("AdaptiveAveragePooling3D")
class AdaptiveAveragePooling3D(AdaptiveAverage):
    """Of volumes."""

    rank = 3


@judges("AdaptiveMaxPooling1D")
class AdaptiveMaxPooling1D(AdaptiveMax):
    """Of sequences."""

    rank = 1


@judges("AdaptiveMaxPooling2D")
class AdaptiveMaxPooling2D(AdaptiveMax):
    """Of images: rows first, so that of numbers that tie in both that in the first column wins."""


@judges("AdaptiveMaxPooling3D")
class AdaptiveMaxPooling3D(AdaptiveMax):
    """Of volumes: every number that ties gets the gradient, and those within 1e-5 of the maximum
    may, too (`max_pooling_near_ties`)."""

    rank = 3
    every_tie_wins = True
    near_tie = 2e-5
