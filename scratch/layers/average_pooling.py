"""Average pooling over the windows of sequences, of images and of volumes.

A window's average is the sum of its pixels over their number. Sums go along the columns first, then
along the rows; padding is left out of the sum and of the number alike.
"""

from functools import cached_property, reduce

import numpy as np

from scratch.layers.data_format import from_channels_last, to_channels_last
from scratch.layers.pooling import AxisWindows, Pooling


class AveragePooling(Pooling):
    """The mean of each window, channel by channel, over the pixels that are no padding."""

    def build(self, input_shape):
        super().build(input_shape)
        walks = self.walks(self.input_shape)
        self.sums = [AxisSums(walk, axis) for axis, walk in enumerate(walks, start=1)]

    @cached_property
    def pixels(self) -> float | np.ndarray:
        """How many pixels each window has: one number if all are alike, else (OH, OW, 1)."""
        along_axes = [AxisSums(sums.walk, 0).pixels() for sums in self.sums]
        # (OH,) and (OW,) -> (OH, OW) -> (OH, OW, 1)
        numbers = reduce(np.multiply.outer, along_axes)[..., None]
        same = (numbers == numbers.flat[0]).all()
        return float(numbers.flat[0]) if same else numbers.astype(self.dtype)

    def forward(self, x, training=False):
        y = to_channels_last(x, self.data_format)
        # (N, H, W, C) -> (N, H, OW, C) -> (N, OH, OW, C)
        for sums in reversed(self.sums):
            y = sums.total(sums.pad(y, 0))
        # (N, OH, OW, C) / (OH, OW, 1)
        y /= self.pixels
        self._y = y
        return from_channels_last(y, self.data_format)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # in the memory order of the output, which is that of the input
        share = np.empty_like(self._y)
        # (N, OH, OW, C) / (OH, OW, 1)
        np.divide(to_channels_last(dy, self.data_format), self.pixels, out=share)
        # (N, OH, OW, C) -> (N, H, OW, C) -> (N, H, W, C)
        for sums in self.sums:
            share = sums.spread(share)
        return from_channels_last(share, self.data_format)


class AveragePooling1D(AveragePooling):
    """The mean of each window of steps, channel by channel; steps of padding are not counted.

    Args:
        pool_size: steps of the window.
        strides: steps from one window to the next; None for the pool's size.
        padding: 'valid' for none; 'same' for as much as gives the output shape below.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, OL, C); with channels_first (batch, C, OL). OL = (L - pool_size) // strides + 1 with
        padding 'valid', ceil(L / strides) with 'same'.

    Raises:
        ValueError: for arguments outside their range, or a sequence shorter than the pool.

    Example:
        >>> x = np.array([1.0, 3.0, 5.0, 7.0, 9.0]).reshape(1, 5, 1)
        >>> scratch.AveragePooling1D(2)(x).ravel().tolist()
        [2.0, 6.0]
        >>> scratch.AveragePooling1D(2, padding="same")(x).ravel().tolist()
        [2.0, 6.0, 9.0]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 1


class AveragePooling2D(AveragePooling):
    """The mean of each window, channel by channel.

    With padding 'same', what lies outside the image is not counted: a corner's mean is that of the
    pixels it sees.

    The gradient is the output's derivative. TensorFlow's own is not, on a CPU, where padding 'same'
    lets the pool be larger than the image: it then divides by too many pixels.

    Args:
        pool_size: (rows, columns) of the window, or one number for both.
        strides: (rows, columns) from one window to the next, or one number for both; None for
            the pool's size.
        padding: 'valid' for none; 'same' for as much as gives the output shape below.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, OH, OW, C); with channels_first (batch, C, OH, OW). With padding 'valid',
        OH = (H - rows) // stride + 1, and OW likewise; with 'same', OH = ceil(H / stride).

    Raises:
        ValueError: for arguments outside their range, or an image smaller than the pool.

    Example:
        >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
        >>> scratch.AveragePooling2D(2, strides=1)(x)[0, :, :, 0].tolist()
        [[2.0, 3.0], [5.0, 6.0]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 2


class AveragePooling3D(AveragePooling):
    """The mean of each window of volumes, channel by channel; voxels of padding are not counted.

    Args:
        pool_size: (planes, rows, columns) of the window, or one number for all.
        strides: (planes, rows, columns) from one window to the next, or one number for all; None
            for the pool's size.
        padding: 'valid' for none; 'same' for as much as gives the output shape below.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, OD, OH, OW, C); with channels_first (batch, C, OD, OH, OW). With padding 'valid',
        OD = (D - planes) // stride + 1, and OH and OW likewise; with 'same', OD = ceil(D / stride).

    Raises:
        ValueError: for arguments outside their range, or a volume smaller than the pool.

    Example:
        >>> x = np.arange(12.0).reshape(1, 2, 2, 3, 1)
        >>> scratch.AveragePooling3D((2, 2, 1))(x)[0, ..., 0].tolist()
        [[[4.5, 5.5, 6.5]]]
    """

    sample_by_sample = True
    rank = 3


class AxisSums(AxisWindows):
    """The sums of windows along one axis."""

    def total(self, x: np.ndarray) -> np.ndarray:
        """The sum of each window of x, which is padded already: a new array."""
        # (..., padded, ...) -> kernel times (..., outputs, ...)
        first, *others = [x[part] for part in self.parts]
        if not others:
            return first.copy()
        total = first + others[0]
        for other in others[1:]:
            total += other
        return total

    def spread(self, dy: np.ndarray) -> np.ndarray:
        """The gradient with respect to x without its padding, given dy for total(x)."""
        # (..., outputs, ...) -> (..., padded, ...) -> (..., size, ...)
        shape = list(dy.shape)
        shape[self.axis] = self.walk.padded
        dx = (np.empty_like if self.gapless else np.zeros_like)(dy, shape=shape)
        for part in self.parts:
            if self.overlapping:
                dx[part] += dy
            else:
                dx[part] = dy
        return self.unpad(dx)

    def pixels(self) -> np.ndarray:
        """How many pixels other than padding each window has; for a walk along axis 0."""
        return self.total(self.pad(np.ones(self.walk.size), 0))
