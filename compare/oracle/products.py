"""Products of several numbers, in whatever order they are multiplied."""

import math

import numpy as np

from compare.oracle.running_error import Bounded


def product(*factors: Bounded, more: int = 0) -> Bounded:
    """The product of factors that broadcast against each other, in any order.

    Of n factors each order costs n - 1 roundings, relative to the result. What is lost below the
    smallest normal number is then multiplied by the other factors, of which those above 1 count.

    Args:
        more: roundings besides, for what is multiplied by in passing.
    """
    factors = tuple(factor.flushed() for factor in factors)
    rounding = factors[0].rounding
    if not rounding.bounds:
        return Bounded(math.prod((factor.value for factor in factors), start=np.ones(())), rounding)
    value, error, largest = np.ones(()), np.zeros(()), np.ones(())
    for factor in factors:
        size, bound = np.abs(factor.value), factor.bound
        error = error * (size + bound) + np.abs(value) * bound
        value = value * factor.value
        largest = largest * np.maximum(size + bound, 1)
    rounding.watch(np.abs(value))
    gamma = rounding.gamma(len(factors) - 1 + more)
    lost = rounding.tiny * (len(factors) + more) * largest
    return Bounded(value, rounding, error + gamma * (np.abs(value) + error) + lost).flushed()
