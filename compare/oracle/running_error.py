"""Numbers that carry a proved bound on what rounding can have done to them.

A `Bounded` holds a value computed in float64 and, element by element, how far a computation of the
same formula in the audited precision can lie from it, in any order of summation, with or without
fused multiply-add. This is running error analysis (Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., sections 3.1 to 3.3): each operation passes its operands' errors on and adds
its own rounding. A product sum of n terms adds gamma_n * sum|a||b| with gamma_n = n u / (1 - n u).

What is taken for granted, and where it comes from:
- +, -, *, / are IEEE 754 operations with unit roundoff u; a division may also be made as a
  multiplication by a rounded reciprocal, which costs one rounding more.
- exp and log are off by at most `LIBRARY_ULPS` units in the last place, the largest that NumPy's
  own tests grant its float32 kernels (3 for exp, 4 for log); Eigen's and oneDNN's are no worse.
- nothing overflows on the way: one order of summation may where another does not. Where the
  formula's own intermediate results are too large, `Rounding.overflows` says so afterwards.
- results below the smallest normal number may be flushed to zero, and such operands read as zero,
  as TensorFlow's kernels do.
- no Strassen or Winograd product, for which only norm-wise bounds hold; NumPy's and TensorFlow's
  CPU kernels use none.
The value itself carries float64's own rounding, so u below is u(audited) + u(float64).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Union

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from scratch import precision

LIBRARY_ULPS = 4
ZERO = np.zeros(())
Function = Callable[[np.ndarray], np.ndarray]
Product = Callable[[np.ndarray, np.ndarray], np.ndarray]
Operand = Union["Bounded", np.ndarray, float]


# unit roundoff, smallest number that is not flushed, largest number; float16's denormals are kept
LOW = {"float16": (2.0**-11 + 2.0**-53, 2.0**-24, 65504.0),
       "bfloat16": (2.0**-8 + 2.0**-53, 2.0**-126, float(np.ldexp(2 - 2.0**-7, 127)))}


@dataclass
class Rounding:
    """The audited precision, and what was seen while its bounds were worked out.

    Attributes:
        unit: the roundoff, float64's own added.
        tiny: the smallest normal number.
        largest: the largest finite number.
        bounds: without, no error is worked out, which costs more than the values do: for who wants
            those alone. They are the same numbers.
        sums: the roundoff in which products are added up where that is known to be a wider
            precision's, see `bilinear`; None where `unit` is it.
        normal: below it numbers have fewer bits, where such are kept and not flushed; 0 where all
            below `tiny` may be flushed.
        overflows: whether an intermediate result was beyond `largest`, for which no bound holds.
        overflows_low: whether one was in a layer of a low precision: in float16, which ends at
            65504, one order of summation may overflow where another does not.
    """

    unit: float
    tiny: float
    largest: float = np.inf
    bounds: bool = True
    sums: float | None = None
    normal: float = 0.0
    overflows: bool = field(default=False, compare=False)
    overflows_low: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, dtype: DTypeLike) -> "Rounding":
        if dtype in LOW:
            return cls(*LOW[str(dtype)], sums=2.0**-24 + 2.0**-53,
                       normal=2.0**-14 if dtype == "float16" else 0.0)
        info = np.finfo(dtype)
        return cls(float(info.eps) / 2 + 2.0**-53, float(info.tiny), float(info.max))

    def nearest(self, numbers: ArrayLike) -> Any:
        """Numbers as the audited precision holds them, in float64."""
        name = next((name for name, (unit, *_) in LOW.items() if unit == self.unit), "")
        wide = np.asarray(numbers, np.float64)
        with np.errstate(over="ignore"):
            held = wide.astype(np.float32) if self.unit > 2.0**-50 else wide
        return precision.rounded(held, name).astype(np.float64)

    def gamma(self, n: np.ndarray | float) -> Any:
        """n u / (1 - n u), the relative error that n roundings can add up to; n may be an array.

        Where n u >= 1 that promises nothing, and (1 - u)^-n - 1 takes its place, of which it is a
        simplification. Every term of a sum meets at most n factors 1 + d or 1 / (1 + d), |d| <= u,
        in any order, in blocks or with fused multiply-adds, and their product lies from (1 - u)^n
        to (1 - u)^-n (Higham, the proof of lemma 3.1), for any n.
        """
        n = np.asarray(n, np.float64)
        off = n * self.unit
        many = off >= 1
        if not many.any():
            return off / (1 - off)
        few = np.where(many, 0, n)
        return np.where(many, np.expm1(-n * np.log1p(-self.unit)),
                        few * self.unit / (1 - few * self.unit))

    def watch(self, magnitude: np.ndarray) -> None:
        """Take note if numbers as large as these overflow."""
        if not self.overflows and np.any(magnitude > self.largest):
            self.overflows = True


class Bounded:
    """value (float64 array) and error (same shape, >= 0), audited for one `rounding`."""

    __array_ufunc__ = None  # so that ndarray * Bounded comes here

    def __init__(self, value: ArrayLike, rounding: Rounding,
                 error: ArrayLike | None = None) -> None:
        self.value = np.asarray(value, np.float64)
        self.rounding = rounding
        self.error: np.ndarray | None = None
        self._flushed: Bounded | None = None  # what `flushed` gives, if that is another one
        self._is_flushed = not rounding.bounds
        if error is not None and rounding.bounds:
            if np.isnan(np.max(error, initial=0.0)):  # 0 times an error without limit is not 0
                error = np.where(np.isnan(error), np.inf, error)
            self.error = np.broadcast_to(np.asarray(error, np.float64), self.value.shape)

    @property
    def bound(self) -> np.ndarray:
        """The error as an array, zeros where the value is exact; not to be written to."""
        return np.broadcast_to(ZERO, self.shape) if self.error is None else self.error

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def _lift(self, other: Operand) -> "Bounded":
        return other if isinstance(other, Bounded) else Bounded(other, self.rounding)

    def _rounded(self, value: np.ndarray, passed_on: np.ndarray,
                 roundings: np.ndarray | int = 1) -> "Bounded":
        """A result with the errors passed on by its operands and `roundings` of its own."""
        gamma, size = self.rounding.gamma(roundings), np.abs(value)
        self.rounding.watch(size)
        error = passed_on + gamma * (size + passed_on) + self.rounding.tiny
        return Bounded(value, self.rounding, error)

    def __add__(self, other: Operand) -> "Bounded":
        a, b = self.flushed(), self._lift(other).flushed()
        if not self.rounding.bounds:
            return Bounded(a.value + b.value, self.rounding)
        return self._rounded(a.value + b.value, a.bound + b.bound)

    def __sub__(self, other: Operand) -> "Bounded":
        a, b = self.flushed(), self._lift(other).flushed()
        if not self.rounding.bounds:
            return Bounded(a.value - b.value, self.rounding)
        return self._rounded(a.value - b.value, a.bound + b.bound)

    def __mul__(self, other: Operand) -> "Bounded":
        a, b = self.flushed(), self._lift(other).flushed()
        if not self.rounding.bounds:
            return Bounded(a.value * b.value, self.rounding)
        passed_on = (np.abs(a.value) * b.bound + a.bound * np.abs(b.value)
                     + a.bound * b.bound)
        return self._rounded(a.value * b.value, passed_on)

    def __truediv__(self, other: Operand) -> "Bounded":
        a, b = self.flushed(), self._lift(other).flushed()
        with np.errstate(divide="ignore", invalid="ignore"):
            value = a.value / b.value
            if not self.rounding.bounds:
                return Bounded(value, self.rounding)
            smallest = np.abs(b.value) - b.bound
            passed_on = np.where(smallest > 0,
                                 (a.bound + np.abs(value) * b.bound) / smallest, np.inf)
        reciprocal = self.rounding.tiny * (np.abs(a.value) + a.bound)  # flushed to zero
        return self._rounded(value, passed_on + reciprocal, np.where(b.is_power_of_two(), 0, 2))

    def __neg__(self) -> "Bounded":
        return Bounded(-self.value, self.rounding, self.error)

    def is_power_of_two(self) -> np.ndarray:
        """Where the audited precision must hold exactly a power of two, by which dividing rounds
        nothing: its neighbours there are further away than the error."""
        alone = self.bound < self.rounding.unit * np.abs(self.value) / 2
        return np.asarray((np.abs(np.frexp(self.value)[0]) == 0.5) & alone)

    def exp(self) -> "Bounded":
        x = self.flushed()
        value = np.exp(x.value)
        if not self.rounding.bounds:
            return Bounded(value, self.rounding)
        exact = (x.value == 0) & (x.bound <= self.rounding.tiny)  # exp(0) is 1
        return self._rounded(value, grown(x.value, x.bound), np.where(exact, 0, 2 * LIBRARY_ULPS))

    def log(self) -> "Bounded":
        x = self.flushed()
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.log(x.value)
            if not self.rounding.bounds:
                return Bounded(value, self.rounding)
            smallest = x.value - x.bound
            passed_on = np.where(smallest > 0, np.log1p(x.bound / smallest), np.inf)
        return self._rounded(value, passed_on, roundings=2 * LIBRARY_ULPS)

    def sqrt(self) -> "Bounded":
        x = self.flushed()
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.sqrt(x.value)
            if not self.rounding.bounds:
                return Bounded(value, self.rounding)
            lowest = np.sqrt(np.maximum(x.value - x.bound, 0.0))
            # |sqrt(a) - sqrt(b)| is |a - b| / (sqrt(a) + sqrt(b)), and never above sqrt(|a - b|)
            passed_on = np.where(x.bound > 0, np.fmin(x.bound / (value + lowest),
                                                      np.sqrt(x.bound)), 0.0)
        return self._rounded(value, passed_on)

    def through(self, function: Function, slope: Callable[[np.ndarray, np.ndarray], np.ndarray],
                roundings: int) -> "Bounded":
        """A smooth function of each element.

        Args:
            function: of a float64 array.
            slope: a function (low, high) -> the largest |function'| between the two, element by
                element; what an error of the operand is multiplied by.
            roundings: how many roundings, relative to the result, computing it may cost at most.
        """
        x = self.flushed()
        value = function(x.value)
        if not self.rounding.bounds:
            return Bounded(value, self.rounding)
        passed_on = np.where(x.bound > 0,
                             slope(x.value - x.bound, x.value + x.bound) * x.bound, 0.0)
        return self._rounded(value, passed_on, roundings)

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Bounded":
        """The sum in any order; terms that are exactly zero round nothing.

        An addition rounds by no more than the smaller of its operands, for the larger one is itself
        a number of the precision (Higham, problem 2.2). So terms next to the smallest normal number
        count by their size, and only all others as roundings.
        """
        if not self.rounding.bounds:
            return Bounded(self.value.sum(axis=axis, keepdims=keepdims), self.rounding)
        size = np.abs(self.value) + self.bound
        small = (size > 0) & (size <= 4 * self.rounding.tiny)
        terms = (self.support() * ~small).sum(axis=axis, keepdims=keepdims)
        value = self.value.sum(axis=axis, keepdims=keepdims)
        magnitude = np.abs(self.value).sum(axis=axis, keepdims=keepdims)
        self.rounding.watch(magnitude)
        passed_on = self.bound.sum(axis=axis, keepdims=keepdims)
        if small.any():
            number = small.sum(axis=axis, keepdims=keepdims)
            least = np.where(small, size, 0.0).sum(axis=axis, keepdims=keepdims)
            passed_on = passed_on + 2 * number * (least + self.rounding.tiny)
        return added_up(value, magnitude, passed_on, terms, self.rounding)

    def counts(self) -> np.ndarray:
        """Where the value may be other than zero."""
        found = self.value != 0
        return np.asarray(found if self.error is None else found | (self.error > 0))

    def support(self) -> np.ndarray:
        """1.0 where the value may be other than zero, else 0.0."""
        return self.counts().astype(np.float64)

    def clip(self, low: float, high: float) -> "Bounded":
        # in TensorFlow's order, should low be larger
        value = np.maximum(np.minimum(self.value, high), low)
        return Bounded(value, self.rounding, self.bound)

    def where(self, mask: np.ndarray) -> "Bounded":
        """The value where the mask is true, an exact zero elsewhere; denormals may be flushed."""
        value = np.where(mask, self.value, 0.0)
        if not self.rounding.bounds:
            return Bounded(value, self.rounding)
        return Bounded(value, self.rounding, np.where(mask, self.bound, 0.0)).flushed()

    def flushed(self) -> "Bounded":
        """Whatever may lie below the smallest normal number may also have been read as zero."""
        if self._is_flushed:
            return self
        if self._flushed is not None:  # whatever reads the numbers asks for it
            return self._flushed
        size = np.abs(self.value)
        denormal = (size if self.error is None else size - self.error) < self.rounding.tiny
        denormal &= size > 0
        if not denormal.any():
            self._is_flushed = True
            return self
        self._flushed = Bounded(self.value, self.rounding,
                                np.where(denormal, np.maximum(self.bound, size), self.bound))
        self._flushed._is_flushed = True  # once more would change nothing
        return self._flushed

    def reshape(self, *shape: Any) -> "Bounded":
        error = None if self.error is None else self.error.reshape(*shape)
        return Bounded(self.value.reshape(*shape), self.rounding, error)

    def rearranged(self, function: Function) -> "Bounded":
        """The same numbers, errors and all, where a function of an array puts them."""
        error = None if self.error is None else function(self.error)
        return Bounded(function(self.value), self.rounding, error)


def added_up(value: np.ndarray, magnitude: np.ndarray, passed_on: np.ndarray, terms: np.ndarray,
             rounding: Rounding) -> Bounded:
    """Sums in any order, given in float64, and those of the terms' absolute values and errors.

    Args:
        terms: how many of them are not exactly zero.
    """
    terms = np.where(terms > 1, terms, 0)  # a sum of one is no sum
    passed_on = passed_on + 2 * terms * rounding.tiny  # terms and partial sums, flushed
    gamma = rounding.gamma(terms)
    return Bounded(value, rounding, passed_on + gamma * (magnitude + passed_on)).flushed()


def grown(exponent: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The most by which exp changes where its operand does by `error`; also of a large error, where
    what is 0 or next to it may have underflown."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.where(error < 1, np.exp(exponent) * np.expm1(error),
                                   np.exp(exponent + error)))


def largest(values: np.ndarray, errors: np.ndarray, tiny: float, axis: int | tuple[int, ...],
            keepdims: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(the largest of some numbers, how far what is taken for it can lie from it).

    Numbers below the smallest normal one, `tiny`, may be compared as zeros, so that any of them may
    be taken where one of them is the largest.
    """
    value = values.max(axis=axis, keepdims=True)
    error = errors.max(axis=axis, keepdims=True)
    possible = values + errors >= (values - errors).max(axis=axis, keepdims=True)
    with np.errstate(invalid="ignore"):
        taken = np.where((np.abs(values) < tiny) & possible, np.abs(values - value), 0.0)
    error = np.maximum(error, taken.max(axis=axis, keepdims=True))
    return (value, error) if keepdims else (value.squeeze(axis), error.squeeze(axis))


