"""Pooling over a whole sequence, image or volume: one number for each channel."""

import math

import numpy as np

from scratch.layers.base import Layer
from scratch.layers.data_format import (
    data_format_name,
    shape_from_channels_last,
    sizes_and_channels,
)


class GlobalPooling(Layer):
    """Base of the global poolings; a subclass has a `rank`, the number of spatial axes.

    Args:
        keepdims: whether the spatial axes stay, with a length of 1.

    Raises:
        ValueError: for an unknown data_format, or an input of another rank.
    """

    rank: int

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, self)
        self.keepdims = keepdims
        first = 1 if self.data_format == "channels_last" else 2
        self.axes = tuple(range(first, first + self.rank))  # the spatial ones

    def compute_output_shape(self, input_shape):
        *sizes, channels = sizes_and_channels(input_shape, self.rank, self.data_format, self)
        ones = [1] * len(sizes) if self.keepdims else []
        return shape_from_channels_last((input_shape[0], *ones, channels), self.data_format)

    def forward(self, x, training=False):
        self._x = x
        self._y = self.pool(x)  # with the spatial axes kept
        # (N, 1, 1, C) -> (N, C); with channels_first (N, C, 1, 1) -> (N, C)
        return self._y if self.keepdims else self._y.squeeze(self.axes)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, C) -> (N, 1, 1, C) -> (N, H, W, C); with channels_first as above
        return self.pool_gradient(dy if self.keepdims else np.expand_dims(dy, self.axes))

    def pool(self, x: np.ndarray) -> np.ndarray:
        """x with its spatial `axes` pooled to a length of 1."""
        raise NotImplementedError

    def pool_gradient(self, dy: np.ndarray) -> np.ndarray:
        """The gradient with respect to the last x, in its memory order, given that of `pool`."""
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}


class GlobalMaxPooling(GlobalPooling):
    """The largest number of each channel; its gradient is shared equally by all that tie for it.

    A channel that holds a NaN has NaN for its output and for all its gradient, as in TensorFlow.
    """

    def pool(self, x):
        # (N, H, W, C) -> (N, 1, 1, C)
        return x.max(axis=self.axes, keepdims=True)

    def pool_gradient(self, dy):
        # (N, H, W, C) == (N, 1, 1, C) -> (N, H, W, C), its ties counted to (N, 1, 1, C)
        won = self._x == self._y
        ties = won.sum(axis=self.axes, keepdims=True, dtype=dy.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):  # no winner beside a NaN
            # (N, H, W, C) * (N, 1, 1, C) -> (N, H, W, C)
            share = 1 / ties * dy
            return np.multiply(won, share, out=np.empty_like(self._x))


class GlobalAveragePooling(GlobalPooling):
    """The mean of each channel."""

    def pool(self, x):
        # (N, H, W, C) -> (N, H, 1, C) -> (N, 1, 1, C): one axis after the other is quicker, the
        # last one first, along which images lie apart in memory
        total = x
        for axis in reversed(self.axes):
            total = np.add.reduce(total, axis=axis, keepdims=True)
        return total / math.prod(x.shape[axis] for axis in self.axes)

    def pool_gradient(self, dy):
        # (N, 1, 1, C) -> (N, H, W, C)
        dx = np.empty_like(self._x)
        dx[...] = dy / math.prod(self._x.shape[axis] for axis in self.axes)
        return dx


