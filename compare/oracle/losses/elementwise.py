"""Oracles for losses that are a mean over the last axis, each output having its own target."""

import numpy as np

from compare.oracle.losses.base import EPSILON, LossOracle, opened
from compare.oracle.running_error import LIBRARY_ULPS, Bounded

LIBRARY = 2 * LIBRARY_ULPS  # roundings that a library's function may cost
SINGLE = {"epsilon": float(np.float32(1e-7)), "log 2": float(np.float32(np.log(2)))}


class Elementwise(LossOracle):
    """Base: a value and a slope for each output by itself."""

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        values, slopes = self.elements(Bounded(y, self.rounding), rows.flushed())
        return self.mean(values), slopes * self.share(slopes)

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        """(values, slopes), of p's shape."""
        raise NotImplementedError


class MeanSquaredError(Elementwise):
    """(p - y)^2."""

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        error = p - y
        return error * error, error * 2.0


class MeanAbsoluteError(Elementwise):
    """|p - y|; its slope is the sign, 0 at 0."""

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        return magnitude(p - y), sign(p, y)


class MeanAbsolutePercentageError(Elementwise):
    """100 |p - y| / max(|y|, 1e-7)."""

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        size = Bounded(np.maximum(np.abs(y.value), self.constant(EPSILON)), self.rounding)
        slope = self.rounded(sign(p, y) / size, 2) * 100.0
        return magnitude((p - y) / size) * 100.0, slope


class MeanSquaredLogarithmicError(Elementwise):
    """(log(1 + p) - log(1 + y))^2, both at least 1e-7, which Keras has in float32."""

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        least = SINGLE["epsilon"]
        raised = Bounded(np.maximum(p.value, least), self.rounding, p.error) + 1.0
        true = Bounded(np.maximum(y.value, least), self.rounding) + 1.0
        error = raised.log() - true.log()
        slope = self.rounded(error * 2.0 / raised, 2)
        open_ = (p.bound > 0) & (np.abs(p.value - least) <= p.bound)
        return error * error, opened(slope.where(p.value >= least), slope, open_)


class Huber(Elementwise):
    """e^2 / 2 for |e| <= delta, else delta |e| - delta^2 / 2; its slope is e within +-delta.

    Both pieces and their slopes meet at delta, so that it does not matter which one rounding
    chooses there. The straight piece is a difference of two terms of 2 roundings each, the second
    at most half as large as the first: 8 roundings of the result.
    """

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        delta = self.constant(self.config.get("delta", 1.0))
        error = p - y

        def value(e: np.ndarray) -> np.ndarray:
            size = np.abs(e)
            return np.asarray(np.where(size <= delta, e * e / 2, delta * size - delta * delta / 2))

        def steepest(low: np.ndarray, high: np.ndarray) -> np.ndarray:
            return np.asarray(np.minimum(np.maximum(np.abs(low), np.abs(high)), delta))

        slope = self.rounded(error.clip(-delta, delta), 1)
        return error.through(value, steepest, 8), slope


class LogCosh(Elementwise):
    """e + softplus(-2 e) - log 2, the constant in float32; its slope is tanh(e).

    TensorFlow's softplus(x) is exp(x) or x itself where the rest is some 8 roundings of it, else
    log1p(exp(x)). The slope is 1 - 2 / (1 + exp(2 e)), whose terms are rounded, or tanh.
    """

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        error = p - y
        softplus = (error * -2.0).through(lambda x: np.logaddexp(x, 0.0),
                                          lambda low, high: np.ones_like(low), 2 * LIBRARY + 8)
        value = error + softplus - SINGLE["log 2"]
        half = 1 / (1 + np.exp(np.minimum(2 * error.value, 700.0)))
        own = (self.rounding.gamma(LIBRARY + 4) * (2 * half + np.abs(np.tanh(error.value)))
               + self.rounding.gamma(2))
        return value, Bounded(np.tanh(error.value), self.rounding, error.bound + own)


class Poisson(Elementwise):
    """p - y log(p + 1e-7)."""

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        raised = p + self.constant(EPSILON)
        return p - y * raised.log(), Bounded(1.0, self.rounding) - self.rounded(y / raised, 1)


class Hinge(Elementwise):
    """max(1 - y p, 0), with the slope -y at 0 too; targets of only 0 and 1 stand for -1 and 1."""

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        if np.isin(y, (0, 1)).all():
            y = 2 * y - 1
        return super().losses(y, rows, from_logits)

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        margin = Bounded(1.0, self.rounding) - y * p
        passed = -y.where(margin.value >= 0)
        exact = np.isin(np.frexp(y.value)[0], (-0.5, 0, 0.5))  # y p is not rounded, as is |y| = 1
        doubt = np.where(exact, np.abs(y.value) * p.bound, margin.bound)
        open_ = (doubt > 0) & (np.abs(margin.value) <= doubt)
        return positive(margin), opened(passed, y, open_)


class SquaredHinge(Hinge):
    """max(1 - y p, 0)^2."""

    def elements(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        missing = positive(Bounded(1.0, self.rounding) - y * p)
        return missing * missing, -(y * missing * 2.0)


def magnitude(x: Bounded) -> Bounded:
    return Bounded(np.abs(x.value), x.rounding, x.error)


def positive(x: Bounded) -> Bounded:
    return Bounded(np.maximum(x.value, 0.0), x.rounding, x.error)


def sign(p: Bounded, y: Bounded) -> Bounded:
    """The sign of p - y; any, where the error of p or a flush to zero can change it."""
    error = p.value - y.value
    open_ = (p.bound > 0) & (np.abs(error) <= p.bound)
    open_ |= (error != 0) & (np.abs(error) < p.rounding.tiny)
    value = np.sign(error)
    return Bounded(value, p.rounding, np.where(open_, 1 + np.abs(value), 0.0))
