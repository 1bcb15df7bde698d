"""What is wrong with a weight's constraint: it is called by itself, on weights drawn for it."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from compare.diagnosis.finding import Cause
from compare.oracle.constraints import EPSILON, constrained
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.layer_error import RAISED
from compare.tracing.types import Config

SIZES = (0.05, 0.3, 1.0, 5.0)  # of the numbers drawn, so that norms lie below and above a limit
ROUNDINGS = 64  # of a formula in another form
Formula = Callable[[np.ndarray], np.ndarray]


def cause_of_constraint(constraint: Any, expected: Config | None, shape: tuple[int, ...],
                        dtype: str) -> Cause | None:
    """The mistake in a constraint, None if it is right.

    Args:
        constraint: the candidate's, a function of a weight; None for none.
        expected: Keras's dictionary of what it should be, None for none.
        shape: of the weight.
    """
    if constraint is None or expected is None:
        if (constraint is None) == (expected is None):
            return None
        return Cause("constraint", "it is not applied" if constraint is None
                     else "there should be none")
    rng = np.random.default_rng(0)
    drawn = [(size * rng.standard_normal(shape)).astype(dtype) for size in SIZES]
    try:
        made = [np.asarray(constraint(weight.copy()), np.float64) for weight in drawn]
    except RAISED:  # somebody's own may raise anything
        return None
    right = [constrained(Bounded(weight, Rounding.of(dtype)), expected) for weight in drawn]
    if all(m.shape == r.shape and (np.abs(m - r.value) <= r.bound).all()
           for m, r in zip(made, right)):
        return None
    for said, formula in _mistakes(expected, len(shape)):
        if all(_near(m, formula(weight.astype(np.float64)), dtype)
               for m, weight in zip(made, drawn)):
            return Cause("constraint", said)
    return Cause("constraint", "what it makes of a weight is something else")


def _near(made: np.ndarray, value: np.ndarray, dtype: str) -> bool:
    room = ROUNDINGS * np.finfo(dtype).eps * np.abs(value) + np.finfo(dtype).tiny
    return made.shape == value.shape and bool((np.abs(made - value) <= room).all())


def _mistakes(expected: Config, axes: int) -> Iterator[tuple[str, Formula]]:
    """(what is wrong, what the weight becomes then)."""
    yield "it leaves the weight as it is", lambda w: w
    name, config = expected["class_name"], expected.get("config") or {}
    if name == "NonNeg":
        yield "it takes absolute values", np.abs
        yield "it keeps the negative ones", lambda w: np.minimum(w, 0)
        yield "negative weights become 1e-7", lambda w: np.maximum(w, EPSILON)
        return
    own = config.get("axis", 0)
    yield from ((said, _of_norms(name, config, axis)) for said, axis in _axes(own, axes))
    for said, norm in (("the sum of absolute values in place of the norm", _sum),
                       ("the largest absolute value in place of the norm", _largest),
                       ("the square of the norm in its place", _square),
                       ("the root of the mean square in place of the norm", _mean)):
        yield said, _of_norms(name, config, own, norm)
    yield from ((said, _of_norms(name, other, own)) for said, other in _settings(name, config))
    for other in ("UnitNorm", "MaxNorm", "MinMaxNorm"):
        if other != name:
            yield f"{other} in its place", _of_norms(other, config, own)
    most = config.get("max_value", 2 if name == "MaxNorm" else 1.0)
    yield "each number is clipped by itself", lambda w: np.clip(w, -most, most)


def _axes(own: Any, axes: int) -> Iterator[tuple[str, Any]]:
    yield "the norm is that of the whole weight", tuple(range(axes))
    yield from ((f"the norm is along axis {axis} in place of {own}", axis) for axis in range(axes)
                if axis != own)
    if axes > 2:
        last = tuple(range(axes - 1))
        if list(last) != own:
            yield f"the norm is along all axes but the last in place of {own}", last


def _settings(name: str, config: Config) -> Iterator[tuple[str, Config]]:
    """Settings that are confused or left out."""
    if name == "MinMaxNorm":
        yield "rate is ignored", {**config, "rate": 1.0}
        yield "rate counts for the old norm", {**config, "rate": 1 - config.get("rate", 1.0)}
        yield "min_value is ignored", {**config, "min_value": 0.0}
        yield "max_value is ignored", {**config, "max_value": np.inf}
    if name == "MaxNorm":
        yield from ((f"max_value is {most:g}", {**config, "max_value": most})
                    for most in (1.0, 2.0, config.get("max_value", 2)**2))


def _of_norms(name: str, config: Config, axis: Any,
              norm: Callable[[np.ndarray, Any], np.ndarray] | None = None) -> Formula:
    """The weight with other norms along some axes."""
    axis = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)

    def change(w: np.ndarray) -> np.ndarray:
        norms = (norm or _norm)(w, axis)
        if name == "UnitNorm":
            desired = np.ones_like(norms)
        elif name == "MaxNorm":
            desired = np.clip(norms, 0, config.get("max_value", 2))
        else:
            rate = config.get("rate", 1.0)
            desired = rate * np.clip(norms, config.get("min_value", 0.0),
                                     config.get("max_value", 1.0)) + (1 - rate) * norms
        return np.asarray(w * desired / (norms + EPSILON))

    return change


def _norm(w: np.ndarray, axis: Any) -> np.ndarray:
    return np.asarray(np.sqrt(np.square(w).sum(axis=axis, keepdims=True)))


def _sum(w: np.ndarray, axis: Any) -> np.ndarray:
    return np.asarray(np.abs(w).sum(axis=axis, keepdims=True))


def _largest(w: np.ndarray, axis: Any) -> np.ndarray:
    return np.asarray(np.abs(w).max(axis=axis, keepdims=True))


def _square(w: np.ndarray, axis: Any) -> np.ndarray:
    return np.asarray(np.square(w).sum(axis=axis, keepdims=True))


def _mean(w: np.ndarray, axis: Any) -> np.ndarray:
    return np.asarray(np.sqrt(np.square(w).mean(axis=axis, keepdims=True)))
