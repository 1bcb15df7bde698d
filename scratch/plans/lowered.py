"""The matrix products of one convolution for batches of one size, in memory that stays the same.

The steps, their shapes and their names are those of `Lowering`, which says why they are so.
"""

from collections.abc import Callable

import numpy as np

from scratch.lowering import WINDOWS_FIRST, Lowering, is_finite, ones
from scratch.plans.workspace import Workspace


class PlannedLowering:
    """A `Lowering`'s products, planned.

    Args:
        lowering: the products.
        channels: C, of the image.
        samples: N, images in a batch.
        workspace: memory for what is needed only within one call.
        keeps_windows: whether the windows are still needed afterwards, for the kernel's gradient.

    Attributes:
        place: the image within its padding, (N, H, W, C): to be filled before `multiply`.
        output: the product, (N, OH, OW, F).
    """

    def __init__(self, lowering: Lowering, channels: int, samples: int, dtype,
                 workspace: Workspace, keeps_windows: bool):
        lowering = lowering.for_columns(lowering.rows.outputs * samples)
        self.lowering, self._workspace = lowering, workspace
        rows, columns, tile = lowering.rows, lowering.columns, lowering.tile
        self.filters = lowering.filters
        width, height = lowering.padded_shape
        # zeros around and between the pixels stay what they are
        padded = np.zeros((width, channels, height, samples), dtype)
        # (W, C, H, N) -> (N, H, W, C)
        self.place = padded[lowering.inside].transpose(3, 2, 0, 1)
        column, channel, row, image = padded.strides
        # (W', C, H', N) -> (W', kh, C, OH, N)
        self._shifted = np.ndarray((lowering.width, rows.kernel, channels, rows.outputs, samples),
                                   dtype, padded, strides=(column, row * rows.dilation, channel,
                                                           row * rows.stride, image))
        # a kernel of one row is moved nowhere: there the windows are those of the image itself
        self._copied = not self._shifted.flags.c_contiguous
        lowered = self._shifted
        if self._copied:
            new = np.empty if keeps_windows else workspace.array
            lowered = new(self._shifted.shape, dtype)
        self._lowered = lowered
        # not the array's own strides: an axis of length 1 may have any
        number = lowered.itemsize
        channel = rows.outputs * samples * number
        column = rows.kernel * channels * channel
        depth = lowering.window * rows.kernel * channels
        # (W', kh, C, OH, N) -> (tiles, w kh C, OH N)
        self._windows = np.ndarray((lowering.tiles, depth, rows.outputs * samples), dtype,
                                   lowered if self._copied else padded,
                                   strides=(lowering.step * column, channel, number))
        # (t F, w, kh, C), and in it a place (F, kw, kh, C) for each column of the tile
        band = np.zeros((tile * self.filters, lowering.window, rows.kernel, channels), dtype)
        self._band = band.reshape(len(band), -1)
        self._kernels = [band[place] for place in lowering.diagonal]
        self._joins = lowering.joins(self._band, self._windows)
        self._product = np.empty((lowering.tiles, tile * self.filters, rows.outputs * samples),
                                 dtype)
        # (tiles, t F, OH N) -> (tiles t, F, OH N)
        self._columns = self._product.reshape(lowering.tiles * tile, self.filters, -1)
        # (tiles t, F, OH N) -> (OW, F, OH, N) -> (N, OH, OW, F)
        self.output = self._columns[:columns.outputs].reshape(
            columns.outputs, self.filters, rows.outputs, samples).transpose(3, 2, 0, 1)

    def multiply(self, kernel: np.ndarray) -> None:
        """The image at `place` times a kernel (kh, kw, C, F), into `output`."""
        self.lower()
        self.multiply_lowered(kernel)

    def lower(self) -> None:
        """Lay out the windows of the image at `place`."""
        if self._copied:
            self._lowered[...] = self._shifted

    def multiply_lowered(self, kernel: np.ndarray) -> None:
        """The same product, of windows that are laid out."""
        # (kh, kw, C, F) -> (F, kw, kh, C)
        kernel_columns = kernel.transpose(3, 1, 0, 2)
        for place in self._kernels:
            place[...] = kernel_columns
        # (t F, w kh C) @ (tiles, w kh C, OH N) -> (tiles, t F, OH N)
        if self._joins:
            self._product[...] = self.lowering.product(self._band, self._windows)
        else:
            np.matmul(self._band, self._windows, out=self._product)
        if self.lowering.tile > 1 and not is_finite(self._product):
            self.lowering.multiply_by_column(self._windows, kernel, out=self._product)

    def plan_gradient(self) -> np.ndarray:
        """Make what the kernel's gradient is computed in; the place (N, OH, OW, F) of dz."""
        lowering = self.lowering
        outputs = lowering.columns.outputs
        # (tiles, t F, OH N), with zeros where the last tile is cut
        self._tiles = np.zeros_like(self._product)
        columns = self._tiles.reshape(self._columns.shape)[:outputs]
        _, _, channel, high, samples = self._lowered.shape
        left, right = self._tiles, self._windows
        if len(self._band) >= WINDOWS_FIRST:
            left, right = right, left
        # (tiles, t F, OH N) and (tiles, OH N, w kh C), or the other way round
        self._factors = left, right.transpose(0, 2, 1)
        shape = left.shape[1], right.shape[1]
        self._each = self._workspace.array((lowering.tiles, *shape), self._product.dtype)
        self._sum = np.empty(shape, self._product.dtype)
        band = self._sum if left is self._tiles else self._sum.T
        # (t F, w kh C) -> (t F, w, kh, C), and for each column of the tile its (F, kw, kh, C)
        banded = band.reshape(len(band), lowering.window, lowering.rows.kernel, channel)
        self._shares = [banded[place] for place in lowering.diagonal]
        # (OW, F, OH N) -> (N, OH, OW, F)
        return columns.reshape(outputs, self.filters, high, samples).transpose(3, 2, 0, 1)

    def kernel_gradient(self, out: np.ndarray) -> None:
        """The gradient of the kernel, (kh, kw, C, F), for that of the output."""
        # (tiles, t F, OH N) @ (tiles, OH N, w kh C) -> (tiles, t F, w kh C) -> (t F, w kh C)
        np.matmul(*self._factors, out=self._each)
        np.add.reduce(self._each, axis=0, out=self._sum)
        # (kh, kw, C, F) -> (F, kw, kh, C)
        gradient = out.transpose(3, 1, 0, 2)
        add_up(self._shares, gradient)
        lowering = self.lowering
        if lowering.tiles * lowering.tile > lowering.columns.outputs and not is_finite(gradient):
            gradient[...] = lowering.kernel_gradient_by_column(
                self._windows, self._tiles).reshape(gradient.shape)


