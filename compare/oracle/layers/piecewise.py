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
        low, high = _limits(kinks, number)
        here = _lies(x, number, low, high)
        made = result(_kept(x, low, high)) if callable(result) else Bounded(result, x.rounding)
        np.copyto(value, made.value, where=here)
        sides.append((number, low, high, here, made))
    if not x.rounding.bounds:
        return Bounded(value, x.rounding)
    if x.error is None and not np.isnan(value).any():  # there is one side on which it may lie
        for _, _, _, here, made in sides:
            if made.error is not None:
                np.copyto(error, made.error, where=here)
        return Bounded(value, x.rounding, error if error.any() else None)
    with np.errstate(invalid="ignore"):
        for number, low, high, here, made in sides:
            off = np.where(value == made.value, 0.0, np.abs(value - made.value)) + made.bound
            possible = here | _may_lie(x, number, low, high)
            error = np.where(possible, np.maximum(error, off), error)
    return Bounded(value, x.rounding, error if error.any() else None)


def _limits(kinks: Sequence[float], number: int) -> tuple[float, float]:
    """(low, high) of a side: those with even numbers are between kinks, those with odd ones at."""
    ends = [-np.inf, *kinks, np.inf]
    return ends[(number + 1) // 2], ends[number // 2 + 1]


def _lies(x: Bounded, number: int, low: float, high: float) -> np.ndarray:
    """Where x lies on that side."""
    if number % 2:
        return np.asarray(x.value == low)
    # an infinite number lies beyond the last kink
    above = x.value >= low if low == -np.inf else x.value > low
    below = x.value <= high if high == np.inf else x.value < high
    return np.asarray(above & below)


def _may_lie(x: Bounded, number: int, low: float, high: float) -> np.ndarray:
    """Where it may, as far as it is known."""
    if number % 2:
        return np.asarray(np.abs(x.value - low) <= x.bound)
    return np.asarray((x.value + x.bound > low) & (x.value - x.bound < high))


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
    fits = (left_out == 0) & (x.rounding.nearest(total) == total)
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
