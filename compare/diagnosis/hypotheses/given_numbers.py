"""Mistakes with numbers that a layer was given: scale and offset, mean and variance."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.scaling import Rescaling, StandardScore, given_numbers
from compare.oracle.running_error import Bounded

EPSILONS = (1e-3, 1e-5, 1e-7, 1e-8, 1e-12)
OTHER = "given-numbers"


def of_given_numbers(c) -> list[Variant]:
    """Everything about Rescaling and Normalization."""
    if isinstance(c.layer, Rescaling):
        return of_scale_and_offset(c)
    if isinstance(c.layer, StandardScore):
        return of_statistics(c)
    return []


def instead(c, value: np.ndarray) -> Bounded:
    """Another result, with a bound in proportion to the right one's."""
    right = c.changed(own=None).evaluate()
    bound = 4 * right.bound.max() + right.rounding.gamma(60) * np.abs(value)
    return Bounded(value, right.rounding, bound)


def of_scale_and_offset(c) -> list[Variant]:
    if c.tensor != "output":
        return []

    def offset_first(c):
        scale, offset = (given_numbers(c.config[name]) for name in ("scale", "offset"))
        return instead(c, (np.asarray(c.x, np.float64) + offset) * scale)

    return [inside(OTHER, "the offset is not added", lambda c: c.configured(offset=0.0)),
            inside(OTHER, "the offset is added before the product",
                   lambda c: c.changed(own=offset_first)),
            Variant(OTHER, lambda steps: "x times {:.6g} plus {:.6g}".format(*_line(*steps[0])),
                    lambda c, made: c.changed(own=lambda c: instead(c, _along(c, made))))]


def _line(c, made) -> tuple[float, float]:
    """The scale and the offset that were used, if they are one number each."""
    x = np.asarray(c.x, np.float64).ravel()
    if np.ptp(x) == 0 or np.shape(made) != np.shape(c.x):
        raise ValueError("Expected numbers that differ. Received: one number")
    scale, offset = np.polyfit(x, np.ravel(made), 1)
    return float(scale), float(offset)


def _along(c, made) -> np.ndarray:
    scale, offset = _line(c, made)
    return np.asarray(c.x, np.float64) * scale + offset


def of_statistics(c) -> list[Variant]:
    inverted = not c.config.get("invert")
    found = [inside(OTHER, "the way back" if inverted else "the way forth",
                    lambda c: c.configured(invert=inverted))]
    if "variance" not in c.weights:
        return found
    found.append(inside("variance-for-deviation", "the variance in place of its root",
                        lambda c: c.weighing(variance=np.square(c.weights["variance"]))))
    found += [inside("epsilon", f"{e:g} added to the variance", lambda c, e=e: c.weighing(
        variance=c.weights["variance"] + c.weights["variance"].dtype.type(e))) for e in EPSILONS]
    if c.tensor == "output":
        found.append(inside("moving-statistics", "the batch's own in place of those that are given",
                            lambda c: c.changed(own=_own_moments)))
    return found


def _own_moments(c) -> Bounded:
    x, axis = np.asarray(c.x, np.float64), c.config.get("axis", -1)
    kept = [a % x.ndim for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    axes = tuple(i for i in range(x.ndim) if i not in kept)
    deviation = x.std(axis=axes, keepdims=True)
    if not deviation.all():
        raise ValueError("Expected numbers that differ. Received: one number")
    centred = x - x.mean(axis=axes, keepdims=True)
    return instead(c, centred * deviation if c.config.get("invert") else centred / deviation)
