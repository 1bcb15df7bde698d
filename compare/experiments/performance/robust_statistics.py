"""Medians with quartiles, and slopes on log-log paper."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """The median of some numbers, and their lower and upper quartile."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers) -> "Spread":
        """Of at least one number; quartiles by linear interpolation."""
        low, median, high = np.percentile(np.asarray(numbers, float), (25, 50, 75))
        return cls(float(median), float(low), float(high))


def slope(x, y) -> float | None:
    """The power p of y ~ x ** p: the least-squares slope of log y over log x.

    None with fewer than two different x.
    """
    x, y = np.log(np.asarray(x, float)), np.log(np.asarray(y, float))
    if len(x) == 0 or np.ptp(x) == 0:
        return None
    centred = x - x.mean()
    return float(centred @ (y - y.mean()) / (centred @ centred))


def upper_half(x) -> list[int]:
    """Numbers of the points from the (geometric) middle of x upwards.

    There what a step costs anyway, however small it is, weighs least.
    """
    x = np.log(np.asarray(x, float))
    if len(x) == 0:
        return []
    middle = (x.min() + x.max()) / 2
    return [int(i) for i in np.flatnonzero(x >= middle - 1e-9)]
