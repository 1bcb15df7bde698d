"""Convolution in groups of channels: each group of filters sees a group of the input's channels.

That is as many small convolutions side by side. Those of images are computed in one call, as the
channels of a depthwise convolution are; those of volumes one after the other. The methods are those
of `Lowering`, so a layer need not know which of them it works with.
"""

import numpy as np

from scratch.depthwise import ChannelProducts
from scratch.lowering import Lowering
from scratch.volume_lowering import VolumeLowering
from scratch.windows import VolumeWindows, Windows


def lowering_for(windows: Windows | VolumeWindows, channels: int, filters: int, groups: int = 1):
    """The products of a convolution over images or volumes, in one group or in several, from so
    many channels to so many filters."""
    if isinstance(windows, VolumeWindows):
        whole = VolumeLowering(windows, filters // groups)
        return GroupedVolumes(whole, groups) if groups > 1 else whole
    return GroupedLowering(windows, channels, filters, groups) if groups > 1 else Lowering(
        windows, filters)


class GroupedLowering:
    """The matrix products of one convolution of images in groups.

    Args:
        windows: the walk over the image.
        channels: C, those of the input, of all groups together.
        filters: F, the channels of the output.
        groups: G, by which C and F can be divided.
    """

    in_memory_order = staticmethod(Lowering.in_memory_order)

    def __init__(self, windows: Windows, channels: int, filters: int, groups: int):
        self.groups = groups
        self.products = ChannelProducts(windows, channels // groups, filters // groups)

    def lower(self, x: np.ndarray) -> np.ndarray:
        """x (N, H, W, C) -> the tiles' windows (G, tiles, w C / G kh, OH N)."""
        # (N, H, W, C) -> (W', C, H', N) -> (G, tiles, w C / G kh, OH N)
        return self.products.lower(self.products.pad(x))

    def turned(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel (kh, kw, C / G, F) of the way back: (kh, kw, F / G, C)."""
        # (kh, kw, C / G, G, F / G) -> (kh, kw, F / G, G, C / G) -> (kh, kw, F / G, C)
        turned = self._in_groups(kernel[::-1, ::-1]).transpose(0, 1, 4, 3, 2)
        return turned.reshape(*turned.shape[:3], -1)

    def multiply(self, windows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        """windows as lowered, kernel (kh, kw, C / G, F) -> output (N, OH, OW, F), a new array."""
        # (kh, kw, C / G, G, F / G) -> (kh, kw, G, C / G, F / G)
        return self.products.multiply(windows, self._in_groups(kernel).swapaxes(2, 3))

    def kernel_gradient(self, windows: np.ndarray, dz: np.ndarray) -> np.ndarray:
        """windows as lowered, dz (N, OH, OW, F) -> gradient (kh, kw, C / G, F)."""
        # (kh, kw, G, C / G, F / G) -> (kh, kw, C / G, G, F / G) -> (kh, kw, C / G, F)
        gradient = self.products.kernel_gradient(windows, dz).swapaxes(2, 3)
        return gradient.reshape(*gradient.shape[:3], -1)

    def _in_groups(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel (kh, kw, C / G, F) as (kh, kw, C / G, G, F / G)."""
        return kernel.reshape(*kernel.shape[:3], self.groups, -1)


class GroupedVolumes:
    """The matrix products of one convolution of volumes in groups.

    Shapes are those of images; volumes have one axis more, D before H, and kd before kh.

    Args:
        each: the products of one group.
        groups: G, by which F and the input's C can be divided.
    """

    def __init__(self, each: VolumeLowering, groups: int):
        self.each, self.groups = each, groups
        self.in_memory_order = each.in_memory_order

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
