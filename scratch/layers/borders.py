"""Borders of zeros put around sequences, images and volumes, and borders cut off."""

import numbers

import numpy as np

from scratch.layers.arguments import not_negative, pair
from scratch.layers.base import Layer
from scratch.layers.data_format import data_format_name, sizes_and_channels


class Border(Layer):
    """Base of layers with a border: `rank` spatial axes, (before, after) for each of them.

    A subclass keeps its border under `argument`, the name that Keras has for it.
    """

    rank: int
    argument: str

    def __init__(self, border, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, self)
        self.first = 1 if self.data_format == "channels_last" else 2  # the first spatial axis
        self.border = border_widths(border, self.rank, self.argument, self)

    def widths(self, rank: int) -> list[tuple[int, int]]:
        """(before, after) for every axis of the input, the batch and the channels included."""
        widths = [(0, 0)] * rank
        widths[self.first:self.first + self.rank] = self.border
        return widths

    def inside(self, shape) -> tuple[slice, ...]:
        """What the border surrounds, in an array of this shape."""
        return tuple(slice(before, size - after)
                     for size, (before, after) in zip(shape, self.widths(len(shape))))

    def with_zeros(self, x: np.ndarray) -> np.ndarray:
        """x with its border of zeros, in the memory order of x."""
        # (N, H, W, C) -> (N, top + H + bottom, left + W + right, C)
        shape = [size + sum(widths) for size, widths in zip(x.shape, self.widths(x.ndim))]
        padded = np.zeros_like(x, shape=shape)
        padded[self.inside(shape)] = x
        return padded

    def get_config(self):
        border = self.border[0] if self.rank == 1 else self.border
        return {**super().get_config(), self.argument: border, "data_format": self.data_format}


class ZeroPadding(Border):
    """Zeros around the spatial axes."""

    argument = "padding"

    def compute_output_shape(self, input_shape):
        sizes_and_channels(input_shape, self.rank, self.data_format, self)
        sizes = [size + sum(widths) for size, widths in
                 zip(input_shape[1:], self.widths(len(input_shape))[1:])]
        return (input_shape[0], *sizes)

    def forward(self, x, training=False):
        return self.with_zeros(x)

    def backward(self, dy, wants_input_gradient=True):
        # (N, top + H + bottom, left + W + right, C) -> (N, H, W, C)
        return dy[self.inside(dy.shape)]


class Cropping(Border):
    """The spatial axes without what lies at their ends."""

    argument = "cropping"

    def compute_output_shape(self, input_shape):
        sizes_and_channels(input_shape, self.rank, self.data_format, self)
        sizes = [size - sum(widths) for size, widths in
                 zip(input_shape[1:], self.widths(len(input_shape))[1:])]
        if min(sizes) < 1:
            raise ValueError(f"{self}: expected to crop less than the input's size. Received: "
                             f"cropping={self.border}, input_shape={tuple(input_shape)}")
        return (input_shape[0], *sizes)

    def forward(self, x, training=False):
        # (N, H, W, C) -> (N, H - top - bottom, W - left - right, C)
        return x[self.inside(x.shape)]

    def backward(self, dy, wants_input_gradient=True):
        return self.with_zeros(dy)


class ZeroPadding1D(ZeroPadding):
    """Zeros before and after the steps.

    Args:
        padding: zeros at either end, or (left, right).
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, left + L + right, C); with channels_first (batch, C, left + L + right).

    Raises:
        ValueError: for numbers below zero.

    Example:
        >>> layer = scratch.ZeroPadding1D((1, 2))
        >>> layer(np.ones((1, 2, 1))).ravel().tolist()
        [0.0, 1.0, 1.0, 0.0, 0.0]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 1

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(ZeroPadding):
    """Zeros around images.

    Args:
        padding: one number, (rows at either end, columns at either end), or
            ((top, bottom), (left, right)).
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, top + H + bottom, left + W + right, C); with channels_first the channels come before
        the two.

    Raises:
        ValueError: for numbers below zero.

    Example:
        >>> layer = scratch.ZeroPadding2D(((1, 0), (0, 2)))
        >>> layer(np.ones((1, 1, 2, 1)))[0, :, :, 0].tolist()
        [[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 2

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes.

    Args:
        padding: one number, (planes, rows, columns) at either end, or
            ((front, back), (top, bottom), (left, right)).
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, front + D + back, top + H + bottom, left + W + right, C); with channels_first the
        channels come before the three.

    Raises:
        ValueError: for numbers below zero.

    Example:
        >>> layer = scratch.ZeroPadding3D(((1, 0), (0, 0), (0, 2)))
        >>> layer(np.ones((1, 1, 1, 2, 1)))[0, ..., 0].tolist()
        [[[0.0, 0.0, 0.0, 0.0]], [[1.0, 1.0, 0.0, 0.0]]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 3

    def __init__(self, padding=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class Cropping1D(Cropping):
    """The steps without the first and the last.

    Args:
        cropping: how many at either end, or (left, right).
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C).

    Output shape:
        (batch, L - left - right, C).

    Raises:
        ValueError: if nothing of the input would be left, and for numbers below zero.

    Example:
        >>> layer = scratch.Cropping1D((1, 2))
        >>> layer(np.arange(5.0).reshape(1, 5, 1)).ravel().tolist()
        [1.0, 2.0]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, **kwargs)

    def get_config(self):
        config = super().get_config()
        del config["data_format"]  # Keras's has none
        return config


class Cropping2D(Cropping):
    """Images without their borders.

    Args:
        cropping: one number, (rows at either end, columns at either end), or
            ((top, bottom), (left, right)).
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, H - top - bottom, W - left - right, C); with channels_first the channels come before
        the two.

    Raises:
        ValueError: if nothing of the input would be left, and for numbers below zero.

    Example:
        >>> layer = scratch.Cropping2D(((1, 0), (0, 2)))
        >>> layer(np.arange(6.0).reshape(1, 2, 3, 1))[0, :, :, 0].tolist()
        [[3.0]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """Volumes without their borders.

    Args:
        cropping: one number, (planes, rows, columns) at either end, or
            ((front, back), (top, bottom), (left, right)).
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, D - front - back, H - top - bottom, W - left - right, C); with channels_first the
        channels come before the three.

    Raises:
        ValueError: if nothing of the input would be left, and for numbers below zero.

    Example:
        >>> layer = scratch.Cropping3D(((1, 0), (0, 0), (0, 2)))
        >>> layer(np.arange(12.0).reshape(1, 2, 2, 3, 1))[0, ..., 0].tolist()
        [[[6.0], [9.0]]]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


FORMS = {2: ("(rows, columns)", "((top, bottom), (left, right))"),
         3: ("(planes, rows, columns)", "((front, back), (top, bottom), (left, right))")}


def border_widths(value, rank: int, name: str, owner) -> tuple[tuple[int, int], ...]:
    """(before, after) for each spatial axis, from any of the forms that Keras takes."""
    if rank == 1:
        return (pair(value, name, owner, not_negative),)
    values = (value,) * rank if isinstance(value, numbers.Integral) else value
    if not isinstance(values, (tuple, list)) or len(values) != rank:
        each, both = FORMS[rank]
        raise ValueError(f"{owner}: expected {name} to be an integer, a tuple of {rank} integers "
                         f"{each}, or a tuple of {rank} tuples {both}. "
                         f"Received: {name}={value!r}")
    return tuple(pair(widths, name, owner, not_negative) for widths in values)
