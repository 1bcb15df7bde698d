"""The products of a depthwise convolution, in which channels do not mix.

Nothing is summed over channels, so there is no matrix product worth the name. Instead the padded
image is multiplied as a whole by one number per channel, shifted by one pixel, and added up: once
for each pixel of the kernel. Memory is ordered (W, C, H, N) as in `lowering.py`: the innermost loop
runs over an image column of all rows of all images.
"""

from functools import cached_property

import numpy as np

from scratch.lowering import ones
from scratch.windows import Windows


class Depthwise:
    """The products of one depthwise convolution; M below is the depth multiplier.

    Args:
        windows: the walk over the image.
    """

    def __init__(self, windows: Windows):
        self.rows, self.columns = windows
        self.padded_shape = (self.columns.padded, self.rows.padded)
        self.inside = (self.columns.pixels, slice(None), self.rows.pixels)

    @cached_property
    def taps(self) -> list[tuple]:
        """Each pixel (i, j) of the kernel, and where it lies on (W', C, H', N) for all windows."""
        return [((i, j), (self.columns.positions(j), slice(None), self.rows.positions(i)))
                for i in range(self.rows.kernel) for j in range(self.columns.kernel)]

    def pad(self, x: np.ndarray) -> np.ndarray:
        """x (N, H, W, C), in any memory order -> (W', C, H', N), with zeros around it."""
        width, height = self.padded_shape
        padded = np.zeros((width, x.shape[3], height, x.shape[0]), x.dtype)
        # (N, H, W, C) -> (W, C, H, N), and zeros around it: (W', C, H', N)
        padded[self.inside] = x.transpose(2, 3, 1, 0)
        return padded

    def multiply(self, padded: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """padded as above, kernel (kh, kw, C, M) -> output (N, OH, OW, C * M), a new array."""
        _, channels, _, n = padded.shape
        multiplier = kernel.shape[3]
        shape = (self.columns.outputs, channels, multiplier, self.rows.outputs, n)
        z, product = np.zeros(shape, padded.dtype), np.empty(shape, padded.dtype)
        for (i, j), tap in self.taps:
            # (W', C, H', N) -> (OW, C, OH, N); (OW, C, 1, OH, N) * (C, M, 1, 1) ->
            # (OW, C, M, OH, N)
            np.multiply(padded[tap][:, :, None], kernel[i, j][:, :, None, None], out=product)
            z += product
        # (OW, C, M, OH, N) -> (OW, C M, OH, N)
        z = z.reshape(shape[0], channels * multiplier, *shape[3:])
        # (OW, C M, OH, N) -> (N, OH, OW, C M)
        return z.transpose(3, 2, 0, 1)

    def kernel_gradient(self, padded: np.ndarray, dz: np.ndarray) -> np.ndarray:
        """padded as above, dz (N, OH, OW, C * M) -> gradient (kh, kw, C, M)."""
        dz = self._by_channel(dz, padded.shape[1])
        columns, channels, multiplier, rows, n = dz.shape
        summing = ones(rows * n, dz.dtype)
        gradient = np.empty((self.rows.kernel, self.columns.kernel, channels, multiplier), dz.dtype)
        product = np.empty_like(dz)
        for (i, j), tap in self.taps:
            # (OW, C, 1, OH, N) * (OW, C, M, OH, N) -> (OW, C, M, OH, N)
            np.multiply(padded[tap][:, :, None], dz, out=product)
            # (OW C M, OH N) @ (OH N,) -> (OW C M,)
            sums = product.reshape(columns * channels * multiplier, rows * n) @ summing
            # (OW C M,) -> (OW, C, M) -> (C, M)
            gradient[i, j] = np.add.reduce(sums.reshape(columns, channels, multiplier), axis=0)
        return gradient

    def input_gradient(self, dz: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """dz (N, OH, OW, C * M), kernel (kh, kw, C, M) -> gradient (N, H, W, C)."""
        dz = self._by_channel(dz, kernel.shape[2])
        width, height = self.padded_shape
        padded = np.zeros((width, kernel.shape[2], height, dz.shape[4]), dz.dtype)
        product = np.empty_like(dz[:, :, 0])
        for (i, j), tap in self.taps:
            for m in range(dz.shape[2]):
                # (OW, C, OH, N) * (C, 1, 1) -> (OW, C, OH, N), added into (W', C, H', N)
                np.multiply(dz[:, :, m], kernel[i, j, :, m, None, None], out=product)
                padded[tap] += product
        # (W', C, H', N) -> (W, C, H, N) -> (N, H, W, C)
        return padded[self.inside].transpose(3, 2, 0, 1)

    @staticmethod
    def _by_channel(dz: np.ndarray, channels: int) -> np.ndarray:
        """(N, OH, OW, C * M) -> (OW, C, M, OH, N), in that memory order."""
        n, rows, columns, filters = dz.shape
        shape = (columns, channels, filters // channels, rows, n)
        # (N, OH, OW, C M) -> (OW, C M, OH, N) -> (OW, C, M, OH, N)
        return np.ascontiguousarray(dz.transpose(2, 3, 1, 0)).reshape(shape)
