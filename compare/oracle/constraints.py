"""The oracle for constraints: what a weight is after one, with a bound on rounding."""

import numpy as np

from compare.oracle.elementary import constant
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config

EPSILON = 1e-7


def constrained(weight: Bounded, constraint: Config) -> Bounded:
    """A weight in its bounds.

    Args:
        constraint: Keras's dictionary of it.

    Raises:
        ValueError: for a constraint that has no oracle.
    """
    name, config = constraint["class_name"], constraint.get("config") or {}
    if name == "NonNeg":
        return Bounded(np.maximum(weight.value, 0.0), weight.rounding, weight.error)
    if name not in ("MaxNorm", "UnitNorm", "MinMaxNorm"):
        raise ValueError("Expected a constraint whose formula is known: MaxNorm, NonNeg, UnitNorm, "
                         f"MinMaxNorm. Received: {name}")
    axis = config.get("axis", 0)
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    norms = (weight * weight).sum(axis=axes, keepdims=True).sqrt()
    divisor = norms + constant(EPSILON, weight.rounding)
    if name == "UnitNorm":
        return weight / divisor
    if name == "MaxNorm":
        return weight * _fraction(_clipped(norms, 0.0, config.get("max_value", 2)) / divisor)
    rate = config.get("rate", 1.0)
    desired = (_clipped(norms, config.get("min_value", 0.0), config.get("max_value", 1.0))
               * constant(rate, weight.rounding)
               + norms * constant(1 - rate, weight.rounding))
    return weight * (desired / divisor)


def _fraction(ratio: Bounded) -> Bounded:
    """A ratio of a norm to more than that: between 0 and 1, and so is what it is rounded to, up to
    the roundings of the two. That is all that is known of it where the norm may be 0."""
    most = 1 + 4 * ratio.rounding.unit
    return Bounded(ratio.value, ratio.rounding, np.minimum(ratio.bound, most))


def _clipped(norms: Bounded, low: float, high: float) -> Bounded:
    """Norms kept between two limits, each of which may have been rounded."""
    value = np.clip(norms.value, low, high)
    limits = norms.rounding.unit * max(abs(low), abs(high))
    return Bounded(value, norms.rounding, norms.bound + limits)
