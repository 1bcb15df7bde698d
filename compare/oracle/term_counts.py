"""How many products that are not zero each sum of a convolution has.

These are the three products of `correlation`, of arrays that are true where a number may be other
than zero. Whole numbers come out exactly, however they are added up, so there is a quicker way than
to multiply: where one of the two has no zero, the number is the same for all of its channels, and
the other's channels can be counted first. Axes along which the number is the same have size 1.
"""

import numpy as np

from compare.oracle import correlation
from compare.oracle.windows import Walk

EXACT_UP_TO = 2**24  # of float32, in which products take half the time


def correlate(walk: Walk, x: np.ndarray, kernel: np.ndarray, groups: int = 1) -> np.ndarray:
    """For each element of the output (N, OH, OW, F)."""
    if groups > 1 or not kernel.all():
        return correlation.correlate(walk, *ones(x, kernel), groups)
    return correlation.correlate(walk, in_all_channels(x), np.ones((*walk.kernel, 1, 1)))


def spread(walk: Walk, dy: np.ndarray, kernel: np.ndarray, groups: int = 1) -> np.ndarray:
    """For each element of the gradient (N, H, W, C) with respect to x."""
    if groups > 1 or not kernel.all():
        return correlation.spread(walk, *ones(dy, kernel), groups)
    return correlation.spread(walk, in_all_channels(dy), np.ones((*walk.kernel, 1, 1)))


def collect(walk: Walk, x: np.ndarray, dy: np.ndarray, groups: int = 1) -> np.ndarray:
    """For each element of the gradient (kh, kw, C / g, F) with respect to the kernel."""
    if groups == 1:
        x, dy = (each[..., :1] if each.all() else each for each in (x, dy))
    return correlation.collect(walk, *ones(x, dy), groups)


def in_all_channels(numbers: np.ndarray) -> np.ndarray:
    """How many channels count at each pixel: (N, H, W, 1)."""
    return np.asarray(numbers.sum(axis=-1, keepdims=True, dtype=np.float64))


def ones(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1.0 where they are true, in a precision that holds the number of all products of two."""
    dtype = np.float32 if min(a.size, b.size) <= EXACT_UP_TO else np.float64
    return a.astype(dtype), b.astype(dtype)
