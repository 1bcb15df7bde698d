"""Images whose pixels are mixed with those around them by a small kernel."""

import numpy as np


def filtered(images: np.ndarray, kernel: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    """The images, each pixel the sum of the pixels around it times the kernel's numbers.

    Args:
        images: (N, H, W, C), or in another order. Beyond them are zeros.
        kernel: (a, b), both odd, with its middle on the pixel; the same for all channels.
        axes: those of H and W.
    """
    around = [(0, 0)] * images.ndim
    for axis, size in zip(axes, kernel.shape):
        around[axis] = (size // 2, size // 2)
    # (N, H + a - 1, W + b - 1, C) -> (N, H, W, C), for each place in the window
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(images, around), kernel.shape, axes)
    return (windows * kernel).sum(axis=(-2, -1))
