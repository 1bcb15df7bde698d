"""Functions that change at a kink: on which side a number lies, and what if rounding decides that.

Where a number's error reaches across a kink, either side may be the one that was computed, and the
result's error covers every side that is within reach.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from compare.oracle.elementary import constant
from compare.oracle.running_error import Bounded, Rounding

# a number, or a function of the value
Piece = float | Callable[[Bounded], Bounded]


def choose(x: Bounded, kinks: Sequence[float], results: Sequence[Piece]) -> Bounded:
    """The result of that side of the kinks on which x lies.

    Args:
        x: what decides.
        kinks: numbers in ascending order, each exactly what x is compared with.
        results: for n kinks 2 n + 1 functions or numbers: below the first, at it, between it and
            the second, and so on. A function is given x, kept within that side's limits.
    """
    x = x.flushed()
    value, error = np.full(x.shape, np.nan), np.zeros(x.shape)
    sides = []
    for number, result in enumerate(results):
        low, high, here, possible = _side(x, kinks, number)
        made = result(_kept(x, low, high)) if callable(result) else Bounded(result, x.rounding)
        value = np.where(here, made.value, value)
        sides.append((made, possible))
    if not x.rounding.bounds:
        return Bounded(value, x.rounding)
    with np.errstate(invalid="ignore"):
        for made, possible in sides:
            off = np.where(value == made.value, 0.0, np.abs(value - made.value)) + made.bound
            error = np.where(possible, np.maximum(error, off), error)
    return Bounded(value, x.rounding, error if error.any() else None)


def _side(x: Bounded, kinks: Sequence[float], number: int
          ) -> tuple[float, float, np.ndarray, np.ndarray]:
    """(low, high, where x lies there, where it may): even numbers between kinks, odd ones at."""
    if number % 2:
        kink = kinks[number // 2]
        return kink, kink, x.value == kink, np.abs(x.value - kink) <= x.bound
    ends = [-np.inf, *kinks, np.inf]
    low, high = ends[number // 2], ends[number // 2 + 1]
    # an infinite number lies beyond the last kink
    above = (x.value > low) | ((x.value == low) & (low == -np.inf))
    below = (x.value < high) | ((x.value == high) & (high == np.inf))
    possible = (x.value + x.bound > low) & (x.value - x.bound < high)
    return low, high, above & below, possible | (above & below)


def _kept(x: Bounded, low: float, high: float) -> Bounded:
    """x moved to the nearest number from low to high, as far as it may lie beyond."""
    value = np.clip(x.value, low, high)
    if x.error is None:
        return Bounded(value, x.rounding)
    above = np.clip(x.value + x.error, low, high) - value
    below = value - np.clip(x.value - x.error, low, high)
    return Bounded(value, x.rounding, np.maximum(above, below))


def same(x: Bounded) -> Bounded:
    """The side of a function on which it leaves numbers as they are."""
    return x


def scaled(x: Bounded, factor: float) -> Bounded:
    """x times a number that both sides hold exactly, or as float16 or bfloat16 has it where x is of
    these; 0 and powers of two round nothing."""
    if factor == 0:
        return Bounded(np.zeros(x.shape), x.rounding)
    if abs(math.frexp(factor)[0]) != 0.5:
        low = x.rounding.sums is not None  # where a kernel may round it, or not
        return x * (constant(factor, x.rounding) if low else factor)
    x = x.flushed()
    error = None if x.error is None else x.error * abs(factor)
    small = np.abs(x.value * factor) < x.rounding.normal
    if small.any():  # denormals, which have fewer bits
        error = (0.0 if error is None else error) + np.where(small, x.rounding.tiny, 0.0)
    return Bounded(x.value * factor, x.rounding, error).flushed()


def shifted(x: Bounded, by: float) -> Bounded:
    """x plus a number that both sides hold exactly; a sum that needs no rounding has none."""
    x, total = x.flushed(), x.value + by
    away = total - x.value  # Knuth's two-sum: what rounding to float64 left out of `total`
    left_out = (x.value - (total - away)) + (by - away)
    fits = (left_out == 0) & (held(total, x.rounding) == total)
    rounding = np.where(fits & (x.bound == 0), 0.0, x.rounding.unit * (np.abs(total) + x.bound))
    error = x.bound + rounding
    return Bounded(total, x.rounding, error if error.any() else None).flushed()


def held(number: np.ndarray | float, rounding: Rounding) -> Any:
    """A number, or an array, as the audited precision holds it."""
    with np.errstate(over="ignore"):
        return np.float64(np.float32(number) if rounding.unit > 2.0**-50 else number)


def together(a: Bounded, b: Bounded) -> Bounded:
    """a + b, of which mostly one is exactly 0, so that nothing is rounded."""
    total = a + b
    both = (a.support() * b.support()) > 0
    error = np.where(both, total.bound, a.bound + b.bound)
    return Bounded(total.value, a.rounding, error if error.any() else None)


def wider(a: Bounded, b: Bounded) -> Bounded:
    """a, with room for b: the same number computed in another way."""
    error = np.maximum(a.bound, np.abs(a.value - b.value) + b.bound)
    return Bounded(a.value, a.rounding, error)
