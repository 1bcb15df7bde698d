"""Convolution in groups of channels: each group of filters sees a group of the input's channels.

That is as many small convolutions side by side, and is computed as such. The methods are those of
`Lowering`, so a layer need not know which of the two it works with.
"""

import numpy as np

from scratch.lowering import Lowering
from scratch.windows import Windows


class GroupedLowering:
    """The matrix products of one convolution in groups.

    Args:
        windows: the walk over the image.
        filters: F, the channels of the output, of all groups together.
        groups: G, by which F and the input's C can be divided.
    """

    in_memory_order = staticmethod(Lowering.in_memory_order)

    def __init__(self, windows: Windows, filters: int, groups: int):
        self.groups = groups
        self.each = Lowering(windows, filters // groups)

    def lower(self, x: np.ndarray) -> list[np.ndarray]:
        """x (N, H, W, C) -> for each group what `Lowering.lower` makes of its C / G channels."""
        # G times (N, H, W, C / G) -> (tiles, w kh C / G, OH N)
        return [self.each.lower(part) for part in self._split(x)]

    def turned(self, kernel: np.ndarray) -> np.ndarray:
        """The kernel (kh, kw, C / G, F) of the way back: (kh, kw, F / G, C)."""
        # G times (kh, kw, C / G, F / G) -> (kh, kw, F / G, C / G); side by side (kh, kw, F / G, C)
        return np.concatenate([Lowering.turned(part) for part in self._split(kernel)], axis=3)

    def multiply(self, windows: list[np.ndarray], kernel: np.ndarray) -> np.ndarray:
        """windows as lowered, kernel (kh, kw, C / G, F) -> output (N, OH, OW, F), a new array."""
        # G times (N, OH, OW, F / G) -> (N, OH, OW, F)
        return np.concatenate([self.each.multiply(window, part) for window, part
                               in zip(windows, self._split(kernel))], axis=3)

    def kernel_gradient(self, windows: list[np.ndarray], dz: np.ndarray) -> np.ndarray:
        """windows as lowered, dz (N, OH, OW, F) -> gradient (kh, kw, C / G, F)."""
        # G times (kh, kw, C / G, F / G) -> (kh, kw, C / G, F)
        return np.concatenate([self.each.kernel_gradient(window, part) for window, part
                               in zip(windows, self._split(dz))], axis=3)

    def _split(self, array: np.ndarray) -> list[np.ndarray]:
        """The last axis in G equal parts: views."""
        size = array.shape[3] // self.groups
        # (..., G size) -> G times (..., size)
        return [array[..., i:i + size] for i in range(0, array.shape[3], size)]
