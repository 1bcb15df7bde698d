"""Sequences, images and volumes made larger: by repeating every pixel, images by interpolation too.
"""

import numbers
from functools import cached_property, reduce

import numpy as np

from scratch.interpolation import KERNELS, Taps, interpolation_matrix
from scratch.layers.arguments import one_per_axis, pair
from scratch.layers.base import Layer
from scratch.layers.data_format import data_format_name, sizes_and_channels

INTERPOLATIONS = ("nearest", *KERNELS)


class UpSampling(Layer):
    """Base of the up-samplings: `factors` of the `rank` spatial axes, from axis `first` on."""

    rank: int
    data_format = "channels_last"

    @property
    def first(self) -> int:
        return 1 if self.data_format == "channels_last" else 2

    def compute_output_shape(self, input_shape):
        sizes_and_channels(input_shape, self.rank, self.data_format, self)
        shape = list(input_shape)
        for axis, factor in enumerate(self.factors, start=self.first):
            shape[axis] *= factor
        return tuple(shape)

    def forward(self, x, training=False):
        # (N, H, W, C) -> (N, rows H, W, C) -> (N, rows H, columns W, C)
        for axis, factor in enumerate(self.factors, start=self.first):
            x = repeat(x, factor, axis)
        return x

    def backward(self, dy, wants_input_gradient=True):
        # (N, rows H, columns W, C) -> (N, rows H, W, C) -> (N, H, W, C): copies add up
        for axis, factor in reversed(list(enumerate(self.factors, start=self.first))):
            dy = reduce(np.add, [dy[copies] for copies in each_copy(factor, axis)])
        return dy


class UpSampling1D(UpSampling):
    """Every step several times in a row.

    Args:
        size: how many times.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C).

    Output shape:
        (batch, size * L, C).

    Raises:
        TypeError: if size is no integer.
        ValueError: if it is below 1.

    Example:
        >>> scratch.UpSampling1D(2)([[[1.0], [5.0]]]).tolist()
        [[[1.0], [1.0], [5.0], [5.0]]]
    """

    sample_by_sample = True
    takes_low_precision = True
    rank = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        if isinstance(size, bool) or not isinstance(size, numbers.Integral):
            raise TypeError(f"{self}: expected size to be an integer. Received: size={size!r} of "
                            f"type {type(size).__name__}")
        if size < 1:
            raise ValueError(f"{self}: expected size to be a positive integer. "
                             f"Received: size={size}")
        self.size = int(size)
        self.factors = (self.size,)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class UpSampling2D(UpSampling):
    """Every pixel repeated along rows and columns, or others interpolated between them.

    Args:
        size: (rows, columns), or one number for both.
        data_format: 'channels_last', the default, or 'channels_first'.
        interpolation: 'nearest', which repeats pixels, or 'bilinear', 'bicubic', 'lanczos3' or
            'lanczos5': see `scratch.interpolation`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, H, W, C); with channels_first (batch, C, H, W).

    Output shape:
        (batch, rows * H, columns * W, C); with channels_first (batch, C, rows * H, columns * W).

    Raises:
        ValueError: for a size below 1, or another interpolation.

    Example:
        >>> x = np.array([[1.0, 5.0]]).reshape(1, 1, 2, 1)
        >>> scratch.UpSampling2D((2, 3))(x)[0, :, :, 0].tolist()
        [[1.0, 1.0, 1.0, 5.0, 5.0, 5.0], [1.0, 1.0, 1.0, 5.0, 5.0, 5.0]]
        >>> scratch.UpSampling2D((1, 2), interpolation="bilinear")(x).ravel().tolist()
        [1.0, 2.0, 4.0, 5.0]
    """

    sample_by_sample = True
    takes_low_precision = True
    rank = 2

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, self)
        self.size = self.factors = pair(size, "size", self)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"{self}: expected interpolation to be one of "
                             f"{', '.join(INTERPOLATIONS)}. "
                             f"Received: interpolation={interpolation!r}")
        self.take_policy(self.policy)

    def take_policy(self, policy):
        self.require_linear(vars(self).get("interpolation", "nearest"), policy)
        super().take_policy(policy)

    @cached_property
    def taps(self) -> tuple[list[Taps], list[Taps]]:
        """(forth, back), each for rows and columns. Made for the first image: a file may ask for
        any size."""
        sizes = self.input_shape[self.first:self.first + self.rank]
        matrices = [interpolation_matrix(size, factor, self.interpolation)
                    for size, factor in zip(sizes, self.factors)]
        return ([Taps(matrix, self.dtype) for matrix in matrices],
                [Taps(matrix.T, self.dtype) for matrix in matrices])

    def forward(self, x, training=False):
        if self.interpolation == "nearest":
            return super().forward(x, training)
        # (N, H, W, C) -> (N, H, columns W, C) -> (N, rows H, columns W, C)
        return self._along_both(self.taps[0], x)

    def backward(self, dy, wants_input_gradient=True):
        if self.interpolation == "nearest":
            return super().backward(dy, wants_input_gradient)
        # (N, rows H, columns W, C) -> (N, rows H, W, C) -> (N, H, W, C)
        return self._along_both(self.taps[1], dy) if wants_input_gradient else None

    def _along_both(self, taps, array):
        for i in (1, 0):
            array = taps[i].apply(array, self.first + i)
        return array

    def get_config(self):
        return {**super().get_config(), "size": self.size, "data_format": self.data_format,
                "interpolation": self.interpolation}


class UpSampling3D(UpSampling):
    """Every voxel repeated along planes, rows and columns.

    Args:
        size: (planes, rows, columns), or one number for all.
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, planes * D, rows * H, columns * W, C); with channels_first the channels come before
        the three.

    Raises:
        ValueError: for a size below 1.

    Example:
        >>> x = np.array([1.0, 5.0]).reshape(1, 1, 1, 2, 1)
        >>> scratch.UpSampling3D((2, 1, 2))(x)[0, ..., 0].tolist()
        [[[1.0, 1.0, 5.0, 5.0]], [[1.0, 1.0, 5.0, 5.0]]]
    """

    sample_by_sample = True
    takes_low_precision = True
    rank = 3

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, self)
        self.size = self.factors = one_per_axis(size, self.rank, "size", self)

    def get_config(self):
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}


def each_copy(factor: int, axis: int):
    """Where along an axis the first, second, ... copies of all pixels lie."""
    return [((slice(None),) * axis + (slice(k, None, factor),)) for k in range(factor)]


def repeat(x: np.ndarray, factor: int, axis: int) -> np.ndarray:
    """Every entry along the axis `factor` times in a row; in the memory order of x."""
    if factor == 1:
        return x
    # (..., n, ...) -> (..., factor n, ...)
    shape = list(x.shape)
    shape[axis] *= factor
    repeated = np.empty_like(x, shape=shape)
    for copies in each_copy(factor, axis):
        repeated[copies] = x
    return repeated
