"""Convolution in groups of channels: each group of filters sees a group of the input's channels.

That is as many small convolutions side by side, and is computed as such. The methods are those of
`Lowering`, so a layer need not know which of the two it works with.
"""

import numpy as np

from scratch.lowering import Lowering
from scratch.volume_lowering import VolumeLowering
from scratch.windows import VolumeWindows, Windows


def lowering_for(windows: Windows | VolumeWindows, filters: int, groups: int = 1):
    """The products of a convolution over images or volumes, in one group or in several."""
    if groups > 1:
        return GroupedLowering(windows, filters, groups)
    if isinstance(windows, VolumeWindows):
        return VolumeLowering(windows, filters)
    return Lowering(windows, filters)


class GroupedLowering:
    """The matrix products of one convolution in groups.

    Shapes are those of images. Volumes have one axis more, D before H, and kd before kh.

    Args:
        windows: the walk over the image, or the volume.
        filters: F, the channels of the output, of all groups together.
        groups: G, by which F and the input's C can be divided.
    """

    def __init__(self, windows: Windows | VolumeWindows, filters: int, groups: int):
        self.groups = groups
        self.each = lowering_for(windows, filters // groups)
        self.in_memory_order = self.each.in_memory_order

    def lower(self, x: np.ndarray) -> list[np.ndarray]:
        """x (N, H, W, C) -> for each group what `Lowering.lower` makes of its C / G channels."""
        # G times (N, H, W, C / G) -> (tiles, w kh C / G, OH N)
        return [self.each.lower(part) for part in self._split(x)]

    def turned(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel (kh, kw, C / G, F) of the way back: (kh, kw, F / G, C)."""
        # G times (kh, kw, C / G, F / G) -> (kh, kw, F / G, C / G); side by side (kh, kw, F / G, C)
        return np.concatenate([self.each.turned(part) for part in self._split(kernel)], axis=-1)

    def multiply(self, windows: list[np.ndarray], kernel: np.ndarray) -> np.ndarray:
        """windows as lowered, kernel (kh, kw, C / G, F) -> output (N, OH, OW, F), a new array."""
        # G times (N, OH, OW, F / G) -> (N, OH, OW, F)
        return np.concatenate([self.each.multiply(window, part) for window, part
                               in zip(windows, self._split(kernel))], axis=-1)

    def kernel_gradient(self, windows: list[np.ndarray], dz: np.ndarray) -> np.ndarray:
        """windows as lowered, dz (N, OH, OW, F) -> gradient (kh, kw, C / G, F)."""
        # G times (kh, kw, C / G, F / G) -> (kh, kw, C / G, F)
        return np.concatenate([self.each.kernel_gradient(window, part) for window, part
                               in zip(windows, self._split(dz))], axis=-1)

    def _split(self, array: np.ndarray) -> list[np.ndarray]:
        """The last axis in G equal parts: views."""
        size = array.shape[-1] // self.groups
        # (..., G size) -> G times (..., size)
        return [array[..., i:i + size] for i in range(0, array.shape[-1], size)]
