"""The inverse of an affine transformation as float32 works it out, with a bound on its rounding.

TensorFlow and LAPACK take the matrix with a last row of (0, 0, 1) apart into triangles, with the
larger number of the first column on top (partial pivoting), and solve for the columns of the
identity. The steps below are theirs (Higham, Accuracy and Stability of Numerical Algorithms, 2nd
ed., algorithms 8.1, 9.2 and 14.1), each with its rounding. Where it is not known which number of
the first column is larger, either order may have been taken.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")


def inverse(matrices: Bounded) -> Bounded:
    """Those of (N, 2, 3), likewise.

    Raises:
        ValueError: if one of them has none.
    """
    a, b, c, d, e, f = (Number(matrices.value[:, i, j], matrices.bound[:, i, j])
                        for i in (0, 1) for j in (0, 1, 2))
    determinant = a.value * e.value - b.value * d.value
    if (determinant == 0).any():
        raise ValueError("Expected matrices that have an inverse. Received: determinants "
                         f"{determinant.tolist()}")
    one = _solved(a, b, c, d, e, f)
    below, above, last = _solved(d, e, f, a, b, c)
    other = [above, below, last]
    first = np.abs(a.value) + a.bound >= np.abs(d.value) - d.bound
    second = np.abs(d.value) + d.bound >= np.abs(a.value) - a.bound
    exact = np.linalg.inv(np.concatenate([matrices.value, np.broadcast_to(
        [[[0.0, 0.0, 1.0]]], (len(first), 1, 3))], axis=1))[:, :2]
    error = np.zeros(exact.shape)
    for columns, possible in ((one, first), (other, second)):
        for j, column in enumerate(columns):
            for i, number in enumerate(column):
                with np.errstate(invalid="ignore"):
                    off = np.abs(number.value - exact[:, i, j]) * (number.bound > 0) + number.bound
                error[:, i, j] = np.where(possible, np.fmax(error[:, i, j], off), error[:, i, j])
    return Bounded(exact, FLOAT32, error)


def _solved(a: "Number", b: "Number", c: "Number", d: "Number", e: "Number", f: "Number"
            ) -> list[tuple["Number", "Number"]]:
    """The columns of the inverse of ((a, b, c), (d, e, f)), two numbers each: for the row on top,
    for the other one, and the last."""
    zero, one = Number(np.zeros(a.value.shape)), Number(np.ones(a.value.shape))
    with np.errstate(all="ignore"):
        share = d / a
        corner, end = e - share * b, f - share * c
        found = []
        for y, x2, x3 in ((one, zero - share, zero), (zero, one, zero), (zero, zero, one)):
            second = (x2 - end * x3) / corner
            found.append(((y - b * second - c * x3) / a, second))
    return found


class Number:
    """Numbers of float32 with their errors; an operation on exact ones is exact if its result is
    one of float32."""

    def __init__(self, value: np.ndarray, bound: np.ndarray | float = 0.0) -> None:
        self.value, self.bound = value, np.broadcast_to(bound, value.shape)

    def _with(self, other: "Number", operation: Callable[[Bounded, Bounded], Bounded],
              always: Any = True) -> "Number":
        made = operation(Bounded(self.value, FLOAT32, self.bound),
                         Bounded(other.value, FLOAT32, other.bound))
        exact = (self.bound == 0) & (other.bound == 0) & always
        exact &= made.value.astype(np.float32) == made.value
        return Number(made.value, np.where(exact, 0.0, made.bound))

    def __sub__(self, other: "Number") -> "Number":
        return self._with(other, lambda a, b: a - b)

    def __mul__(self, other: "Number") -> "Number":
        return self._with(other, lambda a, b: a * b)

    def __truediv__(self, other: "Number") -> "Number":
        two = np.abs(np.frexp(other.value)[0]) == 0.5  # else it may be made by a reciprocal
        return self._with(other, lambda a, b: a / b, two | (self.value == 0))
