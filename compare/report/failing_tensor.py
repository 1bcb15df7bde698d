"""The whole tensor behind a row that failed: what was computed, and what should have been.

A row keeps its worst element; a picture shows them all. So the layer, the loss or the optimizer is
run once more on the numbers of the batch or, if it fails on integers only, on those.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compare.checks import integer_probe
from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.oracle.expected import (
    inference,
    loss_input,
    oracle_of,
    part_results,
    results,
    share,
    term_loss,
)
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing import execution
from compare.tracing.configs import channel_axis, layer_config
from compare.tracing.layer_error import RAISED
from compare.tracing.loss_terms import terms_of
from compare.tracing.ops import ops_of
from compare.tracing.trace import Trace, copied

BATCH = "the batch that was checked"


@dataclass
class FailingTensor:
    """One tensor of the side that is off.

    Attributes:
        row: what is drawn.
        actual: float64.
        expected: the exact values, likewise.
        allowed: how far rounding may lead away from them.
        about: which numbers went in.
        axes: what each axis is: 'sample', 'height', 'width', 'channel', 'input', 'output' ...
    """

    row: Row
    actual: np.ndarray
    expected: np.ndarray
    allowed: np.ndarray
    about: str
    axes: tuple[str, ...]

    @property
    def difference(self) -> np.ndarray:
        """actual - expected."""
        with np.errstate(invalid="ignore"):
            return self.actual - self.expected


def first_seen(rows: list[Row], model, reference: Trace) -> FailingTensor | None:
    """The first failing tensor of which there is anything to be seen; None if there is none.

    Args:
        rows: of a report.
        model: the candidate.
        reference: the reference's trace, as the report was made from it.
    """
    for row in rows:
        found = None if row.passed else seen(row, model, reference)
        if found is not None:
            return found
    return None


def seen(row: Row, model, reference: Trace) -> FailingTensor | None:
    """The tensor of a row that failed; None if it has none, or could not be computed."""
    if row.gate is Gate.LOSS and row.tensor == "gradient":
        return _loss(row, model, reference)
    ops = ops_of(model)
    number = next((i for i, part in enumerate(reference.parts)
                   if row.layer in (part.name, ops[i].title)), None)
    if number is None or row.tensor == "noise":
        return None
    if row.gate is Gate.WEIGHTS:
        return _made(row, reference, number, ops[number].weights.get(row.tensor),
                     _exactly(reference.parts[number].weights.get(row.tensor)), BATCH)
    if row.gate in (Gate.FORWARD, Gate.BACKWARD, Gate.INFERENCE):
        return _step(row, ops[number], reference, number)
    if row.gate in (Gate.WHOLE_NUMBERS, Gate.FEW_TERMS):
        of_batch = _step(row, ops[number], reference, number)
        if of_batch is not None and _fails(of_batch):
            return of_batch
        return _integers(row, ops[number], reference, number)
    return None


def _step(row: Row, op, reference: Trace, number: int) -> FailingTensor | None:
    """An op's tensor, on the batch."""
    part = reference.parts[number]
    theirs: Mapping[str, np.ndarray | None]
    if row.gate is Gate.INFERENCE:
        result, _ = op.attempt(copied(part.input), training=False)
        right, theirs = {"output": inference(reference, part)}, {"output": part.inference}
    else:
        if row.tensor != "output" and part.output_gradient is None:
            return None
        noise = None if part.noise is None else part.noise.copy()
        gradient = None if part.output_gradient is None else part.output_gradient.copy()
        result, _ = op.attempt(copied(part.input), gradient, noise, reference.training)
        if reference.y is not None:
            execution.add_penalties(op, result.weight_gradients)
        right = part_results(reference, part, oracle_of(reference, part))
        theirs = part.results
    made = theirs.get(row.tensor) if row.off == "reference" else result.tensors.get(row.tensor)
    return _made(row, reference, number, made, right.get(row.tensor), BATCH,
                 result.slack.get(row.tensor, 0.0))


def _integers(row: Row, op, reference: Trace, number: int) -> FailingTensor | None:
    """An op's tensor, on integers drawn for the purpose."""
    part = reference.parts[number]
    oracle = oracle_of(reference, part)
    if not oracle.exact:
        return None
    draw = integer_probe.draw(part, oracle, reference.dtype, number)
    dy = draw.dy.copy() if reference.training else None
    right = results(oracle, draw.x, draw.weights, dy, Rounding.of(reference.dtype))
    with op.holding(draw.weights):
        result, _ = op.attempt(copied(draw.x), dy, draw.weights.get("noise"), reference.training)
    found = _made(row, reference, number, result.tensors.get(row.tensor),
                  _exactly(right[row.tensor].value) if row.tensor in right else None, draw.note)
    return found if found is not None and _fails(found) else None


def _loss(row: Row, model, reference: Trace) -> FailingTensor | None:
    """A loss's gradient."""
    term = next((term for term in terms_of(reference) if term.layer == row.layer), None)
    if term is None:
        return None
    _, right = term_loss(reference, term, loss_input(reference, term))
    made = term.gradient(reference)
    if row.off != "reference":
        function = copy.deepcopy(term.function(model))
        try:
            function.forward(term.labels(reference), term.seen(reference), term.fused or None,
                             **execution.weighted(term.sample_weight(reference)))
        except RAISED:  # a loss of somebody's own may raise anything; a row tells of it
            return None
        made = function.backward() * share(reference, term)
    if made is None or np.shape(made) != right.shape:
        return None
    names = ("sample", *[f"axis {i}" for i in range(1, right.value.ndim - 1)], "class")
    return FailingTensor(row, np.asarray(made, np.float64), right.value, right.bound, BATCH, names)


def _made(row: Row, reference: Trace, number: int, made, right: Bounded | None,
          about: str, slack=0.0) -> FailingTensor | None:
    if made is None or right is None or np.shape(made) != right.shape:
        return None
    return FailingTensor(row, np.asarray(made, np.float64), right.value, right.bound + slack, about,
                         axes(row.tensor, right.shape, reference, number))


def _exactly(array) -> Bounded | None:
    return None if array is None else Bounded(array, Rounding.of(np.float32))


def _fails(found: FailingTensor) -> bool:
    error = np.abs(found.difference)
    return bool((~(error <= found.allowed)).any())


def axes(tensor: str, shape: tuple, reference: Trace, number: int) -> tuple[str, ...]:
    """What the axes of a part's tensor are."""
    part = reference.parts[number]
    config, rank = layer_config(reference, part.layer), len(shape)
    if tensor.removesuffix("_gradient") in part.weights:
        known = {1: ("channel",), 2: ("input", "output"), 3: ("width", "input", "output"),
                 4: ("height", "width", "input", "output"),
                 5: ("depth", "height", "width", "input", "output")}
        return known.get(rank, tuple(f"axis {i}" for i in range(rank)))
    channel = channel_axis(config, rank) if rank > 1 else None
    places = {1: ("width",), 2: ("height", "width"),
              3: ("depth", "height", "width")}.get(rank - 2)
    names = ["sample"]
    for axis in range(1, rank):
        if axis == channel:
            names.append("feature" if rank == 2 else "channel")
        else:
            names.append(places[sum(n in places for n in names)] if places
                         else f"axis {axis}")
    return tuple(names)
