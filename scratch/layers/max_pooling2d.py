"""Max pooling over image windows.

The largest number of a window is the largest of its rows' largest: pooling goes along the columns
first, then along the rows, and its gradient the other way round. What wins that way is the window's
first maximum in row-major order: the first row that holds the maximum, and the first such in it.
"""

import math
from functools import reduce

import numpy as np

from scratch.layers.arguments import image_shape, padding_name, pair
from scratch.layers.base import Layer
from scratch.windows import Axis, plan_windows


class MaxPooling2D(Layer):
    """The largest value of each window, channel by channel: (batch, H, W, C) -> (batch, OH, OW, C).

    Padding is minus infinity and is never chosen. Where several values tie for the maximum, the
    whole gradient goes to the first of them in row-major order; overlapping windows add up.

    Raises:
        ValueError: for arguments outside their range, or an image smaller than the pool.
        UnsupportedError: for channels_first.
    """

    neutral = {"data_format": ("channels_last", None)}

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size", self)
        self.strides = self.pool_size if strides is None else pair(strides, "strides", self)
        self.padding = padding_name(padding, self)

    def compute_output_shape(self, input_shape):
        height, width, channels = image_shape(input_shape, self)
        windows = plan_windows(height, width, self.pool_size, self.strides, self.padding)
        if min(windows.output_size) < 1:
            raise ValueError(
                f"{self}: the image is smaller than the pool. Expected at least "
                f"{self.pool_size} pixels with padding 'valid'. Received: {(height, width)}."
            )
        return (input_shape[0], *windows.output_size, channels)

    def build(self, input_shape):
        super().build(input_shape)
        height, width, _ = self.input_shape[1:]
        windows = plan_windows(height, width, self.pool_size, self.strides, self.padding)
        self.rows, self.columns = AxisPool(windows.rows, 1), AxisPool(windows.columns, 2)

    def forward(self, x, training=False):
        self._x = self.columns.pad(x)  # (N, H, W', C)
        self._m = self.columns.largest(self._x)  # (N, H, OW, C)
        self._padded_m = self.rows.pad(self._m)  # (N, H', OW, C)
        self._y = self.rows.largest(self._padded_m)  # (N, OH, OW, C)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        nans = math.isnan(self._y.max(initial=0))
        aligned = np.empty_like(self._y)  # dy in the memory order of what it is combined with
        aligned[...] = dy
        dm = self.rows.gradient(aligned, self._padded_m, self._y, nans)  # (N, H, OW, C)
        return self.columns.gradient(dm, self._x, self._m, nans)  # (N, H, W, C)

    def get_config(self):
        return {**super().get_config(), "pool_size": self.pool_size, "strides": self.strides,
                "padding": self.padding}


class AxisPool:
    """Max pooling along one axis of (N, H, W, C), for the windows of `walk`."""

    def __init__(self, walk: Axis, axis: int):
        before = (slice(None),) * axis
        self.walk, self.axis = walk, axis
        self.inside = (*before, walk.pixels)  # the image within its padding
        # the first, second, ... pixel of every window
        self.parts = [(*before, walk.positions(k)) for k in range(walk.kernel)]
        self.overlapping = walk.stride < walk.kernel
        self.gapless = walk.stride == walk.kernel and walk.padded == walk.kernel * walk.outputs

    def pad(self, x: np.ndarray) -> np.ndarray:
        """x with minus infinity around it along the axis, where padding is due."""
        if self.walk.padded == self.walk.size:
            return x
        shape = list(x.shape)
        shape[self.axis] = self.walk.padded
        padded = np.full_like(x, -np.inf, shape=shape)
        padded[self.inside] = x
        return padded

    def largest(self, x: np.ndarray) -> np.ndarray:
        """The largest number of each window of x, which is padded already. A NaN counts as that."""
        if len(self.parts) == 1:
            return x[self.parts[0]].copy()
        return reduce(np.maximum, [x[part] for part in self.parts])

    def gradient(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray, nans: bool) -> np.ndarray:
        """The gradient with respect to x without its padding, given dy for y = largest(x)."""
        dx = np.empty_like(x) if self.gapless else np.zeros_like(x)
        for part, won in zip(self.parts, self.winners(x, y, nans)):
            if self.overlapping:
                dx[part] += dy * won
            else:
                np.multiply(dy, won, out=dx[part])
        return dx[self.inside]

    def winners(self, x: np.ndarray, y: np.ndarray, nans: bool):
        """For each place in a window in turn: where its number is the first to be the maximum."""
        free = None  # where the maximum is still to come; None for everywhere
        for part in self.parts[:-1]:
            won = x[part] == y
            if nans:
                won |= x[part] != x[part]  # a NaN is the maximum, though it equals nothing
            if free is None:
                free = ~won
            else:
                won &= free
                free ^= won
            yield won
        yield True if free is None else free  # what came at none of the others comes at the last
