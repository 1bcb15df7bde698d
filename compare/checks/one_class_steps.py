"""Several steps of training of a network in one class, each held against the oracles.

Each step begins where the network's own step before it led, and with what the optimizer's oracle
remembers of the steps before. So what shows is what is kept from one step to the next: gradients
that are not cleared, a momentum that is lost, the first batch's inputs or size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from compare.checks.gate import Gate
from compare.checks.one_class import stepped
from compare.checks.row import Row, judge
from compare.checks.training_batches import Batch
from compare.oracle.expected import learned, optimizer_of
from compare.oracle.network import along_the_graph
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.trace import Trace
from scratch.several import mapped

STEPS = 5
Key = tuple[str, str]
Weights = Mapping[Key, np.ndarray]


def rows(trace: Trace, weights: Sequence[Weights], batches: Sequence[Batch]) -> list[Row]:
    """A row for each weight, on the first step that leads elsewhere than it should, or on the step
    that used most of its bound.

    Args:
        trace: of the reference, on the first batch.
        weights: the candidate's before the first step and after each, as Keras has them.
        batches: of the steps.
    """
    trained = [(trace.parts[i].layer, name) for i, name in learned(trace)]
    optimizer = optimizer_of(trace)
    found: dict[Key, Row] = {}
    for number, (before, after, batch) in enumerate(zip(weights, weights[1:], batches), start=1):
        here = _at(trace, before, batch)
        exact = along_the_graph(here)
        rounding = Rounding.of(trace.dtype)
        right = optimizer.step([Bounded(before[key], rounding) for key in trained],
                               [exact[layer, f"{name}_gradient"] for layer, name in trained])
        for key, weight in zip(trained, right):
            if key in found and not found[key].passed:
                continue
            row = judge(Gate.LOCKSTEP, key[0], stepped(key[1]), after[key],
                        weight.value.astype(trace.dtype), weight)
            row.candidate_error = row.reference_error = None  # there is no reference's
            row.note = ", ".join(filter(None, (f"step {number} of {len(batches)}", row.note)))
            if key not in found or not row.passed or row.used > found[key].used:
                found[key] = row
    return list(found.values())


def _at(trace: Trace, weights: Weights, batch: Batch) -> Trace:
    """The trace with other weights and another batch; what it holds of results is the old."""
    parts = [replace(part, weights={name: np.asarray(weights.get((part.tied_to or part.layer, name),
                                                                 weight))
                                    for name, weight in part.weights.items()})
             for part in trace.parts]
    return replace(trace, parts=parts, x=mapped(np.asarray, batch.x, trace.dtype), y=batch.y,
                   sample_weight=batch.sample_weight)
