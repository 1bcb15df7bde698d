"""Pooling to a given size: windows as many as are to come out, whatever the size of what comes in.

A window is a product of intervals, one along each axis, and so its mean is a mean of means, its
largest number the largest of such: one axis after the other is pooled, as Keras does it.
"""

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

Windows = list[tuple[int, int]]  # (first place, the one behind the last) of each, along one axis


def windows(size: int, number: int) -> Windows:
    """So many windows that cover an axis of that size; they overlap where it does not divide."""
    return [(i * size // number, -(-(i + 1) * size // number)) for i in range(number)]


def cut(x: np.ndarray, axis: int, window: tuple[int, int]) -> np.ndarray:
    """A window of x along an axis, a view."""
    return x[(slice(None),) * axis + (slice(*window),)]


class AdaptivePooling(Layer):
    """Base of the adaptive poolings; a subclass has a `rank`, the number of spatial axes, and says
    how one axis is pooled.

    Args:
        output_size: of each spatial axis, or one number for all.
        data_format: 'channels_last', the default, or 'channels_first'.
    """

    rank: int

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        sizes = output_size if isinstance(output_size, (tuple, list)) else [output_size] * self.rank
        if len(sizes) != self.rank or not all(isinstance(n, int) for n in sizes):
            # a tuple of another length is a ValueError to Keras where there is one axis
            error = ValueError if self.rank == 1 and len(sizes) != 1 else TypeError
            raise error(f"{self}: expected output_size to be an integer or {self.rank} of them. "
                        f"Received: output_size={output_size!r}")
        self.output_size = tuple(positive(n, "output_size", self) for n in sizes)
        self.data_format = data_format_name(data_format, self)

    def compute_output_shape(self, input_shape):
        *_, channels = sizes_and_channels(input_shape, self.rank, self.data_format, self)
        return shape_from_channels_last((input_shape[0], *self.output_size, channels),
                                        self.data_format)

    def build(self, input_shape):
        super().build(input_shape)
        *sizes, _ = sizes_and_channels(input_shape, self.rank, self.data_format, self)
        self.windows = [windows(*pair) for pair in zip(sizes, self.output_size)]

    def forward(self, x, training=False):
        y = to_channels_last(x, self.data_format)
        self._ways_back = []
        for axis, along in enumerate(self.windows, start=1):
            # (N, H, W, C) -> (N, OH, W, C) -> (N, OH, OW, C)
            y, way_back = self.pool(y, axis, along)
            self._ways_back.append(way_back)
        return from_channels_last(y, self.data_format)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        dx = to_channels_last(dy, self.data_format)
        for axis, along in reversed(list(enumerate(self.windows, start=1))):
            # (N, OH, OW, C) -> (N, OH, W, C) -> (N, H, W, C)
            dx = self.pool_gradient(dx, axis, along, self._ways_back[axis - 1])
        return from_channels_last(dx, self.data_format)

    def pool(self, x: np.ndarray, axis: int, along: Windows) -> tuple:
        """(x pooled along an axis, what the way back needs)."""
        raise NotImplementedError

    def pool_gradient(self, dy: np.ndarray, axis: int, along: Windows, way_back) -> np.ndarray:
        """The gradient of what was pooled along an axis; where windows overlap they add up."""
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "output_size": self.output_size,
                "data_format": self.data_format}


class AdaptiveAveragePooling(AdaptivePooling):
    """Base: means of windows."""

    def pool(self, x, axis, along):
        means = [cut(x, axis, window).sum(axis=axis) / x.dtype.type(window[1] - window[0])
                 for window in along]
        return np.stack(means, axis=axis), x.shape

    def pool_gradient(self, dy, axis, along, way_back):
        dx = np.zeros(way_back, dy.dtype)
        for k, window in enumerate(along):
            part = cut(dx, axis, window)  # a view
            part += cut(dy, axis, (k, k + 1)) / dy.dtype.type(window[1] - window[0])
        return dx


class AdaptiveMaxPooling(AdaptivePooling):
    """Base: the largest numbers of windows. The gradient goes to the first of those that tie along
    an axis; in volumes to each of them, as in TensorFlow's kernels."""

    every_tie_wins = False

    def pool(self, x, axis, along):
        return np.stack([cut(x, axis, window).max(axis=axis) for window in along], axis=axis), x

    def pool_gradient(self, dy, axis, along, way_back):
        dx = np.zeros(way_back.shape, dy.dtype)
        for k, window in enumerate(along):
            values = cut(way_back, axis, window)
            won = values == values.max(axis=axis, keepdims=True)
            if not self.every_tie_wins:
                places = np.arange(values.shape[axis]).reshape(-1, *[1] * (values.ndim - axis - 1))
                won = places == np.expand_dims(won.argmax(axis=axis), axis)
            part = cut(dx, axis, window)  # a view
            part += won * cut(dy, axis, (k, k + 1))
        return dx


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The means of as many windows of a sequence as are to come out, channel by channel.

    Window i of m along an axis of size n goes from floor(i n / m) to ceil((i + 1) n / m).

    Args:
        output_size: how many steps come out, or one number.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, OL, C); with channels_first (batch, C, OL), as `output_size` says.

    Raises:
        TypeError: for an output_size that is not an integer or one in a tuple.
        ValueError: for several in a tuple, one below 1, an unknown data_format, or an input of
            another rank.

    Example:
        >>> x = np.arange(5.0).reshape(1, 5, 1)
        >>> scratch.AdaptiveAveragePooling1D(3)(x).ravel().tolist()
        [0.5, 2.0, 3.5]
    """

    sample_by_sample = True
    takes_low_precision = True
    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The means of as many windows of an image as are to come out, channel by channel.

    Window i of m along an axis of size n goes from floor(i n / m) to ceil((i + 1) n / m).

    Args:
        output_size: (rows, columns) that come out, or one number for all.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, OH, OW, C); with channels_first (batch, C, OH, OW), as `output_size` says.

    Raises:
        TypeError: for an output_size that is not an integer or 2 of them.
        ValueError: for one below 1, an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(12.0).reshape(1, 3, 4, 1)
        >>> scratch.AdaptiveAveragePooling2D((2, 3))(x).ravel().tolist()
        [2.5, 3.5, 4.5, 6.5, 7.5, 8.5]
    """

    sample_by_sample = True
    takes_low_precision = True
    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The means of as many windows of a volume as are to come out, channel by channel.

    Window i of m along an axis of size n goes from floor(i n / m) to ceil((i + 1) n / m).

    Args:
        output_size: (planes, rows, columns) that come out, or one number for all.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, OD, OH, OW, C); with channels_first (batch, C, OD, OH, OW), as `output_size` says.

    Raises:
        TypeError: for an output_size that is not an integer or 3 of them.
        ValueError: for one below 1, an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(12.0).reshape(1, 2, 3, 2, 1)
        >>> scratch.AdaptiveAveragePooling3D((1, 2, 1))(x).ravel().tolist()
        [4.5, 6.5]
    """

    sample_by_sample = True
    rank = 3


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest numbers of as many windows of a sequence as are to come out, channel by channel.

    Window i of m along an axis of size n goes from floor(i n / m) to ceil((i + 1) n / m).
    Of numbers that tie along an axis the first gets the gradient.

    Args:
        output_size: how many steps come out, or one number.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, OL, C); with channels_first (batch, C, OL), as `output_size` says.

    Raises:
        TypeError: for an output_size that is not an integer or one in a tuple.
        ValueError: for several in a tuple, one below 1, an unknown data_format, or an input of
            another rank.

    Example:
        >>> x = np.arange(5.0).reshape(1, 5, 1)
        >>> scratch.AdaptiveMaxPooling1D(3)(x).ravel().tolist()
        [1.0, 3.0, 4.0]
    """

    sample_by_sample = True
    takes_low_precision = True
    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest numbers of as many windows of an image as are to come out, channel by channel.

    Window i of m along an axis of size n goes from floor(i n / m) to ceil((i + 1) n / m).
    Rows are pooled first, then columns: of numbers that tie in both, that in the first column, and
    there in the first row, gets the gradient.

    Args:
        output_size: (rows, columns) that come out, or one number for all.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, OH, OW, C); with channels_first (batch, C, OH, OW), as `output_size` says.

    Raises:
        TypeError: for an output_size that is not an integer or 2 of them.
        ValueError: for one below 1, an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(12.0).reshape(1, 3, 4, 1)
        >>> scratch.AdaptiveMaxPooling2D((2, 3))(x).ravel().tolist()
        [5.0, 6.0, 7.0, 9.0, 10.0, 11.0]
    """

    sample_by_sample = True
    takes_low_precision = True
    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest numbers of as many windows of a volume as are to come out, channel by channel.

    Window i of m along an axis of size n goes from floor(i n / m) to ceil((i + 1) n / m).
    Of numbers that tie along an axis each gets the gradient.

    Args:
        output_size: (planes, rows, columns) that come out, or one number for all.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, OD, OH, OW, C); with channels_first (batch, C, OD, OH, OW), as `output_size` says.

    Raises:
        TypeError: for an output_size that is not an integer or 3 of them.
        ValueError: for one below 1, an unknown data_format, or an input of another rank.

    Example:
        >>> x = np.arange(12.0).reshape(1, 2, 3, 2, 1)
        >>> scratch.AdaptiveMaxPooling3D((1, 2, 1))(x).ravel().tolist()
        [9.0, 11.0]
    """

    sample_by_sample = True
    rank = 3
    every_tie_wins = True
