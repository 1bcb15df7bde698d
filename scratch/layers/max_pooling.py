"""Max pooling over the windows of sequences, of images and of volumes.

The largest number of a window is the largest of its rows' largest: pooling goes along the columns
first, then along the rows, and its gradient the other way round. What wins that way is the window's
first maximum in row-major order: the first row that holds the maximum, and the first such in it.
In volumes every number that ties for the maximum wins: so TensorFlow's kernels have it.
"""

import math
from functools import reduce
from typing import Any

import numpy as np

from scratch.layers.data_format import from_channels_last, to_channels_last
from scratch.layers.pooling import AxisWindows, Pooling

# for each precision the integers of its size
INTEGERS: dict[Any, np.dtype] = {np.dtype(np.float32): np.dtype(np.int32),
                                 np.dtype(np.float64): np.dtype(np.int64)}


class MaxPooling(Pooling):
    """The largest value of each window, channel by channel.

    Padding is minus infinity and is never chosen. Where several values tie for the maximum, the
    whole gradient goes to the first of them in row-major order; overlapping windows add up.
    """

    every_tie_wins = False

    def build(self, input_shape):
        super().build(input_shape)
        kind = AxisTies if self.every_tie_wins else AxisMaxima
        self.maxima = [kind(walk, axis)
                       for axis, walk in enumerate(self.walks(self.input_shape), start=1)]

    def forward(self, x, training=False):
        y = to_channels_last(x, self.data_format)
        self._steps = []
        # (N, H, W, C) -> (N, H, OW, C) -> (N, OH, OW, C)
        for maxima in reversed(self.maxima):
            padded = maxima.pad(y, -np.inf)
            y = maxima.largest(padded)
            self._steps.append((maxima, padded, y))
        return from_channels_last(y, self.data_format)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        _, _, y = self._steps[-1]
        nans = math.isnan(np.maximum.reduce(y, axis=None, initial=0))
        # (N, OH, OW, C) -> (N, OH, OW, C), in the memory order of what it is combined with
        aligned = np.empty_like(y)
        aligned[...] = to_channels_last(dy, self.data_format)
        bits = aligned.view(INTEGERS[y.dtype])
        # (N, OH, OW, C) -> (N, H, OW, C) -> (N, H, W, C)
        for maxima, padded, y in reversed(self._steps):
            bits = maxima.gradient(bits, padded, y, nans)
        return from_channels_last(bits.view(y.dtype), self.data_format)


class MaxPooling1D(MaxPooling):
    """The largest value of each window of steps, channel by channel.

    As `MaxPooling2D`, with one axis less.

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
        >>> x = np.array([1.0, 4.0, 2.0, 3.0, 5.0]).reshape(1, 5, 1)
        >>> scratch.MaxPooling1D(2)(x).ravel().tolist()
        [4.0, 3.0]
        >>> scratch.MaxPooling1D(3, strides=1)(x).ravel().tolist()
        [4.0, 4.0, 5.0]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 1

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling2D(MaxPooling):
    """The largest value of each window, channel by channel.

    Padding is minus infinity and is never chosen. Where several values tie for the maximum, the
    whole gradient goes to the first of them in row-major order; overlapping windows add up.

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
        >>> layer = scratch.MaxPooling2D((2, 3))
        >>> x = np.array([[1, 7, 2], [3, 7, 0]]).reshape(1, 2, 3, 1)
        >>> layer(x).tolist()
        [[[[7.0]]]]
        >>> layer.backward(np.ones((1, 1, 1, 1)))[0, :, :, 0].tolist()  # to the first seven
        [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 2

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", data_format=None,
                 **kwargs):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling3D(MaxPooling):
    """The largest value of each window of volumes, channel by channel.

    Padding is minus infinity and is never chosen. Where several values tie for the maximum, each of
    them gets the whole gradient, unlike in images; overlapping windows add up.

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
        >>> layer = scratch.MaxPooling3D((2, 1, 3))
        >>> x = np.array([[1, 7, 2], [3, 7, 0]]).reshape(1, 2, 1, 3, 1)
        >>> layer(x).ravel().tolist()
        [7.0]
        >>> layer.backward(np.ones((1, 1, 1, 1, 1)))[0, :, 0, :, 0].tolist()  # to both sevens
        [[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    """

    sample_by_sample = True
    rank = 3
    every_tie_wins = True

    def __init__(self, pool_size=(2, 2, 2), strides=None, padding="valid", data_format=None,
                 **kwargs):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class AxisMaxima(AxisWindows):
    """Max pooling along one axis."""

    def largest(self, x: np.ndarray) -> np.ndarray:
        """The largest number of each window of x, which is padded already. A NaN counts as that."""
        if len(self.parts) == 1:
            return x[self.parts[0]].copy()
        # (..., padded, ...) -> kernel times (..., outputs, ...) -> (..., outputs, ...)
        return reduce(np.maximum, [x[part] for part in self.parts])

    def gradient(self, bits: np.ndarray, x: np.ndarray, y: np.ndarray, nans: bool) -> np.ndarray:
        """The gradient with respect to x without its padding, given that for y = largest(x).

        Both are handed over as the `bits` of the numbers, read as integers: times 1 they are kept,
        times 0 they are dropped, infinite ones too, of which 0 times infinity would make NaN.
        """
        if not self.overlapping:
            # kernel times (..., outputs, ...) -> (..., padded, ...) -> (..., size, ...)
            dx = (np.empty_like if self.gapless else np.zeros_like)(x, bits.dtype)
            for part, share in zip(self.parts, self.shares(bits, x, y, nans)):
                dx[part] = share
            return self.unpad(dx)
        # the same, added up where windows overlap
        dx = np.zeros_like(x)
        for part, share in zip(self.parts, self.shares(bits, x, y, nans)):
            dx[part] += share.view(x.dtype)
        return self.unpad(dx).view(bits.dtype)

    def shares(self, bits: np.ndarray, x: np.ndarray, y: np.ndarray, nans: bool):
        """For each place in a window in turn: the bits where its number is the first maximum."""
        for part in self.parts[:-1]:
            share = bits * winners(x[part], y, nans)
            yield share
            bits = bits - share  # what is left for the places to come: 0 where the maximum was
        yield bits  # what came at none of the others comes at the last


class AxisTies(AxisMaxima):
    """Likewise, where every number that ties for the maximum wins."""

    def shares(self, bits, x, y, nans):
        for part in self.parts:
            yield bits * winners(x[part], y, nans)


def winners(x: np.ndarray, y: np.ndarray, nans: bool) -> np.ndarray:
    """Where x, one number of each window, is the window's maximum y: of their shape."""
    # (..., outputs, ...)
    won = x == y
    if nans:
        won |= x != x  # a NaN is the maximum, though it equals nothing
    return won
