"""Probes with whole numbers, where nothing is rounded and so nothing is allowed to differ.

Inputs, weights and upstream gradients are small integers, so small that every product and every
partial sum, in whatever order, is an integer that the precision holds exactly. Convolution, dense
layers, pooling, rectifiers and reshaping must then agree bit for bit, forward and backward. Few
distinct integers also make many ties. What such a probe finds is a mistake in the logic, however
small its effect on real numbers would be.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import DTypeLike

from compare.checks import probing
from compare.checks.gate import Gate
from compare.checks.probing import Draw, ReferenceRun, filled, probe_batch
from compare.checks.row import Row
from compare.oracle.base import Oracle
from compare.oracle.layers.noise import Dropout
from compare.oracle.low_precision import policy_of
from compare.oracle.running_error import LOW
from compare.tracing.configs import layer_config
from compare.tracing.ops import Op
from compare.tracing.trace import Part, Trace

LARGEST = 4  # small, so that equal values are common
FARTHEST = 8  # where nothing is added up: beyond the kinks of relu6 and its like


def amplitude(reductions: dict[str, int], dtype: DTypeLike, factors: int = 2,
              largest: int = LARGEST) -> int:
    """The largest a, up to `largest`, so that integers from -a to a keep every partial sum exact.

    A sum of n products of `factors` such integers is at most n a^factors, and every integer up to
    2^24 (float32) or 2^53 (float64) is exact.

    Args:
        reductions: how many products or values each element of each result adds up.
        factors: how many integers are multiplied in each product.

    Raises:
        ValueError: if even ones would not do.
    """
    exact_up_to = whole_up_to(dtype)
    longest = max(reductions.values())
    if longest > exact_up_to:
        raise ValueError(f"Expected sums of at most {exact_up_to} terms, beyond which whole "
                         f"numbers are not exact in {np.dtype(dtype).name}. "
                         f"Received: {longest} terms")
    return max(a for a in range(1, largest + 1) if longest * a**factors <= exact_up_to)


def whole_up_to(dtype: DTypeLike) -> int:
    """The number up to which every integer is one of the precision: 2 to its significant bits."""
    if dtype in LOW:
        return int(1 / LOW[str(dtype)][0] + 0.5)
    return int(2 ** (np.finfo(dtype).nmant + 1))


def thinned(array: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """The array with all but so many of its numbers, drawn anywhere, set to zero."""
    kept = np.zeros(array.size, bool)
    kept[rng.permutation(array.size)[:most]] = True
    return np.where(kept.reshape(array.shape), array, array.dtype.type(0))


def probe(candidate: Trace, ops: Sequence[Op], reference_ops: Sequence[ReferenceRun] | None = None,
          seed: int = 0, only: Collection[int] | None = None) -> list[Row]:
    """Rows for every part that computes exactly on whole numbers; arguments as in `probes.probe`.

    Without `reference_ops` the oracle alone is the judge, which on whole numbers is exact.
    """
    def draws(i: int, part: Part, oracle: Oracle) -> list[Draw]:
        if not oracle.exact:
            return []
        policy = policy_of(layer_config(candidate, part.layer))
        if policy.low:
            return low_draws(part, oracle, candidate.dtype, seed + i, policy.compute)
        return [draw(part, oracle, candidate.dtype, seed + i)]

    return probing.probe(Gate.WHOLE_NUMBERS, candidate, ops, reference_ops, draws, exactly=True,
                         only=only)


def low_draws(part: Part, oracle: Oracle, dtype: DTypeLike, seed: int, compute: str
              ) -> list[Draw]:
    """Integers for a part that computes in a low precision, exact in every sum.

    A whole number of that precision has few bits: up to 2,048 in float16, 256 in bfloat16. Where
    the sums are longer only some numbers of the inputs are other than zero in one draw, for the
    output, and of the upstream gradient in another, for the gradients.
    """
    whole = draw(part, oracle, dtype, seed, compute)
    terms = _terms(part, oracle)
    most = whole_up_to(compute) // 4 ** (oracle.factors if part.weights else 1)
    if max(terms.values()) <= most:
        return [whole]
    rng = np.random.default_rng([seed, 1])
    x = (tuple(thinned(each, most, rng) for each in whole.x) if isinstance(whole.x, tuple)
         else thinned(whole.x, most, rng))
    dy = thinned(whole.dy, most, rng)
    gradients = ("input_gradient", *(f"{name}_gradient" for name in part.weights))
    note = f"{whole.note}, {most} of them not zero"
    return [whole._replace(x=x, tensors=("output",), note=note),
            whole._replace(dy=dy, tensors=gradients, note=note)]


def _terms(part: Part, oracle: Oracle) -> dict[str, int]:
    """How many numbers each element of each result adds up, for the probe's batch."""
    batch = probe_batch(part)
    shapes = [(batch, *x.shape[1:]) for x in part.inputs]
    return oracle.reductions(shapes if isinstance(part.input, tuple) else shapes[0],
                             (batch, *part.output.shape[1:]))


def draw(part: Part, oracle: Oracle, dtype: DTypeLike, seed: int, compute: str = "") -> Draw:
    """Integers for one part, exact in every sum; those of a low precision, `compute`, if sums are
    no longer than its integers go, else up to 2, see `low_draws`."""
    batch, terms = probe_batch(part), _terms(part, oracle)
    alone = not part.weights and max(terms.values()) == 1
    if compute and max(terms.values()) * 4 ** (oracle.factors if part.weights else 1
                                               ) > whole_up_to(compute):
        largest = 2
    else:
        largest = amplitude(terms, compute or dtype, largest=FARTHEST if alone else LARGEST)
    rng = np.random.default_rng(seed)

    def integers(size: tuple[int, ...]) -> np.ndarray:
        return rng.integers(-largest, largest, size, endpoint=True).astype(dtype)

    x, dy, weights = filled(part, batch, integers)
    if isinstance(oracle, Dropout) and "noise" in weights:  # whose factors may as well be divisors
        weights["noise"] = np.where(weights["noise"] == 0, weights["noise"],
                                    2 ** (np.abs(weights["noise"]) % 3)).astype(dtype)
    return Draw(x, dy, oracle.admitted_weights(weights), None, f"integers, seed {seed}")
