"""The three products of a convolution, straight from its definition, on plain float64 arrays.

With the channels in g groups, x (N, H, W, C), kernel (kh, kw, C / g, F) and y (N, OH, OW, F), or
all of them with one spatial axis more,

    y[n, p, q, f] = sum over i, j, c of x[n, p sh + i dh - top, q sw + j dw - left, c] k[i, j, c, f]

where c runs over the channels of f's group. It is linear in x and in the kernel; `spread` and
`collect` are its gradients with respect to the two. One offset (i, j) of the kernel at a time.
"""

from typing import Protocol

import numpy as np

from compare.oracle.windows import Walk


class Products(Protocol):
    """The three: this module's, or the numbers of their terms, `term_counts`."""

    def correlate(self, walk: Walk, x: np.ndarray, kernel: np.ndarray, groups: int = 1
                  ) -> np.ndarray: ...

    def spread(self, walk: Walk, dy: np.ndarray, kernel: np.ndarray, groups: int = 1
               ) -> np.ndarray: ...

    def collect(self, walk: Walk, x: np.ndarray, dy: np.ndarray, groups: int = 1
                ) -> np.ndarray: ...


def correlate(walk: Walk, x: np.ndarray, kernel: np.ndarray, groups: int = 1) -> np.ndarray:
    """The output (N, OH, OW, F)."""
    y = np.zeros((x.shape[0], *walk.outputs, kernel.shape[-1]))
    for offset in walk.offsets():
        out, pixels = walk.at(*offset)
        # (g, N p q, C / g) @ (g, C / g, F / g)
        part = rows(x[pixels], groups) @ apart(kernel[offset], groups)
        y[out] += together(part).reshape(y[out].shape)
    return y


def spread(walk: Walk, dy: np.ndarray, kernel: np.ndarray, groups: int = 1) -> np.ndarray:
    """The gradient (N, H, W, C) with respect to x, given that with respect to y."""
    dx = np.zeros((dy.shape[0], *walk.size, kernel.shape[-2] * groups))
    for offset in walk.offsets():
        out, pixels = walk.at(*offset)
        # (g, N p q, F / g) @ (g, F / g, C / g)
        part = rows(dy[out], groups) @ apart(kernel[offset], groups).transpose(0, 2, 1)
        dx[pixels] += together(part).reshape(dx[pixels].shape)
    return dx


def collect(walk: Walk, x: np.ndarray, dy: np.ndarray, groups: int = 1) -> np.ndarray:
    """The gradient (kh, kw, C / g, F) with respect to the kernel."""
    gradient = np.zeros((*walk.kernel, x.shape[-1] // groups, dy.shape[-1]))
    for offset in walk.offsets():
        out, pixels = walk.at(*offset)
        # (g, C / g, N p q) @ (g, N p q, F / g)
        part = rows(x[pixels], groups).transpose(0, 2, 1) @ rows(dy[out], groups)
        gradient[offset] = together(part)
    return gradient


def apart(matrix: np.ndarray, groups: int) -> np.ndarray:
    """(n, channels) -> (g, n, channels / g)."""
    return matrix.reshape(len(matrix), groups, matrix.shape[1] // groups).transpose(1, 0, 2)


def together(parts: np.ndarray) -> np.ndarray:
    """(g, n, channels / g) -> (n, channels)."""
    return parts.transpose(1, 0, 2).reshape(parts.shape[1], parts.shape[0] * parts.shape[2])


def rows(image: np.ndarray, groups: int) -> np.ndarray:
    """(N, p, q, channels) -> (g, N p q, channels / g)."""
    *pixels, channels = image.shape
    return apart(image.reshape(int(np.prod(pixels)), channels), groups)
