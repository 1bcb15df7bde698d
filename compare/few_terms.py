"""Probes with real numbers of which few meet in any sum, so that the rounding bound is narrow.

A kernel gradient on a whole batch adds up thousands of products, and its bound grows with their
number: arithmetic of lower precision inside a layer could hide below it. Here all but a few inputs
are zero where outputs are judged, and all but a few upstream gradients where gradients are. Adding
an exact zero rounds nothing, so the bound is that of a handful of roundings, and a mistake of a few
units in the last place shows. A softmax, whose bound is narrow anyway, is run on full numbers,
forward and backward, also where a fused loss would pass its backward by.
"""

import numpy as np

from compare import probes
from compare.probes import Draw, probe_batch
from compare.row import Row
from compare.trace import Trace

TERMS = 3  # numbers that are not zero, per sample or per channel


def probe(candidate: Trace, steps, reference_steps=None, seed: int = 0) -> list[Row]:
    """Rows for every part with weights or with roundings; arguments as in `probes.probe`."""
    def draws(i, part, referee):
        if not part.weights:
            return [] if referee.exact else [_full(part, candidate.dtype, seed + i)]
        return [_sparse_input(part, candidate.dtype, seed + i),
                _sparse_upstream(part, candidate.dtype, seed + i)]

    return probes.probe("few terms", candidate, steps, reference_steps, draws, exact=False)


def _normal(part, dtype, seed: int):
    """(x, dy, weights, generator) of normal numbers for one part."""
    rng = np.random.default_rng(seed)
    batch = probe_batch(part)

    def draw(shape):
        return rng.standard_normal(shape).astype(dtype)

    weights = {name: draw(weight.shape) for name, weight in part.weights.items()}
    x, dy = draw((batch, *part.input.shape[1:])), draw((batch, *part.output.shape[1:]))
    return x, dy, weights, rng


def _full(part, dtype, seed: int) -> Draw:
    x, dy, weights, _ = _normal(part, dtype, seed)
    return Draw(x, dy, weights, None, f"normal numbers, seed {seed}")


def _sparse_input(part, dtype, seed: int) -> Draw:
    """A few numbers in each sample, for the output."""
    x, dy, weights, rng = _normal(part, dtype, seed)
    kept = np.zeros(x.shape, bool)
    for sample in kept.reshape(len(x), -1):
        sample[rng.permutation(sample.size)[:TERMS]] = True
    return Draw(np.where(kept, x, 0), dy, weights, ("output",), f"sparse input, seed {seed}")


def _sparse_upstream(part, dtype, seed: int) -> Draw:
    """A few numbers in each channel of the upstream gradient, for the gradients."""
    x, dy, weights, rng = _normal(part, dtype, seed)
    kept = np.zeros(dy.shape, bool)
    channels = kept.reshape(-1, dy.shape[-1])  # (batch and positions, channels): a view
    for channel in range(channels.shape[1]):
        channels[rng.permutation(len(channels))[:TERMS], channel] = True
    gradients = ("input_gradient", *(f"{name}_gradient" for name in weights))
    return Draw(x, np.where(kept, dy, 0), weights, gradients, f"sparse upstream, seed {seed}")
