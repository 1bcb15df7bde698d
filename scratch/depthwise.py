"""The products of a depthwise convolution, in which channels do not mix.

Channel by channel they are those of `lowering.py`: windows of the image, copied along one axis
only, times a banded kernel that gives a tile of several output columns at once. All channels'
products are one call:

        banded kernels                  windows                         output tiles
    (C, 1, t M, w kh)      @      (C, tiles, w kh, OH N)     =     (C, tiles, t M, OH N)

One after the other the kernel's pixels could be multiplied with the whole image and added up, which
wastes nothing; but that takes a call or two for each of them, and three times as long (measured).
On the way back M gradients of each channel come together in one, so that a window then has the rows
of all M.
"""

from functools import reduce

import numpy as np

from scratch import blas
from scratch.lowering import is_finite
from scratch.windows import Windows

# Output columns at once (measured). Of one, NumPy makes matrices times vectors, which is quicker
# unless BLAS has kernels for thin products; tiles wider than these waste more than they gain.
TILE = 4 if blas.THIN_PRODUCTS else 1


class ChannelProducts:
    """Products that go over windows and `inner` images of a channel, for each of `outer` outputs.

    Args:
        windows: the walk over the images.
        inner, outer: how many of a channel's images come in, and go out.
    """

    def __init__(self, windows: Windows, inner: int, outer: int):
        self.rows, self.columns = windows
        self.inner, self.outer = inner, outer
        self.dilated = self.columns.dilation > 1 and self.columns.kernel > 1
        tile = 1 if self.dilated else max(1, TILE // outer)
        self.tile = min(tile, self.columns.outputs)
        self.tiles = -(-self.columns.outputs // self.tile)
        kernel, stride = self.columns.kernel, self.columns.stride
        # columns of a window, and from one tile's window to the next one's
        self.window = (self.tile - 1) * stride + kernel
        self.step = self.tile * (kernel if self.dilated else stride)
        self.width = (self.tiles - 1) * self.step + self.window
        self.depth = self.window * inner * self.rows.kernel
        # where the band (C, t, outer, w, inner, kh) holds its t kernels
        self.diagonal = [(slice(None), s, slice(None), slice(s * stride, s * stride + kernel))
                         for s in range(self.tile)]
        width = self.columns.padded if self.dilated else max(self.width, self.columns.padded)
        self.padded_shape = (width, self.rows.padded)
        self.inside = (self.columns.pixels, slice(None), self.rows.pixels)

    def pad(self, x: np.ndarray) -> np.ndarray:
        """x (N, H, W, C inner), in any memory order -> (W', C inner, H', N), with zeros around."""
        width, height = self.padded_shape
        padded = np.zeros((width, x.shape[3], height, x.shape[0]), x.dtype)
        # (N, H, W, C inner) -> (W, C inner, H, N), and zeros around and between
        padded[self.inside] = x.transpose(2, 3, 1, 0)
        return padded

    def lower(self, padded: np.ndarray) -> np.ndarray:
        """(W', C inner, H', N) -> the tiles' windows (C, tiles, w inner kh, OH N)."""
        channels, n, dtype = padded.shape[1] // self.inner, padded.shape[3], padded.dtype
        column, image, row, number = padded.strides
        shape: tuple[int, ...] = (channels, self.width, self.inner, self.rows.kernel,
                                  self.rows.outputs, n)
        strides: tuple[int, ...] = (self.inner * image, column, image, row * self.rows.dilation,
                                    row * self.rows.stride, number)
        if self.dilated:  # each window has columns of its own
            shape = (channels, self.tiles, self.window, *shape[2:])
            strides = (strides[0], column * self.columns.stride, column * self.columns.dilation,
                       *strides[2:])
        # (W', C inner, H', N) -> (C, W', inner, kh, OH, N), or (C, OW, kw, inner, kh, OH, N)
        lowered = np.ndarray(shape, dtype, padded, strides=strides).copy()
        long = self.rows.outputs * n * dtype.itemsize  # from row to row of a window
        high = self.inner * self.rows.kernel * long  # from column to column
        # (C, W', inner, kh, OH, N) -> (C, tiles, w inner kh, OH N), in which windows overlap
        return np.ndarray((channels, self.tiles, self.depth, self.rows.outputs * n), dtype, lowered,
                          strides=(lowered.strides[0], self.step * high, long, dtype.itemsize))

    def multiply(self, windows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """windows as lowered, kernel (kh, kw, C, inner, outer) -> output (N, OH, OW, C outer)."""
        channels, outputs = len(windows), self.rows.outputs
        # (kh, kw, C, inner, outer) -> (C, outer, kw, inner, kh)
        kernels = kernel.transpose(2, 4, 1, 3, 0)
        band = np.zeros((channels, self.tile, self.outer, self.window, *kernels.shape[3:]),
                        kernel.dtype)
        for place in self.diagonal:
            band[place] = kernels
        # (C, 1, t outer, w inner kh) @ (C, tiles, w inner kh, OH N) -> (C, tiles, t outer, OH N)
        product = band.reshape(channels, 1, self.tile * self.outer, self.depth) @ windows
        if self.tile > 1 and not is_finite(product):
            self.multiply_by_column(windows, kernels, out=product)
        # (C, tiles, t outer, OH N) -> (C, OW, outer, OH, N)
        product = product.reshape(channels, self.tiles * self.tile, self.outer, outputs,
                                  -1)[:, :self.columns.outputs]
        # (C, OW, outer, OH, N) -> (OW, C, outer, OH, N) -> (OW, C outer, OH, N)
        product = np.ascontiguousarray(product.transpose(1, 0, 2, 3, 4)).reshape(
            self.columns.outputs, channels * self.outer, outputs, -1)
        # (OW, C outer, OH, N) -> (N, OH, OW, C outer)
        return product.transpose(3, 2, 0, 1)

    def kernel_gradient(self, windows: np.ndarray, dz: np.ndarray) -> np.ndarray:
        """windows as lowered, dz (N, OH, OW, C outer) -> gradient (kh, kw, C, inner, outer)."""
        n, rows, columns, _ = dz.shape
        channels = len(windows)
        # (C, tiles t, outer, OH, N), with zeros where the last tile is cut
        tiles = np.zeros((channels, self.tiles * self.tile, self.outer, rows, n), dz.dtype)
        # (N, OH, OW, C outer) -> (OW, C, outer, OH, N) -> (C, OW, outer, OH, N)
        tiles[:, :columns] = dz.transpose(2, 3, 1, 0).reshape(
            columns, channels, self.outer, rows, n).transpose(1, 0, 2, 3, 4)
        tiles = tiles.reshape(channels, self.tiles, self.tile * self.outer, rows * n)
        # (C, tiles, t outer, OH N) @ (C, tiles, OH N, w inner kh) -> (C, t outer, w inner kh)
        band = np.add.reduce(tiles @ windows.swapaxes(2, 3), axis=1)
        band = band.reshape(channels, self.tile, self.outer, self.window, self.inner, -1)
        # t blocks (C, outer, kw, inner, kh) along the band's diagonal
        gradient = reduce(np.add, [band[place] for place in self.diagonal])
        if self.tiles * self.tile > columns and not is_finite(gradient):
            gradient = self.kernel_gradient_by_column(windows, tiles).reshape(gradient.shape)
        # (C, outer, kw, inner, kh) -> (kh, kw, C, inner, outer)
        return gradient.transpose(4, 2, 0, 3, 1)

    # The same without the band's zeros, as in `Lowering`: for numbers that are not finite.

    def _by_column(self, windows: np.ndarray, tiles: np.ndarray):
        """For each column of the tile: (its windows, its part of the tiles), where it is output."""
        high = self.depth // self.window
        for s in range(self.tile):
            count = len(range(s, self.columns.outputs, self.tile))
            start = s * self.columns.stride * high
            # (C, tiles, w inner kh, OH N) -> (C, count, kw inner kh, OH N), and
            # (C, tiles, t outer, OH N) -> (C, count, outer, OH N)
            yield (windows[:, :count, start:start + self.columns.kernel * high],
                   tiles[:, :count, s * self.outer:(s + 1) * self.outer])

    def multiply_by_column(self, windows, kernels, out) -> None:
        """The band's product into `out` (C, tiles, t outer, OH N)."""
        # (C, outer, kw, inner, kh) -> (C, 1, outer, kw inner kh)
        matrices = kernels.reshape(len(kernels), 1, self.outer, -1)
        for window, column in self._by_column(windows, out):
            column[...] = matrices @ window

    def kernel_gradient_by_column(self, windows, tiles) -> np.ndarray:
        """The gradient (C, outer, kw inner kh) for tiles of dz."""
        return sum(np.add.reduce(column @ window.swapaxes(2, 3), axis=1)
                   for window, column in self._by_column(windows, tiles))


class Depthwise:
    """The products of one depthwise convolution.

    Args:
        windows: the walk over the image.
        multiplier: M, how many outputs there are for each channel.
    """

    def __init__(self, windows: Windows, multiplier: int):
        self.forth = ChannelProducts(windows, 1, multiplier)
        self.back = ChannelProducts(windows.reversed(), multiplier, 1)
        self.pad = self.forth.pad

    def multiply(self, padded: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """padded (W', C, H', N), kernel (kh, kw, C, M) -> output (N, OH, OW, C M), a new array."""
        return self.forth.multiply(self.forth.lower(padded), kernel[:, :, :, np.newaxis])

    def kernel_gradient(self, padded: np.ndarray, dz: np.ndarray) -> np.ndarray:
        """padded (W', C, H', N), dz (N, OH, OW, C M) -> gradient (kh, kw, C, M)."""
        return self.forth.kernel_gradient(self.forth.lower(padded), dz)[:, :, :, 0]

    def input_gradient(self, dz: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """dz (N, OH, OW, C M), kernel (kh, kw, C, M) -> gradient (N, H, W, C)."""
        turned = kernel[::-1, ::-1, :, :, np.newaxis]
        return self.back.multiply(self.back.lower(self.back.pad(dz)), turned)
