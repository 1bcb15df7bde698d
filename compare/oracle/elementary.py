"""Elementary functions of `Bounded` numbers, with the errors that libraries make in them.

`Bounded.exp` and its like take for granted what is said in `bounded.py`. The functions here were
measured over two million arguments each, as far as results are normal numbers, against a precision
of 64 bits: NumPy 2.4 and TensorFlow 2.21 (Eigen) on a CPU. The largest errors seen, in unit
roundoffs u of the result (float32, float64), and what is assumed:

    function     NumPy         TensorFlow    assumed
    tanh         1.8, 1.6 u    5.4, 9.1 u    16 u
    sigmoid      -             8.4, 3.5 u    16 u
    log1p        1.3, 1.3 u    5.0, 3.7 u    12 u
    expm1        1.3, 1.3 u    5.3, 4.4 u    12 u
    softplus     -             7.7, 7.9 u    20 u
    erfc         -             11, 15 u      32 u

TensorFlow's softplus takes exp(x) for log(1 + exp(x)) below log(eps) + 2, which alone is 7.4 u. Its
erfc loses more next to the smallest normal number, where a correction underflows; that is less than
that number itself, for which every result has room. `scratch.activations.error_function` is off
by at most 15 u. The oracle's own values are good to a few u of float64, for which the bounds have
room as well (see `Rounding`). In float16 and bfloat16 every number that there is was tried.
"""

import math

import numpy as np

from compare.oracle.running_error import LIBRARY_ULPS, Bounded, Rounding

ROUNDINGS = {"tanh": 16, "sigmoid": 16, "log1p": 12, "expm1": 12, "softplus": 20, "erfc": 32}

_erfc = np.frompyfunc(math.erfc, 1, 1)


def constant(number: float, rounding: Rounding) -> Bounded:
    """A factor that each side may have rounded, or merged with others, in its own way."""
    return Bounded(number, rounding, abs(number) * rounding.unit)


def nearest_to_zero(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The number from low to high whose size is smallest: where a bell has its steepest slope."""
    return np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))


def logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def limited(y: Bounded, x: Bounded, low: float, high: float, name: str) -> Bounded:
    """A function's result, which lies from low to high, up to its own roundings, however far its
    operand may be off; where that is not known at all, nothing is known of it either."""
    furthest = np.maximum(high - y.value, y.value - low) + y.rounding.gamma(ROUNDINGS[name])
    return Bounded(y.value, y.rounding,
                   np.where(np.isfinite(x.bound), np.minimum(y.bound, furthest), y.bound))


def tanh(x: Bounded) -> Bounded:
    y = x.through(np.tanh, lambda low, high: 1 - np.tanh(nearest_to_zero(low, high))**2,
                  ROUNDINGS["tanh"])
    return limited(y, x, -1.0, 1.0, "tanh")


def sigmoid(x: Bounded) -> Bounded:
    def slope(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        s = logistic(-nearest_to_zero(low, high))  # on the side where 1 - s loses nothing
        return np.asarray(s * (1 - s))

    return limited(x.through(logistic, slope, ROUNDINGS["sigmoid"]), x, 0.0, 1.0, "sigmoid")


def expm1(x: Bounded) -> Bounded:
    return x.through(np.expm1, lambda low, high: np.exp(high), ROUNDINGS["expm1"])


def softplus(x: Bounded) -> Bounded:
    """log(1 + exp(x))."""
    return x.through(lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
                     lambda low, high: logistic(high), ROUNDINGS["softplus"])


def erfc(x: Bounded) -> Bounded:
    def slope(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return np.asarray(2 / math.sqrt(math.pi) * np.exp(-nearest_to_zero(low, high)**2))

    return x.through(lambda x: np.asarray(_erfc(x), np.float64), slope, ROUNDINGS["erfc"])


def power(x: Bounded, exponent: float) -> Bounded:
    """x to a power that is exact, element by element; infinite where an error reaches 0 and the
    slope there is infinite."""
    def value(numbers: np.ndarray) -> np.ndarray:
        return np.asarray(np.power(numbers, exponent))

    def slope(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        most = np.maximum(np.abs(low), np.abs(high))
        least = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
        steepest = abs(exponent) * np.where(exponent >= 1, most, least) ** (exponent - 1)
        return np.asarray(steepest if exponent else np.zeros_like(most))

    with np.errstate(divide="ignore", invalid="ignore"):
        return x.through(value, slope, 2 * LIBRARY_ULPS)
