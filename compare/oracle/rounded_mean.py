"""What rounding can do to a mean."""

import numpy as np

from compare.oracle.running_error import Bounded, Rounding


def mean(total: np.ndarray, magnitude: np.ndarray, passed_on: np.ndarray, terms: np.ndarray,
         number: np.ndarray | int, rounding: Rounding) -> Bounded:
    """total / number, whether it is divided before, while or after it is added up.

    A division is one rounding, or two if made as a multiplication by a rounded reciprocal; by a
    power of two it is none. With terms - 1 additions each term meets at most terms + 1 roundings,
    in whatever order, so that gamma_(terms + 2) * magnitude / number is a bound (Higham, Accuracy
    and Stability of Numerical Algorithms, 2nd ed., section 3.1).

    Args:
        total, magnitude: sums of the terms and of their absolute values, in float64.
        passed_on: the sum of the terms' errors.
        terms: how many of them are not exactly zero.
        number: what to divide by, whole; broadcast.
    """
    number = np.asarray(number)
    additions = np.where(terms > 1, terms, 0)
    divisions = np.where(np.frexp(number)[0] == 0.5, 0, 2)  # none for a power of two
    flushed = np.where(number > 1, 2 * terms + 1, 0) * rounding.tiny
    passed_on = passed_on / number + flushed
    gamma = rounding.gamma(np.where(terms > 0, additions + divisions, 0))
    error = passed_on + gamma * (magnitude / number + passed_on)
    return Bounded(total / number, rounding, error).flushed()
