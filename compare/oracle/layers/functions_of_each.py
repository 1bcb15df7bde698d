"""Oracles of the operations between layers that are functions of each number: exp, log, roots,
squares, sizes, powers."""

import numpy as np

from compare.oracle.base import judges
from compare.oracle.elementary import power
from compare.oracle.layers import smooth_activations
from compare.oracle.layers.piecewise import choose, same, scaled
from compare.oracle.layers.smooth_activations import Smooth
from compare.oracle.products import product
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config


@judges("ExpOperation")
class Exp(smooth_activations.Exponential):
    """exp(x)."""


class OfPositive(Smooth):
    """Base of what is defined above 0 alone."""

    def admitted(self, x: np.ndarray) -> np.ndarray:
        return np.where(x == 0, 1, np.abs(x)).astype(x.dtype)


@judges("LogOperation")
class Log(OfPositive):
    """log x; its gradient is dy / x or, as in TensorFlow, dy times a reciprocal by a vector
    instruction and a Newton step, which is not 1 of 1."""

    operation = "log(x)"

    def function(self, x: Bounded) -> Bounded:
        return x.log()

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return product(dy, power(x, -1.0))


@judges("SqrtOperation")
class Sqrt(OfPositive):
    """The root of x; its gradient is dy / 2 / sqrt(x)."""

    operation = "sqrt(x)"

    def function(self, x: Bounded) -> Bounded:
        return x.sqrt()

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return scaled(dy, 0.5) / y


@judges("RsqrtOperation")
class Rsqrt(OfPositive):
    """1 / root of x; its gradient is -dy / 2 y^3, a product in any order."""

    operation = "1 / sqrt(x)"

    def function(self, x: Bounded) -> Bounded:
        return power(x, -0.5)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return product(scaled(dy, -0.5), y, y, y)


@judges("SquareOperation")
class Square(Smooth):
    """x^2; its gradient is dy 2 x."""

    operation = "x * x"
    exact = True

    def function(self, x: Bounded) -> Bounded:
        return x * x

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        return dy * scaled(x, 2.0)

    def reductions(self, input_shape: tuple[int, ...],
                   output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "input_gradient": 2}


@judges("AbsoluteOperation")
class Absolute(Smooth):
    """|x|, which passes nothing back at 0."""

    operation = "|x|"
    exact = True
    kinks = (0.0,)

    def function(self, x: Bounded) -> Bounded:
        return choose(x, [0.0], [lambda x: -x, 0.0, same])

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        dy = dy.flushed()
        return choose(x, [0.0], [lambda x: -dy, 0.0, lambda x: dy])


@judges("PowerOperation")
class Power(Smooth):
    """x to the power of a number e; its gradient is dy e x^(e - 1)."""

    operation = "x to a power"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.exponent = float(config["operands"][1])

    def admitted(self, x: np.ndarray) -> np.ndarray:
        if self.exponent.is_integer():
            return x if self.exponent >= 1 else np.where(x == 0, 1, x).astype(x.dtype)
        return np.where(x == 0, 1, np.abs(x)).astype(x.dtype)

    def function(self, x: Bounded) -> Bounded:
        return power(x, x.rounding.nearest(self.exponent))

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        exponent = x.rounding.nearest(self.exponent)
        slope = power(x, exponent - 1)
        # e - 1 is rounded, which multiplies the power by exp(u |e - 1| |log x|) at most
        with np.errstate(divide="ignore", invalid="ignore"):
            off = x.rounding.unit * abs(exponent - 1) * np.abs(np.log(np.abs(x.value)))
            room = np.where(np.isfinite(off), np.abs(slope.value) * np.expm1(off), 0.0)
        slope = Bounded(slope.value, x.rounding, slope.bound + room)
        return product(dy, Bounded(np.full(x.shape, exponent), x.rounding), slope)