def bilinear(product: Product, a: Bounded, b: Bounded, bias: Bounded | None = None, *,
             wide: bool = False, count: Product | None = None) -> Bounded:
    """product(a, b) + bias, of which every element is a sum of products a_i b_i.

    Convolution, dense layers and their gradients are such: one more pass with absolute values
    gives sum|a||b|, one with zeros and ones the number n of terms that are not zero, and
    gamma_n sum|a||b| is the bound (Higham, eq. 3.5). A bias is one more term of the sum, for it may
    come last or be what the sum starts with.

    Args:
        wide: whether kernels are known to add up in the precision of `Rounding.sums`, if there is
            one. The sum is then rounded, or cut off, to the precision itself, and the bias added
            and rounded, or it is part of the sum: whichever it is, two roundings of the sum and one
            of the whole are allowed. Without, they add up in either and may cut the sum off, too:
            one rounding more than there are terms.
        count: the numbers of terms, in less time than the product of zeros and ones takes: from
            arrays that are true where a number may be other than zero. Where they are the same
            along an axis, it may have size 1.
    """
    a, b, rounding = a.flushed(), b.flushed(), a.rounding
    value = product(a.value, b.value)
    if not rounding.bounds:
        bias = None if bias is None else bias.flushed()
        return Bounded(value if bias is None else value + bias.value, rounding)
    magnitude = product(np.abs(a.value), np.abs(b.value))
    rounding.watch(magnitude)
    terms = (product(a.support(), b.support()) if count is None
             else count(a.counts(), b.counts()))
    passed_on = 2 * terms * rounding.tiny  # products and partial sums, flushed to zero
    if a.error is not None or b.error is not None:
        passed_on = passed_on + _errors_passed_on(product, a, b)
    if bias is not None:
        bias = bias.flushed()
        terms, value = terms + bias.support(), value + bias.value
        magnitude = magnitude + np.abs(bias.value)
        passed_on = passed_on + bias.bound + 2 * rounding.tiny
    if wide and rounding.sums is not None:
        accumulated = replace(rounding, unit=rounding.sums).gamma(terms) * (magnitude + passed_on)
        error = passed_on + accumulated
        sum_alone = np.abs(value if bias is None else value - bias.value) + error
        error = error + 2 * rounding.unit * sum_alone + rounding.tiny
        if bias is not None:
            error = error + rounding.unit * (np.abs(value) + error) + rounding.tiny
        return Bounded(value, rounding, np.where(terms > 0, error, passed_on))
    if rounding.sums is not None:  # the last one may cut off
        terms = terms + (terms > 0)
    return Bounded(value, rounding, passed_on + rounding.gamma(terms) * (magnitude + passed_on))


def _errors_passed_on(product: Product, a: Bounded, b: Bounded) -> np.ndarray:
    """sum |a| error_b + error_a |b| + error_a error_b. Where one of the two is exact and the other
    finite, two of the three are 0."""
    size_a, size_b = np.abs(a.value), np.abs(b.value)
    if b.error is None and _finite(size_a, a.bound):
        return product(a.bound, size_b)
    if a.error is None and _finite(size_b, b.bound):
        return product(size_a, b.bound)
    return product(size_a, b.bound) + product(a.bound, size_b) + product(a.bound, b.bound)


def _finite(*sizes: np.ndarray) -> bool:
    """Of numbers that are not negative."""
    return all(np.max(size, initial=0.0) < np.inf for size in sizes)
