"""What max and average pooling have in common: arguments, shapes, and windows along one axis.

Pooling over a rectangle is pooling along the columns first, then along the rows. Each axis is
therefore treated by itself, and a sequence is what has one axis less.
"""

from functools import cached_property

import numpy as np

from scratch.layers.arguments import one_per_axis, padding_name
from scratch.layers.base import Layer
from scratch.layers.data_format import (
    data_format_name,
    shape_from_channels_last,
    sizes_and_channels,
)
from scratch.windows import Axis, plan_axis


class Pooling(Layer):
    """Base of the poolings over windows; a subclass has a `rank`, the number of spatial axes.

    Raises:
        ValueError: for arguments outside their range, or an input smaller than the pool.
    """

    rank: int

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = one_per_axis(pool_size, self.rank, "pool_size", self)
        self.strides = (self.pool_size if strides is None
                        else one_per_axis(strides, self.rank, "strides", self))
        self.padding = padding_name(padding, self)
        self.data_format = data_format_name(data_format, self)

    def walks(self, input_shape) -> list[Axis]:
        """The walk along each spatial axis."""
        *sizes, _ = sizes_and_channels(input_shape, self.rank, self.data_format, self)
        return [plan_axis(size, pool, stride, self.padding)
                for size, pool, stride in zip(sizes, self.pool_size, self.strides)]

    def compute_output_shape(self, input_shape):
        *sizes, channels = sizes_and_channels(input_shape, self.rank, self.data_format, self)
        outputs = [walk.outputs for walk in self.walks(input_shape)]
        if min(outputs) < 1:
            raise ValueError(
                f"{self}: the input is smaller than the pool. Expected at least "
                f"{self.pool_size} pixels with padding 'valid'. Received: {tuple(sizes)}."
            )
        return shape_from_channels_last((input_shape[0], *outputs, channels), self.data_format)

    def get_config(self):
        return {**super().get_config(), "pool_size": self.pool_size, "strides": self.strides,
                "padding": self.padding, "data_format": self.data_format}


class AxisWindows:
    """The windows of `walk` along one axis of an array."""

    def __init__(self, walk: Axis, axis: int):
        before = (slice(None),) * axis
        self.walk, self.axis = walk, axis
        self.padded = walk.padded > walk.size
        self.inside = (*before, walk.pixels)  # the image within its padding
        self.overlapping = walk.stride < walk.kernel
        self.gapless = walk.stride == walk.kernel and walk.padded == walk.kernel * walk.outputs

    @cached_property
    def parts(self) -> list[tuple]:
        """Where the first, second, ... pixel of every window is."""
        before = (slice(None),) * self.axis
        return [(*before, self.walk.positions(k)) for k in range(self.walk.kernel)]

    def pad(self, x: np.ndarray, value: float) -> np.ndarray:
        """x with `value` around it along the axis, where padding is due."""
        if not self.padded:
            return x
        # (..., size, ...) -> (..., padded, ...)
        shape = list(x.shape)
        shape[self.axis] = self.walk.padded
        padded = np.full_like(x, value, shape=shape)
        padded[self.inside] = x
        return padded

    def unpad(self, dx: np.ndarray) -> np.ndarray:
        """What lies within the padding, a view."""
        # (..., padded, ...) -> (..., size, ...)
        return dx[self.inside] if self.padded else dx
