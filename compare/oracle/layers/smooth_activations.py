"""Oracles of activations made of exponentials.

Each gradient is bounded as automatic differentiation composes it, one rounding per operation. A
formula with fewer roundings lies within the same bound; where neither of two formulas has both of
the larger errors, the bound is the `wider` one.
"""

import math

import numpy as np

from compare.oracle.base import Activation, judges
from compare.oracle.elementary import constant, erfc, expm1, sigmoid, softplus, tanh
from compare.oracle.layers.piecewise import choose, held, same, scaled, wider
from compare.oracle.running_error import LIBRARY_ULPS, Bounded, grown


class Smooth(Activation):
    """A function of each element, and the gradient it passes back."""

    exact = False

    def function(self, x: Bounded) -> Bounded:
        raise NotImplementedError

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        raise NotImplementedError

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x, self.y = x, self.function(x)
        return self.y

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self.gradient(dy, self.x, self.y), {}


def one_minus(x: Bounded) -> Bounded:
    return Bounded(1.0, x.rounding) - x


def exponential_less_one(x: Bounded) -> Bounded:
    """exp(x) - 1 in one step, or in two: then next to 0 nothing may be left of it."""
    return wider(expm1(x), x.exp() - 1.0)


@judges(activation="exponential")
class Exponential(Smooth):
    """exp(x); or 2 to the power of x log2(e), a product of two roundings that multiply the result
    by exp(2 u |x|) at most."""

    operation = "exp(x)"

    def function(self, x: Bounded) -> Bounded:
        y = x.exp()
        room = grown(x.value, 2 * x.rounding.unit * np.abs(x.value))
        return Bounded(y.value, y.rounding, y.bound + room)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return dy * y


@judges(activation="sigmoid")
class Sigmoid(Smooth):
    """1 / (1 + exp(-x))."""

    operation = "1 / (1 + exp(-x))"

    def function(self, x: Bounded) -> Bounded:
        return sigmoid(x)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return dy * y * one_minus(y)


@judges(activation="log_sigmoid")
class LogSigmoid(Smooth):
    """log(1 / (1 + exp(-x)))."""

    operation = "log(1 / (1 + exp(-x)))"

    def function(self, x: Bounded) -> Bounded:
        return -softplus(-x)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return dy * sigmoid(-x)


@judges(activation="silu")
class SiLU(Smooth):
    """x / (1 + exp(-x))."""

    operation = "x / (1 + exp(-x))"

    def function(self, x: Bounded) -> Bounded:
        return x * sigmoid(x)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        s = sigmoid(x)
        return dy * (s * (x * one_minus(s) + 1.0))


@judges(activation="tanh")
class Tanh(Smooth):
    """tanh(x)."""

    operation = "tanh(x)"

    def function(self, x: Bounded) -> Bounded:
        return tanh(x)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        """By 1 - y^2, or by 1 / cosh(x)^2: twice a library's cosh, a product and a quotient."""
        slope = one_minus(y * y)
        by_cosh = x.rounding.gamma(4 * LIBRARY_ULPS + 3) * slope.value
        return dy * Bounded(slope.value, x.rounding, np.maximum(slope.bound, by_cosh))


@judges(activation="tanh_shrink")
class TanhShrink(Smooth):
    """x - tanh(x)."""

    operation = "x - tanh(x)"

    def function(self, x: Bounded) -> Bounded:
        return x - tanh(x)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        t = tanh(x)
        return dy - dy * one_minus(t * t)


@judges(activation="softplus")
class Softplus(Smooth):
    """log(1 + exp(x))."""

    operation = "log(1 + exp(x))"

    def function(self, x: Bounded) -> Bounded:
        return softplus(x)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return dy * sigmoid(x)


@judges(activation="softsign")
class Softsign(Smooth):
    """x / (1 + |x|)."""

    operation = "x / (1 + |x|)"

    def function(self, x: Bounded) -> Bounded:
        return x / self._spread(x)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        spread = self._spread(x)
        return dy / (spread * spread)

    def _spread(self, x: Bounded) -> Bounded:
        return Bounded(np.abs(x.value), x.rounding, x.error) + 1.0


