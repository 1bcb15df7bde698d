"""Mean, biased variance and 1 / sqrt(variance + epsilon), with proved bounds.

The variance is that of tf.nn.moments: mean first, then the mean of the squared distances from it.
(The formula E x^2 - (E x)^2, which loses all digits where the mean is large, is not allowed for.)
What makes its bound narrow is that an error d of the mean enters it as d^2 only:

    1/n sum (x_i - mean - d)^2 = variance + d^2,

and that every rounding after the subtraction is relative to a square: n + 4 of them at most, one in
the subtraction (which counts twice), one in the square, n - 1 in the sum and two in the division.
"""

from typing import NamedTuple

import numpy as np

from compare.oracle.elementary import constant
from compare.oracle.running_error import LIBRARY_ULPS, Bounded

# 1 / sqrt(x) may be made by a vector instruction and a Newton step: Eigen's was seen 3.1 u off.
RSQRT_ROUNDINGS = 2 * LIBRARY_ULPS


class Moments(NamedTuple):
    """mean and variance, and how low the variance can have come out."""

    mean: Bounded
    variance: Bounded
    lowest: np.ndarray


def moments(x: Bounded, axes: tuple[int, ...]) -> Moments:
    """Of the values along `axes`, which are kept with size 1.

    Of a single value the mean is itself and the variance 0, and nothing is rounded.
    """
    x, rounding = x.flushed(), x.rounding
    count = int(np.prod([x.shape[axis] for axis in axes]))

    def average(array: np.ndarray) -> np.ndarray:
        return np.asarray(array.mean(axis=axes, keepdims=True))

    mean = average(x.value)
    if count == 1:
        zeros = np.zeros(mean.shape)
        return Moments(Bounded(mean, rounding, average(x.bound)), Bounded(zeros, rounding), zeros)
    away = np.abs(x.value - mean)
    variance = average(np.square(away))
    if not rounding.bounds:
        return Moments(Bounded(mean, rounding), Bounded(variance, rounding), variance)
    terms = x.support().sum(axis=axes, keepdims=True)
    size = average(np.abs(x.value) + x.bound)
    rounded = rounding.gamma(terms + 2) * size + 4 * rounding.tiny  # sum, then division
    # inputs that are themselves off by up to their bound have another variance
    moved = average(2 * away * x.bound + np.square(x.bound))
    squares = variance + moved + np.square(rounded)
    rounding.watch(count * squares)
    error = (moved + np.square(rounded) + rounding.gamma(count + 4) * squares
             + rounding.tiny * (2 * average(away) + 4))
    return Moments(Bounded(mean, rounding, average(x.bound) + rounded),
                   Bounded(variance, rounding, error), np.maximum(variance - error, 0.0))


def of_counted(x: Bounded, counts: np.ndarray, axes: tuple[int, ...], number: np.ndarray
               ) -> Moments:
    """Of the values that count, of which there are so many: an epsilon more than there are, so that
    the mean is not quite theirs, and d, its distance, enters the variance with 2 d sum (x - mean).

    Args:
        counts: ones and zeros of x's shape.
        number: what the sums are divided by, kept axes of size 1.
    """
    x, rounding = x.flushed(), x.rounding

    def total(array: np.ndarray) -> np.ndarray:
        return np.asarray((array * counts).sum(axis=axes, keepdims=True))

    terms = total(np.ones(x.shape))
    mean = total(x.value) / number
    size = total(np.abs(x.value) + x.bound) / number
    rounded = rounding.gamma(terms + 3) * size + 4 * rounding.tiny
    off = total(x.bound) / number + rounded
    away = np.abs(x.value - mean)
    variance = total(np.square(away)) / number
    moved = total(2 * away * (x.bound + off) + np.square(x.bound + off)) / number
    squares = variance + moved
    rounding.watch(number * squares)
    error = (moved + rounding.gamma(terms + 6) * squares
             + rounding.tiny * (2 * total(away) / number + 4))
    return Moments(Bounded(mean, rounding, off), Bounded(variance, rounding, error),
                   np.maximum(variance - error, 0.0))


def known(mean: Bounded, variance: Bounded) -> Moments:
    """Moments that are given, such as moving averages."""
    return Moments(mean, variance, variance.value - variance.bound)


def inverse_deviation(found: Moments, epsilon: float) -> Bounded:
    """1 / sqrt(variance + epsilon), by a square root and a division or by a reciprocal root.

    Where s can be too small by d, 1 / sqrt(s - d) exceeds 1 / sqrt(s) by
    1 / sqrt(s) * d / (s - d) / (1 + sqrt(s / (s - d))); that it can be too large does less.
    """
    rounding = found.variance.rounding
    total = found.variance + constant(epsilon, rounding)
    least = (found.lowest + epsilon) * (1 - rounding.gamma(2))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = 1 / np.sqrt(total.value)
        below = np.minimum(total.bound, total.value - least)  # how far the sum can be too small
        smallest = total.value - below
        passed_on = np.where(smallest > 0, value * below / smallest
                             / (1 + np.sqrt(total.value / smallest)), np.inf)
    gamma = rounding.gamma(RSQRT_ROUNDINGS)
    return Bounded(value, rounding, passed_on + gamma * (value + passed_on))
