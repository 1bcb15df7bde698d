"""Muon's Newton-Schulz iteration, with a proved bound on what rounding does to it.

X <- a X + (b A + c A^2) X, A = X X^T, acts on the singular values of X alone, by the odd polynomial
p(s) = a s + b s^3 + c s^5. Element by element its products lose all digits within a few iterations,
so errors are carried along in the Frobenius norm instead. The derivative of such a matrix function
multiplies that norm by divided differences of p at most (Noferini, A formula for the Frechet
derivative of a generalized matrix function, 2017), and these are values of p' between -S and S, S
being the largest singular value: an error of the norm e becomes at most max |p'| e, as long as S
counts the error in. What an iteration rounds by itself is bounded by the norms of its factors.
"""

import numpy as np

from compare.oracle.running_error import Bounded, Rounding

NORM_EPSILON = 1e-7
Coefficients = tuple[float, float, float]


def orthogonalized(x: Bounded, coefficients: Coefficients, steps: int) -> Bounded:
    """The matrix after so many iterations, begun at x over its Frobenius norm."""
    if x.shape[0] > x.shape[1]:
        return orthogonalized(x.rearranged(np.transpose), coefficients, steps).rearranged(
            np.transpose)
    if not np.isfinite(x.value).all():  # a NaN has no singular values
        return Bounded(np.full(x.shape, np.nan), x.rounding, np.full(x.shape, np.inf))
    start = x / ((x * x).sum().sqrt() + NORM_EPSILON)
    value, error = start.value, frobenius(start.bound)
    for _ in range(steps):
        most = float(np.linalg.norm(value, 2)) * (1 + 1e-12) + error
        added = own_rounding(most, frobenius(value) + error, value.shape, coefficients, x.rounding)
        error = steepest(most, coefficients) * error + added
        value = iterated(value, coefficients)
    if not steps:
        return start
    return Bounded(value, x.rounding, np.full(value.shape, error))


def iterated(x: np.ndarray, coefficients: Coefficients) -> np.ndarray:
    a, b, c = coefficients
    gram = x @ x.T
    return np.asarray(a * x + (b * gram + c * gram @ gram) @ x)


def frobenius(array: np.ndarray) -> float:
    return float(np.sqrt(np.square(array).sum()))


def steepest(most: float, coefficients: Coefficients) -> float:
    """The largest |p'(s)| = |a + 3 b s^2 + 5 c s^4| for s up to `most`."""
    a, b, c = coefficients
    turn = -3 * b / (10 * c) if c else 0.0  # in s^2
    squares = [0.0, most**2, min(max(turn, 0.0), most**2)]
    return max(abs(a + 3 * b * s + 5 * c * s**2) for s in squares)


def own_rounding(most: float, size: float, shape: tuple[int, ...], coefficients: Coefficients,
                 rounding: Rounding) -> float:
    """The Frobenius norm of what one iteration rounds.

    Args:
        most, size: the spectral and the Frobenius norm of the matrix, at most.
    """
    a, b, c = map(abs, coefficients)
    inner, outer = rounding.gamma(shape[0]), rounding.gamma(shape[1])
    unit = rounding.gamma(1)
    gram_error = outer * size**2
    gram = most * size + gram_error
    square_error = (c * (2 * most**2 * gram_error + gram_error**2)
                    + (unit + inner * (1 + unit)) * c * gram**2)
    factor = b * gram + c * gram**2 * (1 + unit + inner)
    factor_error = b * gram_error + unit * b * gram + square_error + unit * factor * (1 + unit)
    product_error = factor_error * most + inner * (factor + factor_error) * size
    total = (a * size * (1 + unit) + (factor + factor_error) * size * (1 + inner))
    lost = 100 * rounding.tiny * shape[0] * shape[1]
    return float(unit * a * size + product_error + unit * total + lost)
