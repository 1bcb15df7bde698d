"""Functions of each number: keras.ops.exp, log, sqrt, rsqrt, square, absolute, power."""

import numbers

import numpy as np

from scratch.operations.operation import Operation


class OfEach(Operation):
    """Base: a function of each number, of inputs of any shape, by `value` and `slope`."""

    def value(self, x: np.ndarray) -> np.ndarray:
        """The function of x."""
        raise NotImplementedError

    def slope(self, dy: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """dy times the function's slope at x, where it is y."""
        raise NotImplementedError

    def forward(self, x, training=False):
        self._x = x
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            self._y = self.value(x)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return self.slope(dy, self._x, self._y)


class ExpOperation(OfEach):
    """exp(x)."""

    sample_by_sample = True

    def value(self, x):
        return np.exp(x)

    def slope(self, dy, x, y):
        return dy * y


class LogOperation(OfEach):
    """log x: NaN below 0, minus infinity at 0."""

    sample_by_sample = True

    def value(self, x):
        return np.log(x)

    def slope(self, dy, x, y):
        return dy / x


class SqrtOperation(OfEach):
    """The root of x, NaN below 0; the slope at 0 is infinite."""

    sample_by_sample = True

    def value(self, x):
        return np.sqrt(x)

    def slope(self, dy, x, y):
        # dy / 2 is exact, unless it underflows
        return dy * x.dtype.type(0.5) / y


class RsqrtOperation(OfEach):
    """1 / root of x: infinite at 0, NaN below."""

    module = "keras.src.ops.math"
    sample_by_sample = True

    def value(self, x):
        return 1 / np.sqrt(x)

    def slope(self, dy, x, y):
        return dy * x.dtype.type(-0.5) * (y * y * y)


class SquareOperation(OfEach):
    """x^2."""

    sample_by_sample = True

    def value(self, x):
        return x * x

    def slope(self, dy, x, y):
        return dy * (2 * x)


class AbsoluteOperation(OfEach):
    """|x|; the slope at 0 is 0."""

    sample_by_sample = True

    def value(self, x):
        return np.abs(x)

    def slope(self, dy, x, y):
        return dy * np.sign(x)


class PowerOperation(OfEach, operator="**"):
    """x to the power of a number; of negative x, unless that number is whole, NaN.

    Args:
        operands: [None, the number].
        name: see `Operation`.

    Raises:
        ValueError: for anything else than one tensor to the power of one number.
    """

    sample_by_sample = True

    def __init__(self, operands=(None, 2), **kwargs):
        super().__init__(operands=operands, **kwargs)
        if len(self.operands) != 2 or self.operands[0] is not None \
                or not isinstance(self.operands[1], numbers.Real):
            raise ValueError(f"{self}: expected a tensor to the power of a number. "
                             f"Received: operands={self.operands}")

    def value(self, x):
        return np.power(x, x.dtype.type(self.operands[1]))

    def slope(self, dy, x, y):
        exponent = x.dtype.type(self.operands[1])
        return dy * (exponent * np.power(x, exponent - 1))
