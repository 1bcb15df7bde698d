"""The decision rules in use elsewhere, written down from their documentation.

Each looks at the same tensors as `compare.check`: what both networks, each running by itself, put
out, and all gradients, the loss, the weights after one step. A rule gives the alarm for a network
if it does for one of the tensors. What shows only after several steps of training none of them can
see; nor can a rule that looks at one network alone see what is wrong with the other.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

DIVERGED, CLEAN = 0.15, 1e-5  # of a layer, and of what it reads


class Pair(NamedTuple):
    """One tensor of both networks.

    Attributes:
        a, b: the candidate's and the reference's.
        exact: the same in a float64 network without the fault, None where there is none.
    """

    a: np.ndarray
    b: np.ndarray
    exact: np.ndarray | None = None


class Rule(NamedTuple):
    """A rule on single tensors: `alarm(pair)`.

    `source` says whose it is.
    """

    name: str
    source: str
    alarm: Callable[[Pair], bool]


def mean_difference(pair: Pair) -> bool:
    """|mean(a - b)| > 1e-7."""
    return not abs(np.mean(pair.a - pair.b)) <= 1e-7


def mean_absolute_difference(pair: Pair) -> bool:
    """mean |a - b| > 1e-6."""
    return not np.mean(np.abs(pair.a - pair.b)) <= 1e-6


def absolute_or_relative(pair: Pair) -> bool:
    """An element off by more than 1e-5, both absolutely and relatively to b."""
    difference = np.abs(pair.a - pair.b)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(difference == 0, 0.0, difference / np.abs(pair.b))
    return not np.all((difference <= 1e-5) | (relative <= 1e-5))


def close(rtol: float, atol: float):
    """An element with |a - b| > atol + rtol |b|; NaN is never close."""
    def alarm(pair: Pair) -> bool:
        return not np.all(np.abs(pair.a - pair.b) <= atol + rtol * np.abs(pair.b))

    return alarm


def torch_assert_close(pair: Pair) -> bool:
    """`close` with the tolerances of the precision: float32 1.3e-6, 1e-5; float64 1e-7, 1e-7."""
    rtol, atol = (1.3e-6, 1e-5) if pair.b.dtype == np.float32 else (1e-7, 1e-7)
    return close(rtol, atol)(Pair(pair.a.astype(np.float64), pair.b.astype(np.float64)))


def cosine(pair: Pair) -> bool:
    """The cosine of the angle between a and b, flattened, below 0.99; two zeros are alike."""
    a, b = (np.asarray(array, np.float64).ravel() for array in pair[:2])
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if not any(lengths):
        return False
    if not all(lengths):
        return True
    return not (a / lengths[0]) @ (b / lengths[1]) >= 0.99


def rmse(a, b) -> float:
    """The root of the mean squared difference."""
    return float(np.sqrt(np.mean(np.square(np.asarray(a, np.float64) - b))))


def rmse_of_float64(tolerance: float):
    """The candidate's RMSE against float64 above twice the reference's (three times, for tensors of
    fewer than 1000 numbers), plus a tenth of a tolerance."""
    def alarm(pair: Pair) -> bool:
        if pair.exact is None:
            return False
        factor = 3.0 if pair.exact.size < 1000 else 2.0
        allowed = factor * rmse(pair.b, pair.exact) + tolerance / 10
        return not rmse(pair.a, pair.exact) <= allowed

    return alarm


TENSORS = (
    Rule("mean difference 1e-7", "converters' self-checks", mean_difference),
    Rule("mean absolute difference 1e-6", "converters' self-checks", mean_absolute_difference),
    Rule("absolute or relative 1e-5", "converters' self-checks", absolute_or_relative),
    Rule("numpy.allclose", "rtol 1e-5, atol 1e-8", close(1e-5, 1e-8)),
    Rule("torch.allclose", "rtol 1e-5, atol 1e-8", close(1e-5, 1e-8)),
    Rule("torch.testing.assert_close", "float32: rtol 1.3e-6, atol 1e-5", torch_assert_close),
    Rule("cosine below 0.99", "quantization debuggers", cosine),
    Rule("RMSE 2-3x of float64", "compilers' accuracy checks", rmse_of_float64(0.0)),
    Rule("RMSE 2-3x, tolerance 1e-4", "compilers' accuracy checks", rmse_of_float64(1e-4)),
)
PREDECESSOR = "0.15, predecessor clean"
DIFFERENCES = {f"finite differences {limit:g}": limit for limit in (1e-2, 1e-4, 1e-7)}
NAMES = (*(rule.name for rule in TENSORS), PREDECESSOR, *DIFFERENCES)


def diverged(outputs: list[Pair], sources) -> bool:
    """A layer whose output is off by more than 0.15 somewhere although what it reads is clean.

    Args:
        outputs: of each layer, in the order of computation.
        sources: for each layer the positions of those it reads, -1 for the network's input.
    """
    with np.errstate(invalid="ignore"):
        off = [float(np.max(np.abs(pair.a - pair.b), initial=0)) for pair in outputs]
    return any(not off[i] <= DIVERGED and all(s < 0 or off[s] <= CLEAN for s in sources[i])
               for i in range(len(outputs)))


@np.errstate(over="ignore", invalid="ignore")
def alarms(pairs: dict[str, Pair], outputs: list[Pair], sources) -> dict[str, bool]:
    """What each rule that compares two networks says, by its name."""
    found = {rule.name: any(rule.alarm(pair) for pair in pairs.values()) for rule in TENSORS}
    return {**found, PREDECESSOR: diverged(outputs, sources)}
