"""Whether numbers that should be independent draws are: tests whose false alarms are bounded.

Each test compares a statistic of the draws with a limit that independent draws exceed with a
probability that is proved, for any number of draws, not only in the limit of many:

- sums of bounded numbers by Bernstein's inequality, P(|sum| > t) <= 2 exp(-t^2 / 2 / (v + b t / 3))
  with v the sum's variance and b the largest term;
- too even counts by Maurer's inequality for sums of squares, P(S < E S - t) <= exp(-t^2 / 2 / v)
  with v the sum of the terms' second moments (Maurer, *A bound on the deviation probability for
  sums of non-negative random variables*, 2003);
- distributions by the inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant,
  P(largest distance of the distribution functions > e) <= 2 exp(-2 n e^2).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

FALSE_ALARM = 1e-9  # the probability with which independent draws fail any of a layer's tests
POSITIONS = 64  # along each axis, of which every pair is tested


class Outcome(NamedTuple):
    """One test: how much of its limit the draws used (over 1: they are no such draws), and what to
    say if it is too much."""

    used: float
    said: str


def independence(heads: np.ndarray, probability: float, names: tuple[str, ...], fields: int
                 ) -> list[Outcome]:
    """Whether draws that are true with a known probability are independent of one another.

    Args:
        heads: booleans, (calls, samples, ...).
        probability: of being true, between 0 and 1, both excluded.
        names: for each axis what stands along it, in words.
        fields: how many such arrays are tested for one verdict.
    """
    confidence = math.log(4 * fields * (heads.ndim + 1) * POSITIONS ** 2 / FALSE_ALARM)
    q = probability
    # standardized: mean 0 and variance 1 each
    values = np.where(cropped(heads), math.sqrt((1 - q) / q), -math.sqrt(q / (1 - q)))
    largest = max((1 - q) / q, q / (1 - q), 1.0)  # of a product of two of them
    found = [evenness(heads, q, confidence)]
    found += [companions(values if axis else values[:POSITIONS], axis, largest, names[axis],
                         confidence)
              for axis in range(values.ndim) if values.shape[axis] > 1]
    return found


def cropped(drawn: np.ndarray) -> np.ndarray:
    """At most `POSITIONS` places along each axis but that of the calls, and some ten thousand
    numbers of each call, so that large images take no longer; of the calls as many, unless they are
    small: where one number is drawn for a sample, it takes many to see that two go together."""
    drawn = drawn[(slice(None), *(slice(POSITIONS),) * (drawn.ndim - 1))]
    while drawn[0].size > 10_000:
        axis = int(np.argmax(drawn.shape[1:])) + 1
        drawn = drawn[(*[slice(None)] * axis, slice(drawn.shape[axis] // 2))]
    return drawn if drawn.size <= 10_000 * POSITIONS else drawn[:POSITIONS]


def frequency(heads: np.ndarray, probability: float) -> float:
    """The share of its limit that the number of true draws used."""
    q = probability
    confidence = math.log(6 / FALSE_ALARM)
    limit = bernstein(heads.size * q * (1 - q), max(q, 1 - q), confidence)
    return abs(float(heads.sum()) - heads.size * q) / limit


def companions(values: np.ndarray, axis: int, largest: float, name: str, confidence: float
               ) -> Outcome:
    """Whether draws at two positions along an axis go together, or against each other."""
    rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
    # (positions, n) -> (positions, positions): sums of n products, of mean 0 off the diagonal
    products = rows @ rows.T
    np.fill_diagonal(products, 0.0)
    worst = np.unravel_index(np.argmax(np.abs(products)), products.shape)
    count = rows.shape[1]
    correlation = products[worst] / count
    limit = bernstein(count, largest, confidence)
    return Outcome(float(np.abs(products[worst]) / limit),
                   f"draws of different {name} go together: correlation {correlation:+.2f} between "
                   f"numbers {min(worst) + 1} and {max(worst) + 1}")


def evenness(heads: np.ndarray, probability: float, confidence: float) -> Outcome:
    """Whether calls differ too little in how many of their draws are true."""
    q = probability
    counts = heads.reshape(len(heads), -1).sum(axis=1)
    each = heads[0].size
    variance = each * q * (1 - q)
    squares = (counts - each * q) ** 2 / variance  # of mean 1
    # second moment of a squared standardized binomial: its kurtosis
    second = 3 + (1 - 6 * q * (1 - q)) / variance
    lowest = len(counts) - math.sqrt(2 * confidence * len(counts) * second)
    total = float(squares.sum())
    used = 0.0 if lowest <= 0 else lowest / max(total, np.finfo(float).tiny)
    return Outcome(min(used, 1e6), "every call has nearly the same number of them: the spread from "
                   f"call to call is {math.sqrt(total / len(counts)):.2g} of what independent "
                   "draws have")


def distribution(values: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> float:
    """The share of its limit that the distance from a distribution function used.

    Args:
        values: draws, of any shape.
        function: the distribution function, of arrays.
    """
    ordered = np.sort(values, axis=None)
    n = ordered.size
    expected = function(ordered)
    steps = np.arange(n + 1) / n
    distance = max(np.abs(steps[1:] - expected).max(), np.abs(steps[:-1] - expected).max())
    return float(distance / math.sqrt(math.log(6 / FALSE_ALARM) / (2 * n)))


def bernstein(variance: float, largest: float, confidence: float) -> float:
    """What a sum of that variance, of terms bounded so, exceeds with probability 2 exp(-confidence)
    at most."""
    linear = largest * confidence / 3
    return linear + math.sqrt(linear ** 2 + 2 * variance * confidence)
