"""How the losses of several outputs are put together: which other weights explain what came of it.

A sum of losses is a weighted one. Forgotten weights, a mean in place of the sum, weights at other
outputs and a loss that is left out are all the same computation with other weights.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from compare.checks.row import Row
from compare.diagnosis.finding import Cause, Finding
from compare.oracle.expected import loss_input, share, term_loss
from compare.oracle.regularization import total
from compare.oracle.running_error import Bounded
from compare.tracing import execution
from compare.tracing.layer_error import RAISED
from compare.tracing.loss_scale import loss_scale
from compare.tracing.loss_terms import Term, terms_of
from compare.tracing.trace import Trace
from compare.tracing.types import Network
from scratch.several import each

FEW = 4  # outputs, up to which weights are tried at each other's places


def diagnose_sum(row: Row, trace: Trace, model: Network | None, side: str,
                 penalties: Bounded | None) -> Finding | None:
    """The finding on the sum of losses, or on one output's share of its gradient; None if no other
    weights explain it.

    Args:
        trace: of the side that is off, or the reference's whose numbers the candidate is run on.
        model: the candidate, whose loss is run; None to take what the trace holds.
        side: the side that is off.
        penalties: what the regularizers add to the loss.
    """
    terms = terms_of(trace)
    rows = [replace(row, layer="loss", tensor="value"),
            *(replace(row, layer=term.layer, tensor="gradient") for term in terms)]
    made = [(each_row, _made(each_row, trace, model, terms)) for each_row in rows]
    found = next((value for each_row, value in made
                  if (each_row.layer, each_row.tensor) == (row.layer, row.tensor)), None)
    if found is None:
        return None
    unweighted = [term_loss(trace, term._replace(weight=None), loss_input(trace, term))
                  for term in terms]
    right = _with(row, terms, unweighted, [share(trace, term) for term in terms], penalties)
    before = _used(found, right)
    explained = []
    for cause, weights in _other_weights(trace, terms):
        after = _used(found, _with(row, terms, unweighted, weights, penalties))
        if after <= 1 < before:
            others = sum(_used(value, _with(each_row, terms, unweighted, weights, penalties)) <= 1
                         for each_row, value in made)
            explained.append((others, cause, after))
    if not explained:
        return None
    # the same weights stand behind the sum and all gradients
    _, cause, after = max(explained, key=lambda one: one[0])
    return Finding(row.layer, row.tensor, side, (cause,), before=before, after=after)


def _made(row: Row, trace: Trace, model: Network | None, terms: list[Term]) -> Any:
    """What was computed in that row's place."""
    value, gradients = trace.loss, trace.loss_gradient
    if model is not None:
        ends = [trace.parts[end] for end in trace.ends]
        fused = trace.fused if isinstance(trace.fused, tuple) else (trace.fused,) * len(ends)
        seen = [part.inputs[0] if below else part.output for part, below in zip(ends, fused)]
        try:
            value, gradients, _ = execution.run_loss(copy.deepcopy(model.loss), trace.y, seen,
                                                     fused, trace.sample_weight,
                                                     loss_scale(trace.compile_config),
                                                     execution.end_masks(model, trace.parts))
        except RAISED:  # a loss of somebody's own may raise anything; a row tells of it
            return None
    if row.layer == "loss":
        return value
    term = next((term for term in terms if term.layer == row.layer), None)
    return None if term is None or row.tensor != "gradient" else each(gradients)[term.output]


def _with(row: Row, terms: list[Term], unweighted: list[tuple[Bounded, Bounded]],
          weights: list[float], penalties: Bounded | None) -> Bounded:
    """What should be in that row's place with these weights."""
    if row.layer != "loss":
        k = next(k for k, term in enumerate(terms) if term.layer == row.layer)
        return unweighted[k][1] * weights[k]
    return total([*(value * weight for (value, _), weight in zip(unweighted, weights)),
                  *([penalties] if penalties is not None else [])])


def _other_weights(trace: Trace, terms: list[Term]) -> Iterator[tuple[Cause, list[float]]]:
    own = [share(trace, term) for term in terms]
    count = len(own)
    said = ", ".join(f"{weight:g}" for weight in own)
    if any(weight != 1 for weight in own):
        yield (Cause("loss-weights-missing", f"each of the {count} losses counts for 1, in place "
                     f"of {said}"), [1.0] * count)
    yield (Cause("losses-averaged", f"what belongs to the sum is divided by {count}"),
           [weight / count for weight in own])
    if any(weight != 1 for weight in own):
        yield (Cause("losses-averaged", "divided by the sum of the weights"),
               [weight / sum(own) if sum(own) else 0.0 for weight in own])
    for k, term in enumerate(terms):
        yield (Cause("loss-term-missing", f"{term.layer} counts for nothing"),
               [0.0 if i == k else weight for i, weight in enumerate(own)])
    if 1 < count <= FEW:
        for order in permutations(own):
            if list(order) != own:
                yield (Cause("loss-weights-swapped",
                             f"they count for {', '.join(f'{w:g}' for w in order)}, in place of "
                             f"{said}"), list(order))


def _used(made: Any, right: Bounded) -> float:
    """The largest error in units of its bound."""
    if np.shape(made) != right.shape:
        return float("inf")
    error = np.abs(np.asarray(made, np.float64) - right.value)
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(error > 0, error / right.bound, 0.0)
    return float(np.max(used, initial=0.0))
