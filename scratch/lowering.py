r"""Convolution as matrix products: the one clever place, and the reason why this network is fast.

A convolution multiplies every window of an image by the same small kernel. BLAS multiplies large
matrices several times faster than anything else NumPy has, so the windows are laid out as a matrix
("lowered"). Three choices make that cheap.

1. A long axis innermost. Images come as (N, H, W, C), whose innermost axis may have a length of 1
   or 6, far too short for BLAS or for a loop of NumPy's. Here memory is ordered (W, C, H, N): an
   image column of all rows of all images is one run of H * N numbers. Results are handed out as
   (N, H, W, C) views of such memory. NumPy's element-wise operations keep the order of their
   inputs, so it flows from layer to layer by itself, and an input in any other order is welcome.

2. Lowering along one axis only. Each image column is copied kh times, shifted by one row each
   time; the windows' columns need no copy, because they are neighbours in memory already:

        lowered (W', kh, C, OH * N)     lowered[x, i, c, (y, n)] = padded[n, y * sh + i, x, c]

              x = 0   +--------------------+ \
                      |  kh * C rows of    |  |
                  1   |  OH * N numbers    |  | window of tile 0: w columns, a plain matrix
                      +--------------------+  | of w * kh * C rows, without copying
                  2   |                    |  | \
                      +--------------------+ /   |
                  3   |                    |     | window of tile 1
                      +--------------------+     |

   The columns of a dilated window are no neighbours. They are copied as well, each window has its
   own, and a tile is a single output column.

3. Several output columns at once. With six filters a product is too thin for BLAS: it would spend
   its time on reading the window. A tile of t neighbouring output columns shares one window, of
   w = (t - 1) * sw + kw columns, and meets a kernel repeated t times, each time sw columns on:

          banded kernel                       window                    output tile
        (t * F, w * kh * C)        @     (w * kh * C, OH * N)    =     (t * F, OH * N)

        column 0  k0 k1 k2  .  .
        column 1   . k0 k1 k2  .         (kw = 3, sw = 1, t = 3, w = 5; each k stands for the
        column 2   .  . k0 k1 k2          kernel's column j, a block of F by kh * C)

   The zeros cost (w / (t * kw) - 1) of the work; the wider product is worth more, up to a point.
   Where BLAS has kernels for thin products a tile is a single column, but for few images.
   The zeros also meet pixels that a column never sees, and 0 * inf is NaN. A product that is not
   finite is therefore made again without the band, column by column of the tile.

The way back is made of the same parts. The kernel's gradient is output-gradient tile times window,
transposed, summed over the tiles and along the band. The input's gradient is itself a convolution:
of the output's gradient, its pixels spread by the strides, with the kernel turned by 180 degrees.
"""

import math
from functools import cached_property, lru_cache, reduce

import numpy as np

from scratch import blas
from scratch.windows import Windows

# Measured, with OpenBLAS 0.3.31, in output rows, t * F, and output columns, OH * N, of a product.
FULL_TILE = 12  # rows from which on it is wide enough where BLAS has no kernels for thin ones
FEW_COLUMNS = 48  # below so many they do not help
WINDOWS_FIRST = 16  # rows from which on windows are the left factor of a kernel's gradient
# Columns below which, and numbers of a band from which on, one product for all tiles, with copies
# before and after, is quicker than one for each.
JOINED_COLUMNS, JOINED_BAND = 32, 2**17


def tile_columns(outputs: int, filters: int) -> int:
    """How many of a row's `outputs` columns to compute at once."""
    return min(math.ceil(FULL_TILE / filters), outputs)


