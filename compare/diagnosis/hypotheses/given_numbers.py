"""Mistakes with numbers that a layer was given: scale and offset, mean and variance."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.scaling import (
    LayerScale,
    Rescaling,
    ScaledResidual,
    StandardScore,
    exactly,
    given_numbers,
)
from compare.oracle.running_error import Bounded

EPSILONS = (1e-3, 1e-5, 1e-7, 1e-8, 1e-12)
OTHER = "given-numbers"


def of_given_numbers(c) -> list[Variant]:
    """Everything about Rescaling, Normalization, LayerScale and CustomScaleLayer."""
    if isinstance(c.layer, LayerScale):
        return of_gain(c)
    if isinstance(c.layer, ScaledResidual):
        return of_scaled_branch(c)
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


def of_gain(c) -> list[Variant]:
    """No gain, or one that is added to 1."""
    def added(c):
        a = c.exact(c.x if c.tensor == "output" else c.dy)
        return a + a * c.exact(c.weights["gamma"])

    if c.tensor not in ("output", "input_gradient"):
        return []
    ones = np.ones_like(c.weights["gamma"])
    return [inside("gamma-missing", "", lambda c: c.weighing(gamma=ones)),
            inside("gamma-missing", "gamma is added to 1", lambda c: c.changed(own=added))]


def of_scaled_branch(c) -> list[Variant]:
    """Which of the two, or both, are scaled."""
    def times(a: Bounded, factor: float) -> Bounded:
        return a if factor == 1 else a * exactly(np.asarray(factor), a)

    def other(c, shortcut, branch):
        if c.tensor == "output":
            return times(c.exact(c.x[0]), shortcut) + times(c.exact(c.x[1]), branch)
        return times(c.exact(c.dy), shortcut if c.tensor.endswith("1") else branch)

    own = float(c.config["scale"])
    ways = [("the branch is not scaled", 1.0, 1.0), ("the sum is scaled", own, own),
            ("the shortcut is scaled in place of the branch", own, 1.0),
            ("divided by the scale", 1.0, 1 / own if own else 1.0)]
    return [inside(OTHER, said, lambda c, a=a, b=b: c.changed(own=lambda c: other(c, a, b)))
            for said, a, b in ways]


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