@judges(activation="squareplus")
class Squareplus(Smooth):
    """(x + sqrt(x^2 + 4)) / 2."""

    operation = "(x + sqrt(x^2 + 4)) / 2"

    def function(self, x: Bounded) -> Bounded:
        return (x + self._root(x)) * 0.5

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        half = dy * 0.5
        return half + half * x / self._root(x)

    def _root(self, x: Bounded) -> Bounded:
        return x.through(lambda x: np.hypot(x, 2), lambda low, high: np.ones_like(low), roundings=4)


@judges(activation="mish")
class Mish(Smooth):
    """x tanh(log(1 + exp(x)))."""

    operation = "x tanh(log(1 + exp(x)))"

    def function(self, x: Bounded) -> Bounded:
        return x * tanh(softplus(x))

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        t = tanh(softplus(x))
        return dy * t + dy * x * one_minus(t * t) * sigmoid(x)


@judges(activation="gelu")
class GELU(Smooth):
    """x times the probability that a standard normal number is below x, erfc(-x / sqrt 2) / 2.

    The square root of 1/2 is rounded to float32 also for float64, as TensorFlow has it.
    """

    operation = "x erfc(-x / sqrt 2) / 2"
    SQRT_HALF = float(np.float32(math.sqrt(0.5)))

    def function(self, x: Bounded) -> Bounded:
        return x * 0.5 * erfc(self._argument(x))

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        v = self._argument(x)
        bell = (-(v * v)).exp() * constant(2 / math.sqrt(math.pi), x.rounding)
        steep = dy * (x * 0.5) * bell * self.SQRT_HALF
        return dy * 0.5 * erfc(v) + steep

    def _argument(self, x: Bounded) -> Bounded:
        return -x * self.SQRT_HALF


@judges("ELU", activation="elu")
class ELU(Smooth):
    """x above 0, alpha (exp(x) - 1) below; at 0 the gradient is alpha, 1 by default."""

    operation = "x or alpha (exp(x) - 1)"
    kinks = (0,)

    def function(self, x: Bounded) -> Bounded:
        self.alpha = held(self.config.get("alpha", 1.0), x.rounding)
        return choose(x, [0], [lambda x: scaled(exponential_less_one(x), self.alpha), 0, same])

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        """Below 0 from the result, as TensorFlow has it: (y + alpha) dy, or with alpha apart."""
        def below(x: Bounded) -> Bounded:
            less_one = exponential_less_one(x)
            return wider((less_one + 1.0) * scaled(dy, self.alpha),
                         (scaled(less_one, self.alpha) + self.alpha) * dy)

        return choose(x, [0], [below, lambda x: scaled(dy, self.alpha), lambda x: dy])


@judges(activation="selu")
class SELU(Smooth):
    """scale x above 0, scale alpha (exp(x) - 1) below; at 0 the gradient is the scale.

    TensorFlow decides by the result: where exp(x) rounds to 1, x counts as 0.
    """

    operation = "scale x or scale alpha (exp(x) - 1)"
    kinks = (0,)
    SCALE, LIMIT = 1.0507009873554805, 1.7580993408473768

    def function(self, x: Bounded) -> Bounded:
        limit, scale = (constant(c, x.rounding) for c in (self.LIMIT, self.SCALE))
        return choose(x, [0], [lambda x: exponential_less_one(x) * limit, 0, lambda x: x * scale])

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        limit, scale = (constant(c, x.rounding) for c in (self.LIMIT, self.SCALE))
        return choose(y, [0], [lambda y: dy * (y + limit), *[lambda y: dy * scale] * 2])


@judges(activation="celu")
class CELU(Smooth):
    """x above 0, exp(x) - 1 below; at 0 Keras adds the gradients of both sides, each 1."""

    operation = "x or exp(x) - 1"
    kinks = (0,)

    def function(self, x: Bounded) -> Bounded:
        return choose(x, [0], [expm1, 0, same])

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        dy = dy.flushed()
        return choose(x, [0], [lambda x: dy * x.exp(), lambda x: scaled(dy, 2.0), lambda x: dy])
