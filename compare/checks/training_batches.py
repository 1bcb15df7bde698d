"""The batches that the trajectories are trained on, all drawn from the user's own.

One batch repeated would let pass whatever keeps an input, a label or a batch's size from the first
step. So only the first batch is the user's; the others hold some of its samples more than once and
some not at all, and the last one is shorter, as at the end of an epoch. A sample keeps its label
and its weight, so that they suit the loss. Of a single sample the label cannot change; its input
does, rolled along its first axis.
"""

from typing import Any, NamedTuple

import numpy as np

from scratch.several import mapped

LARGEST = 4  # samples in the batches that are drawn


class Batch(NamedTuple):
    """Inputs, labels and weights of one step; no weights are None."""

    x: Any
    y: Any
    sample_weight: Any


def drawn(x: Any, y: Any, sample_weight: Any, steps: int, seed: int) -> list[Batch]:
    """The user's batch, then `steps` - 1 others, the last one shorter."""
    x, y, weight = (mapped(np.asarray, given) for given in (x, y, sample_weight))
    rng = np.random.default_rng(seed)
    batches = [Batch(x, y, weight)]
    size = min(len(x), LARGEST)
    for step in range(1, steps):
        if step == steps - 1 and size > 1:
            size -= max(1, size // 3)
        batches.append(_others(batches[0], size, step, rng))
    return batches


def _others(first: Batch, size: int, step: int, rng: np.random.Generator) -> Batch:
    if len(first.x) == 1:
        return first._replace(x=mapped(lambda x: np.roll(x, step, axis=1), first.x))
    rows = rng.integers(0, len(first.x), size)
    if len(set(rows)) == len(first.x):
        rows[0] = rows[1]  # the same samples in another order would have the same gradient
    weight = None if first.sample_weight is None else first.sample_weight[rows]
    return Batch(first.x[rows], first.y[rows], weight)
