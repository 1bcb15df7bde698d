"""Oracles of comparisons, of what is made of them, and of choices by them.

Truth is held in numbers, 1 and 0. Nothing is rounded; but where rounding before may have turned a
comparison over, its error is 1, and a choice may be the other one.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.layers import merging
from compare.oracle.layers.operations import Binary
from compare.oracle.running_error import Bounded


def no_gradient(dy: Bounded, shape: tuple[int, ...]) -> Bounded:
    """Zeros, as good as none."""
    return Bounded(np.zeros(shape), dy.rounding)


def as_truth(x: np.ndarray) -> np.ndarray:
    """Numbers drawn for an input that holds truth: 1 for what is above 0."""
    return np.asarray(x > 0, x.dtype)


def may_be_zero(x: Bounded) -> np.ndarray:
    """Where rounding may have made 0 of another number, or another number of 0."""
    return np.asarray((np.abs(x.value) <= x.bound) & (x.bound > 0))


class Comparison(Binary):
    """Base: whether a comparison of two numbers holds."""

    operation = "a comparison"
    holds: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def merged(self) -> Bounded:
        a, b = self.x
        value = type(self).holds(a.value, b.value).astype(np.float64)
        return Bounded(value, a.rounding, self.turned(a.flushed(), b.flushed()).astype(np.float64))

    def turned(self, a: Bounded, b: Bounded) -> np.ndarray:
        """Where rounding may turn it over: where the two may be equal, or the other way round."""
        error = a.bound + b.bound
        return np.asarray((np.abs(a.value - b.value) <= error) & (error > 0))

    def gradients(self, dy: Bounded) -> list[Bounded]:
        return [no_gradient(dy, dy.shape) for _ in self.x]


class Logical(Comparison):
    """Base: of truth, which is whatever is not 0."""

    def admitted(self, x: np.ndarray) -> np.ndarray:
        return as_truth(x)

    def turned(self, a: Bounded, b: Bounded) -> np.ndarray:
        return np.asarray(may_be_zero(a) | may_be_zero(b))


@judges("GreaterOperation")
class Greater(Comparison):
    """a > b."""

    holds = np.greater


@judges("GreaterEqualOperation")
class GreaterEqual(Comparison):
    """a >= b."""

    holds = np.greater_equal


@judges("LessOperation")
class Less(Comparison):
    """a < b."""

    holds = np.less


@judges("LessEqualOperation")
class LessEqual(Comparison):
    """a <= b."""

    holds = np.less_equal


@judges("EqualOperation")
class Equal(Comparison):
    """a == b."""

    holds = np.equal


@judges("NotEqualOperation")
class NotEqual(Comparison):
    """a != b."""

    holds = np.not_equal


@judges("LogicalAndOperation")
class LogicalAnd(Logical):
    """Both."""

    holds = np.logical_and


@judges("LogicalOrOperation")
class LogicalOr(Logical):
    """One or both."""

    holds = np.logical_or


@judges("LogicalXorOperation")
class LogicalXor(Logical):
    """One alone."""

    holds = np.logical_xor


class OfTruth(Oracle):
    """Base: of one input, with no gradient."""

    operation = "truth as a number"

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return no_gradient(dy, dy.shape), {}


@judges("LogicalNotOperation")
class LogicalNot(OfTruth):
    """Whether x is 0."""

    def admitted(self, x: np.ndarray) -> np.ndarray:
        return as_truth(x)

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        x = x.flushed()
        return Bounded((x.value == 0).astype(np.float64), x.rounding,
                       may_be_zero(x).astype(np.float64))


@judges("StopGradientOperation")
class StopGradient(OfTruth):
    """x."""

    operation = "a stop of gradients"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return x


@judges("CastOperation")
class Cast(OfTruth):
    """Truth as a number, a number as it is, or a number as truth."""

    def admitted(self, x: np.ndarray) -> np.ndarray:
        return as_truth(x) if self.config["truth"] else x

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        if self.config["dtype"] != "bool":
            return x
        x = x.flushed()
        return Bounded((x.value != 0).astype(np.float64), x.rounding,
                       may_be_zero(x).astype(np.float64))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        if self.config["truth"] or self.config["dtype"] == "bool":
            return super().backward(dy)
        return dy, {}


@judges("WhereOperation")
class Where(Binary):
    """a or b, by a condition; a gradient goes where the number came from."""

    operation = "a choice"

    def admitted(self, x: np.ndarray) -> np.ndarray:
        return as_truth(x)

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return (as_truth(x[0]), *x[1:])

    def merged(self) -> Bounded:
        condition, a, b = self.x
        chosen = condition.value != 0
        self.chosen = chosen
        # a comparison that may be turned over has an error of 1
        self.turned = may_be_zero(condition) | (condition.bound >= 1)
        value = np.where(chosen, a.value, b.value)
        error = np.where(chosen, a.bound, b.bound)
        either = np.abs(a.value - b.value) + a.bound + b.bound
        return Bounded(value, a.rounding, np.where(self.turned, either, error))

    def gradients(self, dy: Bounded) -> list[Bounded]:
        largest = np.abs(dy.value) + dy.bound
        found = [no_gradient(dy, dy.shape)]
        for mask in (self.chosen, ~self.chosen):
            error = np.where(self.turned, largest, np.where(mask, dy.bound, 0.0))
            found.append(Bounded(np.where(mask, dy.value, 0.0), dy.rounding, error).flushed())
        return found

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        shapes = input_shape if self.merges else [input_shape]
        return {"output": 1, "input_gradient":
                merging.Merging.reductions(self, shapes, output_shape)["input_gradient"]}
