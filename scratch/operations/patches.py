"""Pixels and channels into one another: keras.ops.depth_to_space, space_to_depth, and
keras.ops.image.extract_patches."""

import numbers

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.arguments import pair
from scratch.layers.data_format import data_format_name
from scratch.operations.operation import Operation


class Blocks(Operation):
    """Base: images between (H, W) pixels and blocks of `block_size` rows and columns.

    Args:
        block_size: of a block's sides, an integer above 1.
        data_format: 'channels_last' or 'channels_first'; None for the first.
        operands, name: see `Operation`.
    """

    module = "keras.src.ops.nn"

    def __init__(self, block_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(block_size, bool) or not isinstance(block_size, numbers.Integral) \
                or block_size < 2:
            raise ValueError(f"{self}: expected block_size to be an integer above 1. "
                             f"Received: block_size={block_size!r}")
        self.block_size = int(block_size)
        self.data_format = data_format_name(data_format, self)

    def _image(self, shape: tuple) -> tuple:
        """A shape with its channels last."""
        if len(shape) != 4:
            raise ValueError(f"{self}: expected images, of 4 axes. Received: {tuple(shape)}")
        return tuple(shape) if self.data_format == "channels_last" else (
            shape[0], *shape[2:], shape[1])

    def _given(self, shape: tuple) -> tuple:
        """The inverse of `_image`."""
        return shape if self.data_format == "channels_last" else (shape[0], shape[3], *shape[1:3])

    def compute_output_shape(self, input_shape):
        return self._given(self.changed(*self._image(tuple(input_shape))))

    def changed(self, n, height, width, channels) -> tuple:
        """The shape of what comes of images of that shape, channels last."""
        raise NotImplementedError

    def spread(self, x):
        """Channels of a pixel become the pixels of a block."""
        first = self.data_format == "channels_first"
        x = np.moveaxis(x, 1, -1) if first else x
        n, h, w, c = x.shape
        b = self.block_size
        # (N, H, W, b b C) -> (N, H, W, b, b, C) -> (N, H, b, W, b, C) -> (N, b H, b W, C)
        y = x.reshape(n, h, w, b, b, c // b**2).transpose(0, 1, 3, 2, 4, 5)
        y = y.reshape(n, h * b, w * b, c // b**2)
        return np.moveaxis(y, -1, 1) if first else y

    def gathered(self, y):
        """The inverse of `spread`."""
        first = self.data_format == "channels_first"
        y = np.moveaxis(y, 1, -1) if first else y
        n, h, w, c = y.shape
        b = self.block_size
        # (N, b H, b W, C) -> (N, H, b, W, b, C) -> (N, H, W, b, b, C) -> (N, H, W, b b C)
        x = y.reshape(n, h // b, b, w // b, b, c).transpose(0, 1, 3, 2, 4, 5)
        x = x.reshape(n, h // b, w // b, b * b * c)
        return np.moveaxis(x, -1, 1) if first else x

    def get_config(self):
        return {**super().get_config(), "block_size": self.block_size,
                "data_format": self.data_format}


class DepthToSpaceOperation(Blocks):
    """Each pixel's channels become a block of pixels, row by row, with fewer channels.

    Raises:
        ValueError: for channels that are no multiple of a block's pixels. See also `Blocks`.
    """

    sample_by_sample = True

    def changed(self, n, height, width, channels):
        if channels % self.block_size**2:
            raise ValueError(f"{self}: expected channels that are a multiple of block_size^2, "
                             f"{self.block_size**2}. Received: {channels}")
        return (n, height * self.block_size, width * self.block_size,
                channels // self.block_size**2)

    def forward(self, x, training=False):
        return self.spread(x)

    def backward(self, dy, wants_input_gradient=True):
        return self.gathered(dy) if wants_input_gradient else None


class SpaceToDepthOperation(Blocks):
    """Each block of pixels becomes one pixel of as many times the channels.

    Raises:
        ValueError: for images whose sides are no multiples of a block's. See also `Blocks`.
    """

    sample_by_sample = True

    def changed(self, n, height, width, channels):
        if height % self.block_size or width % self.block_size:
            raise ValueError(f"{self}: expected sides that are multiples of block_size, "
                             f"{self.block_size}. Received: {height} by {width}")
        return (n, height // self.block_size, width // self.block_size,
                channels * self.block_size**2)

    def forward(self, x, training=False):
        return self.gathered(x)

    def backward(self, dy, wants_input_gradient=True):
        return self.spread(dy) if wants_input_gradient else None


class ExtractPatchesOperation(Operation):
    """At each place of a grid the pixels of a patch, row by row, one behind the other as channels.

    Args:
        size: of a patch, one number or (rows, columns).
        strides: from one patch to the next; None for `size`.
        dilation_rate: 1; no other is supported.
        padding: 'valid'; no other is supported.
        data_format: 'channels_last' or None; no other is supported.
        operands, name: see `Operation`.

    Raises:
        ValueError: for images smaller than a patch, or of another rank.
        UnsupportedError: for another setting.
    """

    module = "keras.src.ops.image"
    sample_by_sample = True

    def __init__(self, size, strides=None, dilation_rate=1, padding="valid", data_format=None,
                 **kwargs):
        super().__init__(**kwargs)
        settings = {"dilation_rate": (dilation_rate, (1, [1, 1], (1, 1))),
                    "padding": (padding, ("valid",)),
                    "data_format": (data_format, (None, "channels_last"))}
        for name, (value, known) in settings.items():
            if value not in known:
                raise UnsupportedError(f"{self} does not support {name}={value!r}. "
                                       f"Expected: {known[-1]!r}.")
        if isinstance(size, (list, tuple)) and len(size) == 3:
            raise UnsupportedError(f"{self} does not support patches of volumes, size={size}. "
                                   "Expected: (rows, columns).")
        self.size = pair(size, "size", self)
        self.strides = pair(size if strides is None else strides, "strides", self)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 4 or any(n < k for n, k in zip(input_shape[1:3], self.size)):
            raise ValueError(f"{self}: expected images, of 4 axes, no smaller than a patch of "
                             f"{self.size}. Received: {tuple(input_shape)}")
        n, *sides, channels = input_shape
        return (n, *((side - k) // stride + 1
                     for side, k, stride in zip(sides, self.size, self.strides)),
                channels * self.size[0] * self.size[1])

    def _at(self, i, j, rows, columns):
        """Where the pixels (i, j) of all patches are in the images."""
        return (slice(None), slice(i, i + (rows - 1) * self.strides[0] + 1, self.strides[0]),
                slice(j, j + (columns - 1) * self.strides[1] + 1, self.strides[1]))

    def forward(self, x, training=False):
        self._shape = x.shape
        n, rows, columns, _ = self.compute_output_shape(x.shape)
        y = np.empty((n, rows, columns, *self.size, x.shape[3]), x.dtype)
        for i, j in np.ndindex(*self.size):
            y[:, :, :, i, j] = x[self._at(i, j, rows, columns)]
        # (N, rows, columns, kh, kw, C) -> (N, rows, columns, kh kw C)
        return y.reshape(n, rows, columns, -1)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        n, rows, columns, _ = dy.shape
        patches = dy.reshape(n, rows, columns, *self.size, self._shape[3])
        dx = np.zeros(self._shape, dy.dtype)
        for i, j in np.ndindex(*self.size):
            dx[self._at(i, j, rows, columns)] += patches[:, :, :, i, j]
        return dx

    def get_config(self):
        return {**super().get_config(), "size": list(self.size), "strides": list(self.strides),
                "dilation_rate": 1, "padding": "valid", "data_format": "channels_last"}
