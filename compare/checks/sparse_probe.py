"""Probes with real numbers of which few meet in any sum, so that the rounding bound is narrow.

A kernel gradient on a whole batch adds up thousands of products, and its bound grows with their
number: arithmetic of lower precision inside a layer could hide below it. Here all but a few inputs
are zero where outputs are judged, and all but a few upstream gradients where gradients are. Adding
an exact zero rounds nothing, so the bound is that of a handful of roundings, and a mistake of a few
units in the last place shows. What rounds even where it adds up nothing, such as a softmax, a mean
or a normalization, is run on full numbers, forward and backward, also where a fused loss would pass
its backward by; and on whole numbers, for the sake of ties and kinks.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import DTypeLike

from compare.checks import probing
from compare.checks.gate import Gate
from compare.checks.probing import Draw, ReferenceRun, filled, probe_batch
from compare.checks.row import Row
from compare.oracle.base import Oracle
from compare.tracing.configs import channel_axis, layer_config
from compare.tracing.ops import Op
from compare.tracing.trace import Part, Trace
from compare.tracing.types import Arrays, Weights

TERMS = 3  # numbers that are not zero, per sample or per channel


def probe(candidate: Trace, ops: Sequence[Op], reference_ops: Sequence[ReferenceRun] | None = None,
          seed: int = 0, only: Collection[int] | None = None) -> list[Row]:
    """Rows for every part with weights or with roundings; arguments as in `probes.probe`."""
    def draws(i: int, part: Part, oracle: Oracle) -> list[Draw]:
        if not oracle.exact:
            return _full(part, oracle, candidate.dtype, seed + i)
        if not part.weights:
            return []
        axis = channel_axis(layer_config(candidate, part.layer), part.output.ndim)
        made = _normal(part, candidate.dtype, seed + i)
        return [_sparse_input(*made, seed + i), _sparse_upstream(*made, axis, seed + i)]

    return probing.probe(Gate.FEW_TERMS, candidate, ops, reference_ops, draws, exactly=False,
                         only=only)


def _normal(part: Part, dtype: DTypeLike, seed: int
           ) -> tuple[
        Arrays, np.ndarray, dict[str, np.ndarray],
        np.random.Generator]:
    """(x, dy, weights, generator) of normal numbers for one part."""
    rng = np.random.default_rng(seed)
    return *filled(part, probe_batch(part),
                   lambda shape: rng.standard_normal(shape).astype(dtype)), rng


def _full(part: Part, oracle: Oracle, dtype: DTypeLike, seed: int) -> list[Draw]:
    """Normal numbers everywhere, the output also at inference; and small whole numbers, none of
    them 0 where others are divided by them."""
    normal = _normal(part, dtype, seed)[:3]
    rng = np.random.default_rng(seed)
    whole = filled(part, probe_batch(part),
                   lambda shape: rng.integers(-4, 4, shape, endpoint=True).astype(dtype))
    found = [Draw(*normal, None, f"normal numbers, seed {seed}"),
             Draw(_divisible(whole[0], oracle.divisors), *whole[1:], None,
                  f"integers, seed {seed}")]
    if part.inference is not None:
        found.append(Draw(*normal, ("output",), f"normal numbers at inference, seed {seed}",
                          training=False))
    return found


def _divisible(x: Arrays, divisors: tuple[int, ...]) -> Arrays:
    """The inputs with ones in place of the zeros that others would be divided by."""
    inputs = x if isinstance(x, tuple) else (x,)
    made = tuple(np.where(each == 0, each.dtype.type(1), each) if i in divisors else each
                 for i, each in enumerate(inputs))
    return made if isinstance(x, tuple) else made[0]


def _sparse_input(x: Arrays, dy: np.ndarray, weights: Weights,
                  rng: np.random.Generator, seed: int) -> Draw:
    """A few numbers in each sample, for the output."""
    assert isinstance(x, np.ndarray)  # a layer that merges has no weights
    kept = np.zeros(x.shape, bool)
    for sample in kept.reshape(len(x), -1):
        sample[rng.permutation(sample.size)[:TERMS]] = True
    return Draw(np.where(kept, x, 0), dy, weights, ("output",), f"sparse input, seed {seed}")


def _sparse_upstream(x: Arrays, dy: np.ndarray, weights: Weights,
                     rng: np.random.Generator, axis: int, seed: int) -> Draw:
    """A few numbers in each channel of the upstream gradient, for the gradients."""
    kept = np.zeros(dy.shape, bool)
    for channel in np.moveaxis(kept, axis, 0):  # a view of one channel: (batch, positions ...)
        for place in rng.permutation(channel.size)[:TERMS]:
            channel[np.unravel_index(place, channel.shape)] = True
    gradients = ("input_gradient", *(f"{name}_gradient" for name in weights))
    return Draw(x, np.where(kept, dy, 0), weights, gradients, f"sparse upstream, seed {seed}")
