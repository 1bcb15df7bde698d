"""Sliding windows: where a kernel or a pool lands on an image, and matrices made of its windows.

Convolution and pooling are the same walk: a window of (kh, kw) pixels moves over the image in
strides of (sh, sw). This module knows the walk; the layers know what to do in each window.
"""

import math
from typing import NamedTuple

import numpy as np


class Axis(NamedTuple):
    """The walk along one image axis: `size` pixels, of which a window covers `kernel`."""

    size: int
    kernel: int
    stride: int
    before: int  # padding before the first pixel
    after: int  # padding after the last
    outputs: int  # how many positions the window takes


def plan_axis(size: int, kernel: int, stride: int, padding: str) -> Axis:
    """Keras's arithmetic for one axis, with padding 'valid' or 'same'.

    'same' gives ceil(size / stride) outputs and puts the odd pixel of padding after the image.
    """
    if padding == "valid":
        return Axis(size, kernel, stride, 0, 0, (size - kernel) // stride + 1)
    outputs = math.ceil(size / stride)
    total = max((outputs - 1) * stride + kernel - size, 0)
    return Axis(size, kernel, stride, total // 2, total - total // 2, outputs)


class Windows:
    """All windows of a (batch, H, W, C) image for one kernel size, stride and padding."""

    def __init__(self, height: int, width: int, kernel: tuple, strides: tuple, padding: str):
        self.rows = plan_axis(height, kernel[0], strides[0], padding)
        self.columns = plan_axis(width, kernel[1], strides[1], padding)

    @property
    def output_size(self) -> tuple[int, int]:
        return self.rows.outputs, self.columns.outputs

    def pad(self, x: np.ndarray, value=0.0) -> np.ndarray:
        """x (N, H, W, C) with `value` around it where padding is due: (N, H', W', C)."""
        (top, bottom), (left, right) = self.rows[3:5], self.columns[3:5]
        if not (top or bottom or left or right):
            return x
        n, h, w, c = x.shape
        padded = np.full((n, h + top + bottom, w + left + right, c), value, x.dtype)
        padded[:, top:top + h, left:left + w] = x
        return padded

    def view(self, padded: np.ndarray) -> np.ndarray:
        """Read-only windows (N, OH, OW, kh, kw, C) of a padded image, without copying."""
        kernel = (self.rows.kernel, self.columns.kernel)
        view = np.lib.stride_tricks.sliding_window_view(padded, kernel, axis=(1, 2))
        view = view[:, :: self.rows.stride, :: self.columns.stride]  # (N, OH, OW, C, kh, kw)
        return view.transpose(0, 1, 2, 4, 5, 3)

    def scatter_add(self, values: np.ndarray) -> np.ndarray:
        """The inverse walk: values (N, OH, OW, kh, kw, C) added where their windows lay.

        Returns (N, H, W, C); what falls on the padding is dropped, overlaps add up.
        """
        n, oh, ow, kh, kw, c = values.shape
        rows, columns = self.rows, self.columns
        image = np.zeros((n, rows.before + rows.size + rows.after,
                          columns.before + columns.size + columns.after, c), values.dtype)
        for i in range(kh):
            for j in range(kw):
                image[:, i:i + rows.stride * oh:rows.stride,
                      j:j + columns.stride * ow:columns.stride] += values[:, :, :, i, j]
        return image[:, rows.before:rows.before + rows.size,
                     columns.before:columns.before + columns.size]
