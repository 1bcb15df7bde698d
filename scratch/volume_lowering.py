r"""Convolution over volumes: that of images whose channels are those of several slices.

Output slice z of a volume (N, D, H, W, C) sees kd of its input slices. Stacked along the channels
they are one image of kd * C channels, and what remains is a convolution of images:

        volume (N, D, H, W, C)  ->  images (OD * N, H, W, kd * C)  ->  images (OD * N, OH, OW, F)

        images[z, n, y, x, k, c] = padded[n, z * sd + k * dd, y, x, c]

Memory is ordered (W, C, H, D, N), so that the images of all output slices are one batch, with the
long axis innermost as in `lowering.py`, which makes the products.
"""

import numpy as np

from scratch.lowering import Lowering
from scratch.windows import VolumeWindows


class VolumeLowering:
    """The matrix products of one convolution over volumes. The methods are those of `Lowering`.

    Args:
        windows: the walk over the volume.
        filters: F, the channels of the output.
    """

    def __init__(self, windows: VolumeWindows, filters: int):
        self.depth = windows.depth
        self.slices = Lowering(windows.slices, filters)

    def lower(self, x: np.ndarray) -> np.ndarray:
        """x (N, D, H, W, C), in any memory order -> the tiles' windows, as `Lowering.lower` has
        them: (tiles, w * kh * kd * C, OH * OD * N)."""
        return self.slices.lower(self._stacked(x))

    def _stacked(self, x: np.ndarray) -> np.ndarray:
        """x (N, D, H, W, C) -> the images that output slices see, (OD * N, H, W, kd * C)."""
        n, _, height, width, channels = x.shape
        padded = np.zeros((width, channels, height, self.depth.padded, n), x.dtype)
        # (N, D, H, W, C) -> (W, C, H, D, N), and zeros around and between: (W, C, H, D', N)
        padded[:, :, :, self.depth.pixels] = x.transpose(3, 4, 2, 1, 0)
        column, channel, row, plane, sample = padded.strides
        shape = (width, self.depth.kernel, channels, height, self.depth.outputs, n)
        strides = (column, plane * self.depth.dilation, channel, row, plane * self.depth.stride,
                   sample)
        # (W, C, H, D', N) -> (W, kd, C, H, OD, N)
        stacked = np.ndarray(shape, x.dtype, padded, strides=strides).copy()
        # (W, kd, C, H, OD, N) -> (W, kd C, H, OD N) -> (OD N, H, W, kd C)
        return stacked.reshape(width, self.depth.kernel * channels, height,
                               self.depth.outputs * n).transpose(3, 2, 0, 1)

    @staticmethod
    def in_memory_order(kernel: np.ndarray) -> np.ndarray:
        """The same kernel (kd, kh, kw, C, F), in memory as (F, kw, kh, kd, C): as it is used."""
        return np.ascontiguousarray(kernel.transpose(4, 2, 1, 0, 3)).transpose(3, 2, 1, 4, 0)

    @staticmethod
    def turned(kernel: np.ndarray) -> np.ndarray:
        """The kernel (kd, kh, kw, C, F) of the way back: turned in all three directions,
        (kd, kh, kw, F, C)."""
        return kernel[::-1, ::-1, ::-1].swapaxes(3, 4)

    def multiply(self, windows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """windows as lowered, kernel (kd, kh, kw, C, F) -> output (N, OD, OH, OW, F), a new array.
        """
        kd, kh, kw, channels, filters = kernel.shape
        # (kd, kh, kw, C, F) -> (kh, kw, kd, C, F) -> (kh, kw, kd C, F)
        flat = kernel.transpose(1, 2, 0, 3, 4).reshape(kh, kw, kd * channels, filters)
        # (tiles, w kh kd C, OH OD N) -> (OD N, OH, OW, F) -> (OW, F, OH, OD N)
        z = self.slices.multiply(windows, flat).transpose(2, 3, 1, 0)
        # (OW, F, OH, OD N) -> (OW, F, OH, OD, N) -> (N, OD, OH, OW, F)
        return z.reshape(*z.shape[:3], self.depth.outputs, -1).transpose(4, 3, 2, 0, 1)

    def kernel_gradient(self, windows: np.ndarray, dz: np.ndarray) -> np.ndarray:
        """windows as lowered, dz (N, OD, OH, OW, F) -> gradient (kd, kh, kw, C, F)."""
        # (tiles, w kh kd C, OH OD N) and (OD N, OH, OW, F) -> (kh, kw, kd C, F)
        gradient = self.slices.kernel_gradient(windows, slices_of(dz))
        kh, kw, _, filters = gradient.shape
        # (kh, kw, kd C, F) -> (kh, kw, kd, C, F) -> (kd, kh, kw, C, F)
        return gradient.reshape(kh, kw, self.depth.kernel, -1, filters).transpose(2, 0, 1, 3, 4)


def slices_of(volume: np.ndarray) -> np.ndarray:
    """(N, D, H, W, C) -> (D * N, H, W, C): every slice an image."""
    n, depth, height, width, channels = volume.shape
    # (N, D, H, W, C) -> (W, C, H, D, N) -> (W, C, H, D N): no copy, if it came in that order
    slices = volume.transpose(3, 4, 2, 1, 0).reshape(width, channels, height, depth * n)
    # (W, C, H, D N) -> (D N, H, W, C)
    return slices.transpose(3, 2, 0, 1)