def add_up(shares: list[np.ndarray], out: np.ndarray) -> None:
    """The sum of some arrays, from the first to the last."""
    first, *others = shares
    if not others:
        out[...] = first
    for share in others:
        np.add(first, share, out=out)
        first = out


def plan_bias_gradient(dz: np.ndarray) -> Callable[[np.ndarray], None]:
    """What writes the sum of dz (N, OH, OW, F) for each filter into an array (F,).

    Args:
        dz: where the gradient of the output will be.
    """
    n, rows, columns, filters = dz.shape
    # (N, OH, OW, F) -> (OW, F, OH, N) -> (OW F, OH N): a view, if it lies so in memory
    in_order = dz.transpose(2, 3, 1, 0)
    contiguous = in_order.flags.c_contiguous
    flat = in_order.reshape(columns * filters, rows * n) if contiguous else None
    summing, sums = ones(rows * n, dz.dtype), np.empty(columns * filters, dz.dtype)
    by_column = sums.reshape(columns, filters)

    def write(out: np.ndarray) -> None:
        matrix = in_order.reshape(columns * filters, rows * n) if flat is None else flat
        # (OW F, OH N) @ (OH N,) -> (OW F,) -> (F,)
        np.dot(matrix, summing, out=sums)
        np.add.reduce(by_column, axis=0, out=out)

    return write