class MaskedAveragePooling(GlobalAveragePooling):
    """The mean of the steps that a mask counts; of all of them where there is no mask."""

    uses_masks = True

    def build_config(self):
        shape = self.input_shape
        return {"input_shape": shape[0] if self.masked_by else shape}

    def compute_output_shape(self, input_shape):
        return super().compute_output_shape(input_shape[0] if isinstance(input_shape, list)
                                            else input_shape)

    def forward(self, x, training=False):
        x, self._counts = x if isinstance(x, (list, tuple)) else (x, None)
        if self._counts is not None:
            # (N, T) -> (N, T, 1); with channels_first (N, 1, T)
            self._counts = np.expand_dims(self._counts != 0, 3 - self.axes[0])
        return super().forward(x, training)

    def pool(self, x):
        if self._counts is None:
            return super().pool(x)
        with np.errstate(invalid="ignore"):  # of no step at all there is no mean
            # (N, T, C) -> (N, 1, C)
            total = np.where(self._counts, x, x.dtype.type(0)).sum(self.axes, keepdims=True)
            return total / self._steps(x.dtype)

    def _steps(self, dtype):
        """How many steps count, (N, 1, 1)."""
        return self._counts.sum(self.axes, keepdims=True).astype(dtype)

    def pool_gradient(self, dy):
        if self._counts is None:
            return super().pool_gradient(dy)
        dx = np.empty_like(self._x)
        with np.errstate(divide="ignore", invalid="ignore"):
            # (N, 1, C) -> (N, T, C)
            dx[...] = np.where(self._counts, dy / self._steps(dy.dtype), dy.dtype.type(0))
        return dx

    def backward(self, dy, wants_input_gradient=True):
        dx = super().backward(dy, wants_input_gradient)
        return dx if self._counts is None else [dx, None]


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest of all steps, channel by channel; its gradient is shared by all that tie for it.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        keepdims: whether the spatial axes stay, with a length of 1.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, C); with keepdims (batch, 1, C), or with channels_first (batch, C, 1).

    Raises:
        ValueError: for an unknown data_format, or an input of another rank.

    Example:
        >>> layer = scratch.GlobalMaxPooling1D()
        >>> layer([[[1.0, 9.0], [5.0, 9.0], [3.0, 0.0]]]).tolist()
        [[5.0, 9.0]]
        >>> layer.backward(np.ones((1, 2))).tolist()
        [[[0.0, 0.5], [1.0, 0.5], [0.0, 0.0]]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest of all pixels, channel by channel; its gradient is shared by all that tie for it.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        keepdims: whether the spatial axes stay, with a length of 1.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, C); with keepdims (batch, 1, 1, C), or with channels_first (batch, C, 1, 1).

    Raises:
        ValueError: for an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(12.0).reshape(1, 2, 3, 2)
        >>> scratch.GlobalMaxPooling2D()(x).tolist()
        [[10.0, 11.0]]
        >>> scratch.GlobalMaxPooling2D(keepdims=True)(x).shape
        (1, 1, 1, 2)
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 2


class GlobalAveragePooling1D(MaskedAveragePooling):
    """The mean of all steps, channel by channel; of a network with a mask of those that it counts.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        keepdims: whether the spatial axes stay, with a length of 1.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, C); with keepdims (batch, 1, C), or with channels_first (batch, C, 1).

    Raises:
        ValueError: for an unknown data_format, or an input of another rank.

    Example:
        >>> layer = scratch.GlobalAveragePooling1D()
        >>> layer([[[1.0, 9.0], [5.0, 9.0], [3.0, 0.0]]]).tolist()
        [[3.0, 6.0]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 1


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of all pixels, channel by channel.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        keepdims: whether the spatial axes stay, with a length of 1.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, C); with keepdims (batch, 1, 1, C), or with channels_first (batch, C, 1, 1).

    Raises:
        ValueError: for an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(12.0).reshape(1, 2, 3, 2)
        >>> scratch.GlobalAveragePooling2D()(x).tolist()
        [[5.0, 6.0]]
        >>> scratch.GlobalAveragePooling2D(data_format="channels_first")(x).tolist()
        [[2.5, 8.5]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest of all voxels, channel by channel; its gradient is shared by all that tie for it.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        keepdims: whether the spatial axes stay, with a length of 1.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, C); with keepdims (batch, 1, 1, 1, C), or with channels_first (batch, C, 1, 1, 1).

    Raises:
        ValueError: for an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(24.0).reshape(1, 2, 3, 2, 2)
        >>> scratch.GlobalMaxPooling3D()(x).tolist()
        [[22.0, 23.0]]
        >>> scratch.GlobalMaxPooling3D(data_format="channels_first")(x).shape
        (1, 2)
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 3


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of all voxels, channel by channel.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        keepdims: whether the spatial axes stay, with a length of 1.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, C); with keepdims (batch, 1, 1, 1, C), or with channels_first (batch, C, 1, 1, 1).

    Raises:
        ValueError: for an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(24.0).reshape(1, 2, 3, 2, 2)
        >>> scratch.GlobalAveragePooling3D()(x).tolist()
        [[11.0, 12.0]]
        >>> scratch.GlobalAveragePooling3D(data_format="channels_first")(x).shape
        (1, 2)
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 3
