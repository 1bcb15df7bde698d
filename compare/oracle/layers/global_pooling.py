"""Oracles of pooling over whole sequences, images and volumes."""

from typing import Any

import numpy as np

from compare.oracle import masks
from compare.oracle.base import Oracle, judges
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded, largest
from compare.tracing.types import Config


class GlobalPooling(Oracle):
    """Base: which axes are the spatial ones, and whether they stay with a length of 1."""

    exact = False
    rank = 2

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        first = 2 if config.get("data_format") == "channels_first" else 1
        self.axes = tuple(range(first, first + self.rank))

    def given(self, y: Bounded) -> Bounded:
        """y, which has its spatial axes, as the layer returns it."""
        keeps = self.config.get("keepdims", False)
        return y if keeps else y.rearranged(lambda a: np.squeeze(a, self.axes))

    def taken(self, dy: Bounded) -> Bounded:
        """dy with spatial axes of length 1."""
        keeps = self.config.get("keepdims", False)
        return dy if keeps else dy.rearranged(lambda a: np.expand_dims(a, self.axes))

    def number(self, shape: tuple[int, ...]) -> int:
        """How many numbers a channel has."""
        return int(np.prod([shape[axis] for axis in self.axes]))

    def total(self, array: np.ndarray) -> np.ndarray:
        return np.asarray(array.sum(axis=self.axes, keepdims=True))


@judges("GlobalMaxPooling2D")
class GlobalMaxPooling2D(GlobalPooling):
    """The largest of each channel; its gradient is shared equally by all that tie for it.

    TensorFlow divides one by the number of ties and multiplies by the gradient; a division is as
    good. Either costs two roundings at most, and none where the number is a power of two. A channel
    with a NaN has no winner, so 0 / 0 for its gradient, as in TensorFlow.
    """

    operation = "maxima of windows"
    ties = True

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x = x.flushed()
        self.y, error = x.value.max(axis=self.axes, keepdims=True), None
        if x.error is not None:
            self.y, error = largest(x.value, x.error, x.rounding.tiny, self.axes, keepdims=True)
        return self.given(Bounded(self.y, x.rounding, error).flushed())

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = self.taken(dy).flushed()
        won = self.x.value == self.y
        share = mean(dy.value, np.abs(dy.value), dy.bound, dy.support(), self.total(won),
                     dy.rounding)
        error = np.where(won, share.bound, 0.0)
        if self.x.error is not None:
            error = np.where(self._may_win(self.x.error), np.abs(dy.value) + dy.bound, error)
        return Bounded(won * share.value, dy.rounding, error), {}

    def _may_win(self, error: np.ndarray) -> np.ndarray:
        """Where rounding of the input leaves open who the winners are, those who may be of them.

        Each then gets something between nothing and all of the gradient.
        """
        highest = self.x.value + error
        lowest_winner = (self.x.value - error).max(axis=self.axes, keepdims=True)
        close = highest >= lowest_winner
        # equal exact values tie on both sides, and who is alone wins on both
        moves = self.total(close & (error > 0)) > 0
        return np.asarray(close & moves & (self.total(close) > 1))


@judges("GlobalAveragePooling2D")
class GlobalAveragePooling2D(GlobalPooling):
    """The mean of each channel."""

    operation = "means of windows"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.shape, x = x.shape, x.flushed()
        total, magnitude, passed_on, terms = (
            self.total(array) for array in (x.value, np.abs(x.value), x.bound, x.support()))
        return self.given(mean(total, magnitude, passed_on, terms, self.number(self.shape),
                               x.rounding))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = self.taken(dy).flushed()
        share = mean(dy.value, np.abs(dy.value), dy.bound, dy.support(), self.number(self.shape),
                     dy.rounding)
        return share.rearranged(lambda a: np.broadcast_to(a, self.shape)), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": self.number(input_shape), "input_gradient": 1}


@judges("GlobalMaxPooling1D")
class GlobalMaxPooling1D(GlobalMaxPooling2D):
    """The largest of each channel of a sequence."""

    rank = 1


@judges("GlobalAveragePooling1D")
class GlobalAveragePooling1D(GlobalAveragePooling2D):
    """The mean of each channel of a sequence."""

    rank = 1

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return masks.admitted(x)

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        x, self.counts = masks.parted(x)
        if self.counts is None:
            return super().forward(x, weights)
        counts = np.expand_dims(self.counts, 3 - self.axes[0])
        self.steps = self.total(counts)  # those that count
        self.shape, x = x.shape, x.flushed().where(counts)
        total, magnitude, passed_on, terms = (
            self.total(array) for array in (x.value, np.abs(x.value), x.bound, x.support()))
        return self.given(mean(total, magnitude, passed_on, terms, self.steps, x.rounding))

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        if self.counts is None:
            return super().backward(dy)
        dy = self.taken(dy).flushed()
        share = mean(dy.value, np.abs(dy.value), dy.bound, dy.support(), self.steps, dy.rounding)
        spread = share.rearranged(lambda a: np.broadcast_to(a, self.shape))
        dx = spread.where(np.expand_dims(self.counts, 3 - self.axes[0]))
        return masks.with_mask(dx, self.counts), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        alone = input_shape[0] if isinstance(input_shape[0], (list, tuple)) else input_shape
        return super().reductions(alone, output_shape)


@judges("GlobalMaxPooling3D")
class GlobalMaxPooling3D(GlobalMaxPooling2D):
    """The largest of each channel of a volume."""

    rank = 3


@judges("GlobalAveragePooling3D")
class GlobalAveragePooling3D(GlobalAveragePooling2D):
    """The mean of each channel of a volume."""

    rank = 3
