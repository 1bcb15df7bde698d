"""Oracles of pooling over windows: the largest of each, or their mean."""

import math
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.data_format import Layout
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded, added_up, largest
from compare.oracle.windows import Walk
from compare.tracing.types import Config


class Pooling(Oracle):
    """Base: the windows of an image, in whatever arrangement it comes."""

    rank = 2
    window = "pool_size"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.layout = Layout(self.rank, config.get("data_format", "channels_last"))
        self.pool_size = self.layout.per_axis(config["pool_size"])

    def walk_of(self, input_shape: Any) -> Walk:
        """The walk over the images of that shape."""
        return Walk(self.layout.image_shape(input_shape)[1:-1], self.pool_size,
                    self.layout.per_axis(self.config["strides"]), self.config["padding"])

    def images(self, x: Bounded) -> Bounded:
        """An input or an output as (N, H, W, C), or (N, D, H, W, C)."""
        return x.rearranged(self.layout.image)

    def given(self, y: Bounded) -> Bounded:
        """The other way round."""
        return y.rearranged(self.layout.given)


@judges("MaxPooling2D")
class MaxPooling2D(Pooling):
    """The largest of each window; the gradient goes to its first maximum in row-major order."""

    operation = "maxima of windows"
    ties = True
    every_tie_wins = False
    near_tie = 0.0  # how far below the maximum a number may lie and still be taken for it

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.walk = self.walk_of(x.shape)
        self.x = x = self.images(x).flushed()
        self.values = self.walk.stack(x.value, -np.inf)  # (kh kw, N, OH, OW, C)
        self.errors = None if x.error is None else self.walk.stack(x.error, 0.0)
        y, error = self.values.max(axis=0), None
        if self.errors is not None:
            y, error = largest(self.values, self.errors, x.rounding.tiny, 0)
        return self.given(Bounded(y, x.rounding, error).flushed())

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = self.images(dy).flushed()
        winners = self._winners()
        dx, magnitude, error = (np.zeros(self.x.shape) for _ in range(3))
        for k, offset in enumerate(self.walk.offsets()):
            out, pixels = self.walk.at(*offset)
            won = winners[k][out]
            dx[pixels] += np.where(won, dy.value[out], 0.0)
            magnitude[pixels] += np.where(won, np.abs(dy.value[out]), 0.0)
            error[pixels] += np.where(won, dy.bound[out], 0.0)
            if self.errors is not None or self.near_tie:
                possible = self._may_win(k)[out]
                error[pixels] += np.where(possible, np.abs(dy.value[out]) + dy.bound[out], 0.0)
        overlap = self.walk.overlap()
        if overlap > 1:
            error += dy.rounding.gamma(overlap) * (magnitude + error)
            error += overlap * dy.rounding.tiny  # partial sums, flushed to zero
        return self.given(Bounded(dx, dy.rounding, error).flushed()), {}

    def _winners(self) -> np.ndarray:
        """Whether the gradient goes to the number at each offset, (kh kw, N, OH, OW, C)."""
        if self.every_tie_wins:
            return np.asarray(self.values == self.values.max(axis=0))
        offsets = np.arange(len(self.values)).reshape(-1, *[1] * (self.values.ndim - 1))
        return np.asarray(offsets == self.values.argmax(axis=0))

    def _may_win(self, k: int) -> np.ndarray:
        """Where it is left open whether offset k holds the maximum: by rounding of the input, or as
        it is so near to it."""
        below = self.values.max(axis=0) - self.values[k]
        near = (below > 0) & (below <= self.near_tie)
        if self.errors is None:
            return np.asarray(near)
        errors = self.errors
        highest = self.values + errors
        lowest_winner = (self.values - errors).max(axis=0)
        contested = (highest >= lowest_winner).sum(axis=0) > 1
        close = (highest[k] >= lowest_winner) & contested
        unequal = errors.max(axis=0) > 0  # equal exact values tie the same way on both sides
        return np.asarray(near | (close & unequal & np.isfinite(self.values[k])))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "input_gradient": self.walk_of(input_shape).overlap()}


@judges("AveragePooling2D")
class AveragePooling2D(Pooling):
    """The mean of each window over the pixels that are no padding.

    A whole number divided by a power of two is exact; by any other, a quotient is rounded. So the
    layer is exact if no window can have another number of pixels: if all windows are whole and the
    pool's size is a power of two, or if padding can only cut windows of 2 down to 1.
    """

    operation = "means of windows"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        whole = config["padding"] == "valid"
        self.exact = all(k <= 2 or (whole and k & (k - 1) == 0) for k in self.pool_size)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.walk, rounding = self.walk_of(x.shape), x.rounding
        self.x = x = self.images(x).flushed()
        total, magnitude, passed_on, terms = (
            self._total(array) for array in (x.value, np.abs(x.value), x.bound, x.support()))
        self.pixels = self._total(np.ones((1, *x.shape[1:-1], 1)))  # (1, OH, OW, 1)
        return self.given(mean(total, magnitude, passed_on, terms, self.pixels, rounding))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = self.images(dy).flushed()
        one = np.where(self.pixels > 1, dy.support(), 0.0)
        share = mean(dy.value, np.abs(dy.value), dy.bound, one, self.pixels, dy.rounding)
        value, magnitude, passed_on, terms = (self._spread(array) for array in (
            share.value, np.abs(share.value), share.bound, share.support()))
        return self.given(added_up(value, magnitude, passed_on, terms, dy.rounding)), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": math.prod(self.pool_size),
                "input_gradient": self.walk_of(input_shape).overlap()}

    def _total(self, image: np.ndarray) -> np.ndarray:
        """(N, H, W, C) -> (N, OH, OW, C), the sums of the windows."""
        return np.asarray(self.walk.stack(image, 0.0).sum(axis=0))

    def _spread(self, out_image: np.ndarray) -> np.ndarray:
        """(N, OH, OW, C) -> (N, H, W, C): what each pixel gets of the windows that cover it."""
        spread = np.zeros(self.x.shape)
        for offset in self.walk.offsets():
            out, pixels = self.walk.at(*offset)
            spread[pixels] += out_image[out]
        return spread


@judges("MaxPooling1D")
class MaxPooling1D(MaxPooling2D):
    """Max pooling of sequences, which are images of one column."""

    rank = 1


@judges("AveragePooling1D")
class AveragePooling1D(AveragePooling2D):
    """Average pooling of sequences, which are images of one column."""

    rank = 1


@judges("MaxPooling3D")
class MaxPooling3D(MaxPooling2D):
    """The largest of each window of a volume; every number that ties for it gets the gradient.

    That is what TensorFlow's kernels do in volumes, unlike in images. On the way back they take for
    the maximum, too, whatever lies within 1e-5 of it: such numbers may have the gradient or not
    (`max_pooling_near_ties`).
    """

    rank = 3
    every_tie_wins = True
    near_tie = 2e-5


@judges("AveragePooling3D")
class AveragePooling3D(AveragePooling2D):
    """The mean of each window of a volume."""

    rank = 3
