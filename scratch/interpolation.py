"""Pixels between those of an image: the weights by which a larger image is made from a smaller one.

Output pixel o of an axis that is made `factor` times as long lies at (o + 1/2) / factor - 1/2 among
the input's pixels. Its value is a sum of pixels near that place, each weighted by a function of its
distance; beyond the border there are none, and the weights of those that are left add up to 1.

        bilinear   1 - d                         up to d = 1; a place beyond the border moves to it
        bicubic    Keys's cubic with a = -1/2    up to d = 2
        lanczos3   sinc(d) sinc(d / 3)           up to d = 3; lanczos5 likewise up to 5

TensorFlow looks the cubic up in a table of 1024 entries to a pixel, so that is what is meant by it
here.
"""

from functools import reduce

import numpy as np

TABLE = 1024  # entries of TensorFlow's table of the cubic, from one pixel to the next


def hat(d: np.ndarray) -> np.ndarray:
    """The weight at distance d for bilinear interpolation."""
    return np.maximum(1 - d, 0)


def cubic(d: np.ndarray) -> np.ndarray:
    """Keys's, "Cubic convolution interpolation for digital image processing", 1981."""
    near, far = (1.5 * d - 2.5) * d * d + 1, ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def lanczos(radius: int):
    """A function of the distance for that many pixels on either side."""
    return lambda d: np.where(d <= radius, np.sinc(d) * np.sinc(d / radius), 0)


KERNELS = {"bilinear": hat, "bicubic": cubic, "lanczos3": lanczos(3), "lanczos5": lanczos(5)}


def interpolation_matrix(size: int, factor: int, kind: str) -> np.ndarray:
    """(size * factor, size): the weight that each output pixel gives to each input pixel."""
    doubled = 2 * np.arange(size * factor) + 1 - factor  # places in units of 1 / (2 factor)
    before, rest = np.divmod(doubled, 2 * factor)
    part = rest / (2 * factor)  # beyond the input pixel `before`
    if kind == "bicubic":
        part = np.rint(part * TABLE) / TABLE
    place = before + part
    if kind == "bilinear":
        place = place.clip(0, size - 1)
    weights = KERNELS[kind](np.abs(np.arange(size) - place[:, None]))
    return weights / weights.sum(axis=1, keepdims=True)


class Taps:
    """The product of a matrix of few numbers other than zero with one axis of an array.

    Args:
        matrix: (rows, columns).
        dtype: of the arrays.
    """

    def __init__(self, matrix: np.ndarray, dtype):
        count = int((matrix != 0).sum(axis=1).max())
        # in each row those that are not zero, in their order: (rows, columns) -> (rows, count)
        self.index = np.argsort(matrix == 0, axis=1, kind="stable")[:, :count]
        self.weights = np.take_along_axis(matrix, self.index, axis=1).astype(dtype)

    def apply(self, x: np.ndarray, axis: int) -> np.ndarray:
        """x (..., columns, ...) -> (..., rows, ...), a new array."""
        before, after = (slice(None),) * axis, (1,) * (x.ndim - axis - 1)
        # for each tap (..., columns, ...) -> (..., rows, ...) * (rows, 1 ...)
        return reduce(np.add, [x[(*before, index)] * weights.reshape(-1, *after)
                               for index, weights in zip(self.index.T, self.weights.T)])