class Lowering:
    """The matrix products of one convolution.

    Args:
        windows: the walk over the image.
        filters: F, the channels of the output.
        tile: t, output columns computed at once; by default chosen from the shapes and by what
            BLAS is quick in. Always one where the columns are dilated.
    """

    def __init__(self, windows: Windows, filters: int, tile: int | None = None):
        self._walks, (self.rows, self.columns) = windows, windows
        self.filters = filters
        self.dilated = self.columns.dilation > 1 and self.columns.kernel > 1
        self._by_images = blas.THIN_PRODUCTS and tile is None and not self.dilated
        if self.dilated or self._by_images:
            tile = 1
        self.tile = tile or tile_columns(self.columns.outputs, filters)
        self.tiles = math.ceil(self.columns.outputs / self.tile)
        # columns from one tile's window to the next one's, in one window, and in all of them
        self.step = self.tile * (self.columns.kernel if self.dilated else self.columns.stride)
        self.window = (self.tile - 1) * self.columns.stride + self.columns.kernel
        self.width = (self.tiles - 1) * self.step + self.window
        # where a band (t F, w, kh C) holds its t kernels: of one column of the tile further, F rows
        # down and sw columns of the window to the right
        stride, kernel = self.columns.stride, self.columns.kernel
        self.diagonal = [(slice(s * filters, (s + 1) * filters),
                          slice(s * stride, s * stride + kernel)) for s in range(self.tile)]
        # where the image lies in its padding, as (W', C, H', N)
        width = self.columns.padded if self.dilated else max(self.width, self.columns.padded)
        self.padded_shape = (width, self.rows.padded)
        self.inside = (self.columns.pixels, slice(None), self.rows.pixels)

    def for_columns(self, count: int) -> "Lowering":
        """The same products, as they are quickest for so many output columns, OH * N."""
        return self._wide if self._by_images and count < FEW_COLUMNS else self

    @cached_property
    def _wide(self) -> "Lowering":
        """With tiles of several columns, as for a BLAS that needs wide products."""
        return Lowering(self._walks, self.filters,
                        tile_columns(self.columns.outputs, self.filters))

    def lower(self, x: np.ndarray) -> np.ndarray:
        """x (N, H, W, C), in any memory order -> the tiles' windows (tiles, w * kh * C, OH * N).

        A view of the lowered image (W', kh, C, OH, N), in which neighbouring windows overlap. Of
        dilated columns, windows one after the other.
        """
        n, channels, dtype = x.shape[0], x.shape[3], x.dtype
        chosen = self.for_columns(self.rows.outputs * n)
        if chosen is not self:
            return chosen.lower(x)
        width, height = self.padded_shape
        padded = np.zeros((width, channels, height, n), dtype)
        # (N, H, W, C) -> (W, C, H, N), and zeros around and between: (W', C, H', N)
        padded[self.inside] = x.transpose(2, 3, 1, 0)
        column, channel, row, image = padded.strides
        shape: tuple[int, ...] = (self.width, self.rows.kernel, channels, self.rows.outputs, n)
        strides: tuple[int, ...] = (column, row * self.rows.dilation, channel,
                                    row * self.rows.stride, image)
        if self.dilated:
            shape = (self.tiles, self.window, *shape[1:])
            strides = (column * self.columns.stride, column * self.columns.dilation, *strides[1:])
        # (W', C, H', N) -> (W', kh, C, OH, N); with dilated columns -> (OW, kw, kh, C, OH, N)
        lowered = np.ndarray(shape, dtype, padded, strides=strides).copy()
        column, _, channel, _, number = lowered.strides[-5:]
        shape = (self.tiles, self.window * self.rows.kernel * channels, self.rows.outputs * n)
        # (W', kh, C, OH, N) -> (tiles, w kh C, OH N), w columns from every step-th on
        return np.ndarray(shape, dtype, lowered, strides=(self.step * column, channel, number))

    @staticmethod
    def in_memory_order(kernel: np.ndarray) -> np.ndarray:
        """The same kernel (kh, kw, C, F), in memory as (F, kw, kh, C): as the products use it."""
        # (kh, kw, C, F) -> (F, kw, kh, C) in memory -> (kh, kw, C, F) as a view of it
        return np.ascontiguousarray(kernel.transpose(3, 1, 0, 2)).transpose(2, 1, 3, 0)

    @staticmethod
    def turned(kernel: np.ndarray) -> np.ndarray:
        """The kernel (kh, kw, C, F) of the way back: turned by 180 degrees, (kh, kw, F, C)."""
        # (kh, kw, C, F) -> (kh, kw, F, C)
        return kernel[::-1, ::-1].swapaxes(2, 3)

    def multiply(self, windows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """windows as lowered, kernel (kh, kw, C, F) -> output (N, OH, OW, F), a new array."""
        chosen = self.for_columns(windows.shape[2])
        if chosen is not self:
            return chosen.multiply(windows, kernel)
        product = self.product(self._band(kernel), windows)
        if self.tile > 1 and not is_finite(product):
            self.multiply_by_column(windows, kernel, out=product)
        outputs = self.rows.outputs
        # (tiles, t F, OH N) -> (tiles t, F, OH, N)
        product = product.reshape(self.tiles * self.tile, self.filters, outputs,
                                  windows.shape[2] // outputs)
        # (tiles t, F, OH, N) -> (OW, F, OH, N) -> (N, OH, OW, F)
        return product[:self.columns.outputs].transpose(3, 2, 0, 1)

    def joins(self, band: np.ndarray, windows: np.ndarray) -> bool:
        """Whether the product is made in one, of windows that do not overlap: side by side."""
        return (self.step >= self.window and band.size >= JOINED_BAND
                and windows.shape[2] < JOINED_COLUMNS)

    def product(self, band: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """(t F, w kh C) @ (tiles, w kh C, OH N) -> (tiles, t F, OH N)."""
        if not self.joins(band, windows):
            return band @ windows
        # (tiles, w kh C, OH N) -> (w kh C, tiles, OH N) -> (w kh C, tiles OH N)
        joined = band @ windows.transpose(1, 0, 2).reshape(windows.shape[1], -1)
        # (t F, tiles OH N) -> (t F, tiles, OH N) -> (tiles, t F, OH N)
        return np.ascontiguousarray(
            joined.reshape(len(band), self.tiles, -1).transpose(1, 0, 2))

    def kernel_gradient(self, windows: np.ndarray, dz: np.ndarray) -> np.ndarray:
        """windows as lowered, dz (N, OH, OW, F) -> gradient (kh, kw, C, F)."""
        chosen = self.for_columns(windows.shape[2])
        if chosen is not self:
            return chosen.kernel_gradient(windows, dz)
        # (N, OH, OW, F) -> (tiles, t F, OH N)
        tiles = self._tiled(dz)
        if tiles.shape[1] < WINDOWS_FIRST:
            # (tiles, t F, OH N) @ (tiles, OH N, w kh C) -> (tiles, t F, w kh C) -> (t F, w kh C)
            band = np.add.reduce(tiles @ windows.transpose(0, 2, 1), axis=0)
        else:
            # (tiles, w kh C, OH N) @ (tiles, OH N, t F) -> (w kh C, t F) -> (t F, w kh C)
            band = np.add.reduce(windows @ tiles.transpose(0, 2, 1), axis=0).T.copy()
        # (t F, w kh C) -> (t F, w, kh C)
        band = band.reshape(len(band), self.window, -1)
        # t blocks (F, kw, kh C) along the band's diagonal -> (F, kw, kh C)
        gradient = reduce(np.add, [band[place] for place in self.diagonal])
        if self.tiles * self.tile > self.columns.outputs and not is_finite(gradient):
            gradient = self.kernel_gradient_by_column(windows, tiles).reshape(gradient.shape)
        shape = (self.filters, self.columns.kernel, self.rows.kernel, -1)
        # (F, kw, kh C) -> (F, kw, kh, C) -> (kh, kw, C, F)
        return gradient.reshape(shape).transpose(2, 1, 3, 0)

    @staticmethod
    def bias_gradient(dz: np.ndarray) -> np.ndarray:
        """dz (N, OH, OW, F) -> its sum for each filter (F,), along the long axis by BLAS."""
        n, rows, columns, filters = dz.shape
        # (N, OH, OW, F) -> (OW, F, OH, N) -> (OW F, OH N), in this order in memory, too: a sum's
        # rounding depends on it
        dz = np.ascontiguousarray(dz.transpose(2, 3, 1, 0)).reshape(columns * filters, rows * n)
        # (OW F, OH N) @ (OH N,) -> (OW F,)
        sums = dz @ ones(rows * n, dz.dtype)
        # (OW F,) -> (OW, F) -> (F,)
        return np.add.reduce(sums.reshape(columns, filters), axis=0)

    def _band(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel (kh, kw, C, F), repeated along a diagonal: (t F, w kh C)."""
        kh, kw, channels, filters = kernel.shape
        if self.tile == 1:
            # (kh, kw, C, F) -> (F, kw, kh, C) -> (F, kw kh C): mostly how it lies in memory. BLAS
            # may round otherwise with a factor that lies transposed
            return np.ascontiguousarray(kernel.transpose(3, 1, 0, 2)).reshape(filters, -1)
        band = np.zeros((self.tile * filters, self.window, kh * channels), kernel.dtype)
        # (kh, kw, C, F) -> (F, kw, kh, C) -> (F, kw, kh C)
        matrix = kernel.transpose(3, 1, 0, 2).reshape(filters, kw, kh * channels)
        for place in self.diagonal:
            band[place] = matrix
        # (t F, w, kh C) -> (t F, w kh C)
        return band.reshape(len(band), -1)

    def _tiled(self, dz: np.ndarray) -> np.ndarray:
        """dz (N, OH, OW, F) as tiles (tiles, t F, OH N), with zeros where the last one is cut."""
        n, rows, columns, filters = dz.shape
        # (N, OH, OW, F) -> (OW, F, OH, N): no copy is needed below, if it came that way
        dz = dz.transpose(2, 3, 1, 0)
        if columns < self.tiles * self.tile:
            # (OW, F, OH, N) -> (tiles t, F, OH, N)
            whole = np.zeros((self.tiles * self.tile, filters, rows, n), dz.dtype)
            whole[:columns] = dz
            dz = whole
        # (tiles t, F, OH, N) -> (tiles, t F, OH N)
        return dz.reshape(self.tiles, self.tile * filters, rows * n)

    # The same products without the band's zeros: slower, and right for numbers that are not finite.

    def _by_column(self, windows: np.ndarray, tiles: np.ndarray):
        """For each column of the tile: (its windows, its part of the tiles), where it is output."""
        depth = windows.shape[1] // self.window
        for s in range(self.tile):
            count = len(range(s, self.columns.outputs, self.tile))  # tiles that reach so far
            start = s * self.columns.stride * depth
            rows = slice(start, start + self.columns.kernel * depth)
            # (tiles, w kh C, OH N) -> (count, kw kh C, OH N), and
            # (tiles, t F, OH N) -> (count, F, OH N)
            yield windows[:count, rows], tiles[:count, s * self.filters:(s + 1) * self.filters]

    def multiply_by_column(self, windows, kernel, out) -> None:
        """The band's product into `out` (tiles, t F, OH N)."""
        # (kh, kw, C, F) -> (F, kw, kh, C) -> (F, kw kh C)
        matrix = kernel.transpose(3, 1, 0, 2).reshape(self.filters, -1)
        for window, column in self._by_column(windows, out):
            # (F, kw kh C) @ (count, kw kh C, OH N) -> (count, F, OH N)
            column[...] = matrix @ window

    def kernel_gradient_by_column(self, windows, tiles) -> np.ndarray:
        """The gradient (F, kw kh C) for tiles of dz."""
        # (count, F, OH N) @ (count, OH N, kw kh C) -> (count, F, kw kh C) -> (F, kw kh C)
        return sum((column @ window.transpose(0, 2, 1)).sum(axis=0)
                   for window, column in self._by_column(windows, tiles))


def is_finite(array: np.ndarray) -> bool:
    """Whether all numbers are finite, in one quick pass; False too if their squares overflow."""
    flat = array.reshape(-1)
    return math.isfinite(flat.dot(flat))


@lru_cache(maxsize=32)
def ones(length: int, dtype: np.dtype) -> np.ndarray:
    """A vector of ones, to sum by; kept, as the same few are needed in every step."""
    vector = np.ones(length, dtype)
    vector.flags.writeable = False
    return vector
