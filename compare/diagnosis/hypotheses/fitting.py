"""A number of a computation, found from what was made: the one that explains it best."""

from collections.abc import Callable
from typing import Any

import numpy as np


def fitted(c: Any, made: np.ndarray, with_number: Callable[[Any, float], Any], right: float,
           other: float) -> tuple[float, float]:
    """(the number, how far rounding may have led away from it), of a result that depends on it
    as a + b * number does.

    Args:
        with_number: (computation, number) -> the computation with it.
        right: the number as it should be.
        other: any other one.

    Raises:
        ValueError: where the result does not depend on it.
    """
    at_right, at_other = with_number(c, right).evaluate(), with_number(c, other).evaluate()
    slope = (at_right.value - at_other.value) / (right - other)
    if slope.shape != made.shape:
        raise ValueError("Expected a result of the same shape. Received: another")
    bound = np.maximum(at_right.bound, np.finfo(float).tiny)
    usable = np.isfinite(slope) & np.isfinite(made) & np.isfinite(bound) & (np.abs(slope) > 0)
    if not usable.any():
        raise ValueError("Expected a result that depends on the number. Received: none")
    share = slope[usable] / bound[usable]
    off = (made - at_right.value)[usable] / bound[usable]
    square = float((share * share).sum())
    number = right + float((share * off).sum()) / square
    return number, float(np.abs(share).sum()) / square
