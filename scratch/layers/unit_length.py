"""Vectors divided by their length, unless that is all but zero, and the way back."""

from typing import NamedTuple

import numpy as np

from scratch.layers.axes import summed


class UnitVectors(NamedTuple):
    """What `unit` made of x, and what the way back needs.

    Attributes:
        values: x over its length; of x's shape.
        inverse: 1 / length, 1 along the axes; at most 1 / shortest.
        normalized: whether the length was divided by, not `shortest`.
    """

    values: np.ndarray
    inverse: np.ndarray
    normalized: np.ndarray


def unit(x: np.ndarray, axes: tuple, shortest: float) -> UnitVectors:
    """x over the root of the sum of its squares along `axes`, or over `shortest` if that is more.
    """
    # (N, H, W, C) -> (N, H, W, 1), likewise along other axes
    squares = summed(np.square(x), axes)
    with np.errstate(divide="ignore"):
        inverse = 1 / np.sqrt(squares)
    largest = x.dtype.type(1 / shortest)
    normalized = inverse <= largest
    inverse = np.minimum(inverse, largest)
    # (N, H, W, C) * (N, H, W, 1) -> (N, H, W, C)
    return UnitVectors(x * inverse, inverse, normalized)


def unit_backward(dy: np.ndarray, made: UnitVectors, axes: tuple) -> np.ndarray:
    """The gradient with respect to x, given that to `made.values`."""
    # (N, H, W, C) -> (N, H, W, 1): what goes along x changes the length alone
    along = summed(dy * made.values, axes) * made.normalized
    # (N, H, W, 1) * ((N, H, W, C) - (N, H, W, C) * (N, H, W, 1)) -> (N, H, W, C)
    return made.inverse * (dy - made.values * along)
