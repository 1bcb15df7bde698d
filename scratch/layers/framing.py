"""Images cut or given a border, then brought to one size: what CenterCrop and Resizing share."""

import numpy as np

from scratch.layers.arguments import positive
from scratch.layers.base import Layer
from scratch.layers.data_format import (
    data_format_name,
    from_channels_last,
    shape_from_channels_last,
    sizes_and_channels,
    to_channels_last,
)
from scratch.layers.resampling import Resampling

Frame = tuple[tuple[int, int], tuple[int, int]]  # ((top, bottom), (left, right)), cut where below 0


class FramedImages(Layer):
    """Base: a subclass says by `frame` what is cut off or put on before the size is changed.

    Args:
        height, width: of the images that come out.
        data_format: 'channels_last', the default, or 'channels_first'.
    """

    called_in_training = True
    interpolation = "bilinear"
    fill_value = 0.0

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.height, self.width = positive(height, "height", self), positive(width, "width", self)
        self.data_format = data_format_name(data_format, self)

    def frame(self, height: int, width: int) -> Frame:
        """How many pixels an image of that size gets on each side; loses, where below 0."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        *_, channels = sizes_and_channels(input_shape, 2, self.data_format, self)
        shape = (input_shape[0], self.height, self.width, channels)
        return shape_from_channels_last(shape, self.data_format)

    def build(self, input_shape):
        super().build(input_shape)
        height, width, _ = sizes_and_channels(input_shape, 2, self.data_format, self)
        self._frame = self.frame(height, width)
        sizes = (height + sum(self._frame[0]), width + sum(self._frame[1]))
        self._resampled = [Resampling(size, new, self.interpolation)
                           for size, new in zip(sizes, (self.height, self.width))]

    def forward(self, x, training=False):
        # (N, H, W, C) -> (N, H with frame, W with frame, C) -> (N, height, W, C) -> (..., width, C)
        y = framed(to_channels_last(x, self.data_format), self._frame,
                   float(self.rounded(np.asarray(self.fill_value, x.dtype))))
        for axis, resampling in enumerate(self._resampled, start=1):
            y = resampling.forward(y, axis)
        return from_channels_last(y, self.data_format)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, height, width, C) -> (N, height, W with frame, C) -> (N, H with frame, ...) -> (N, H,
        # W, C): what was cut off gets zeros, what was put on is dropped
        dx = to_channels_last(dy, self.data_format)
        for axis, resampling in reversed(list(enumerate(self._resampled, start=1))):
            dx = resampling.backward(dx, axis)
        (top, bottom), (left, right) = self._frame
        dx = framed(dx, ((-top, -bottom), (-left, -right)), 0.0)
        return from_channels_last(dx, self.data_format)

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width,
                "data_format": self.data_format}


def framed(x: np.ndarray, frame: Frame, value: float) -> np.ndarray:
    """Images (N, H, W, C) with so many pixels more on each side, or less where below 0."""
    kept = [slice(max(0, -before), size - max(0, -after))
            for (before, after), size in zip(frame, x.shape[1:3])]
    # (N, H, W, C) -> (N, H - cut, W - cut, C) -> (N, H - cut + put on, ...)
    x = x[:, kept[0], kept[1]]
    put_on = [(max(0, before), max(0, after)) for before, after in frame]
    if not any(map(any, put_on)):
        return x
    return np.pad(x, [(0, 0), *put_on, (0, 0)], constant_values=value)


def aspect_box(height: int, width: int, to: tuple[int, int], number=float) -> tuple[int, int]:
    """The sizes of the largest part of an image whose sides are as those of `to`, rounded down.

    Args:
        number: the kind of number in which the quotients are computed.
    """
    high = int(number(width * to[0]) / number(to[1]))
    wide = int(number(height * to[1]) / number(to[0]))
    return max(min(height, high), 1), max(min(width, wide), 1)


def around_center(size: int, kept: int) -> tuple[int, int]:
    """The frame along an axis that leaves the middle; what is left over is cut off behind."""
    before = (size - kept) // 2
    return -before, -(size - kept - before)
