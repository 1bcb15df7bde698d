"""Runs single ops on numbers drawn for the purpose, both sides, and judges what comes out.

What the numbers are is up to the kind of probe: see `integer_probe.py`, `sparse_probe.py` and
`extremes.py`. Layers are run without what regularizers would add: that is the loss's, and no
layer's own doing.
"""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from compare.checks import layers_alike
from compare.checks.gate import Gate
from compare.checks.row import Row, judge, mismatch, raised
from compare.document import progress
from compare.oracle.base import Oracle
from compare.oracle.expected import oracle_of, results
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.model_kinds import KINDS
from compare.tracing.ops import Op
from compare.tracing.tensor_names import results_by_name
from compare.tracing.trace import Part, Trace, copied
from compare.tracing.types import Arrays

# (x, dy, weights, training) -> (output, dx, weight gradients)
ReferenceRun = Callable[[Arrays, np.ndarray | None, dict[str, np.ndarray], bool], tuple[Any, ...]]
OUTPUT = ("output",)  # of a draw whose gradients are not asked for


class Draw(NamedTuple):
    """Numbers for one run of one op.

    Attributes:
        x, dy, weights: input (a tuple for a layer that merges), upstream gradient, weights by name;
            a random layer's 'noise' is among them.
        tensors: which results to judge, by the beginning of their names; None for all.
        note: how the numbers can be had again.
        training: whether the op is run as in training.
    """

    x: Arrays
    dy: np.ndarray
    weights: dict[str, np.ndarray]
    tensors: tuple[str, ...] | None
    note: str
    training: bool = True


def probe(gate: Gate, candidate: Trace, ops: Sequence[Op],
          reference_ops: Sequence[ReferenceRun] | None,
          draws: Callable[[int, Part, Oracle], list[Draw]], exactly: bool,
          only: Collection[int] | None = None) -> list[Row]:
    """Rows for every op for which numbers are drawn, the same ones for ops that are alike.

    Args:
        gate: the rows' gate.
        candidate: a trace of the candidate, for shapes and configs.
        ops: the candidate's ops, to be run.
        reference_ops: functions (x, dy, weights, training) -> (output, dx, weight gradients),
            one per op; None leaves the oracle's value in the reference's place.
        draws: a function (number of the part, part, its oracle) -> list of `Draw`.
        exactly: nothing may differ; otherwise the oracle's bound is allowed.
        only: the positions of the parts that are judged; None for all.
    """
    rows: dict[int, list[Row]] = {i: [] for i in range(len(ops))}
    for positions in each_group(gate, candidate, reference_ops, only):
        first = positions[0]
        part = candidate.parts[first]
        run = None if reference_ops is None else reference_ops[first]
        if not oracle_of(candidate, part).proved:
            continue  # of numbers of no network's there is nothing to hold it against
        for draw in of_pass(candidate, draws(first, part, oracle_of(candidate, part))):
            known = refereed(oracle_of(candidate, part), run, draw)
            for i in positions:
                given, exact = known, exactly
                if draws_by_itself(ops[i], draw):
                    given = refereed(oracle_of(candidate, part), run, drawn_by(ops[i], draw))
                    exact = False  # its factors need not be whole
                rows[i] += run_draw(gate, candidate.parts[i], ops[i], given, exact)[0]
    return [row for found in rows.values() for row in found]


def draws_by_itself(op: Op, draw: Draw) -> bool:
    """Whether noise of a draw means nothing to an op that uses none but its own."""
    return "noise" in draw.weights and getattr(op.layer, "draws_by_itself", False) is True


def drawn_by(op: Op, draw: Draw) -> Draw:
    """The draw with noise that the op itself draws for its input."""
    noise = op.attempt(copied(draw.x), None, None, draw.training)[0].noise
    return draw if noise is None else draw._replace(weights={**draw.weights, "noise": noise})


def each_group(gate: Gate, candidate: Trace, reference_ops: Sequence[ReferenceRun] | None,
               only: Collection[int] | None = None) -> Iterator[list[int]]:
    """The positions of the parts, those that are alike together, with a bar."""
    groups = [[i for i in group if only is None or i in only]
              for group in layers_alike.groups(candidate, reference_ops)]
    with progress.counting(sum(map(len, groups)), f"Gate '{gate}', layer by layer") as count:
        for positions in filter(None, groups):
            yield positions
            count(len(positions))


def of_pass(trace: Trace, draws: Iterable[Draw]) -> list[Draw]:
    """The draws for a pass such as the trace's: outside of training each is for the output alone,
    and those that are for gradients are left out."""
    if trace.training:
        return list(draws)
    return [draw._replace(tensors=OUTPUT, training=False) for draw in draws
            if "output".startswith(draw.tensors or ("",))]


class Refereed(NamedTuple):
    """A draw, and what the oracle and the reference make of it.

    Attributes:
        draw: with what the layer can be fed in the place of other numbers.
        dy: None if no gradients are asked for.
        right: exact results with their bounds, by tensor name.
        expected: the reference's results, or the oracle's values in their place.
    """

    draw: Draw
    dy: np.ndarray | None
    right: dict[str, Bounded]
    expected: dict[str, Any]


def refereed(oracle: Oracle, reference_run: ReferenceRun | None, draw: Draw) -> Refereed:
    """What an oracle and the reference, where it can be run, make of a draw."""
    draw = draw._replace(x=oracle.admitted_inputs(draw.x) if isinstance(draw.x, tuple)
                         else oracle.admitted(draw.x))
    if "noise" in draw.weights:
        noise = oracle.admitted_noise(draw.weights["noise"])
        draw = draw._replace(weights={**draw.weights, "noise": noise})
    oracle.training = draw.training
    dy = None if draw.tensors == OUTPUT else draw.dy
    right = results(oracle, draw.x, draw.weights, dy, Rounding.of(draw.dy.dtype))
    expected = ({name: value.value for name, value in right.items()} if reference_run is None
                else results_by_name(*reference_run(draw.x, dy, draw.weights, draw.training)))
    return Refereed(draw, dy, right, expected)


def run_draw(gate: Gate, part: Part, op: Op, known: Refereed, exactly: bool = False,
             ends: bool = False) -> tuple[list[Row], dict[str, np.ndarray]]:
    """(a row for each tensor, the candidate's own arrays) of one op on one draw.

    Args:
        ends: judge only what the precision can hold, see `in_range`.
    """
    draw, dy, right, expected = known
    noise = draw.weights.get("noise")
    with op.holding(draw.weights):
        result, errors = op.attempt(copied(draw.x), None if dy is None else dy.copy(),
                                    None if noise is None else noise.copy(), draw.training)
    made = result.tensors
    rows = []
    for tensor, value in right.items():
        if expected.get(tensor) is None or not tensor.startswith(draw.tensors or ("",)):
            continue
        if made.get(tensor) is None:
            error = errors.get("forward" if tensor == "output" else "backward")
            if error is None and op.spares(tensor):
                continue
            rows.append(raised(gate, part.name, tensor, error) if error else
                        mismatch(gate, part.name, tensor, None, expected[tensor]))
            continue
        allowed = Bounded(value.value, value.rounding) if exactly else value
        ours, theirs, note = made[tensor], expected[tensor], ""
        if ends:
            ours, theirs, allowed, note = in_range(ours, theirs, allowed, right["output"])
        row = judge(gate, part.name, tensor, ours, theirs, allowed, slack=result.slack.get(tensor))
        row.note = row.note or ", ".join(filter(None, (draw.note, note)))
        row.drawn = None if row.passed else draw
        rows.append(row)
    return rows, made


def in_range(actual: ArrayLike, expected: ArrayLike, right: Bounded, output: Bounded | None = None
             ) -> tuple[np.ndarray, np.ndarray, Bounded, str]:
    """(candidate's, reference's and exact numbers, a note) with zeros where nothing can be judged.

    That is where the exact result, or how far rounding may lead away from it, is beyond the largest
    number of the precision; and where the reference itself has a NaN or an infinity, although the
    result is none: the note says at how many numbers.

    Args:
        output: of the layer, of which this may be the gradient; where it is of the same shape and
            beyond the largest number, a slope that is computed from it is, too.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape or expected.shape != right.shape:
        return actual, expected, right, ""
    held = _held(right)
    if output is not None and output.shape == right.shape:
        held &= _held(output)
    lost = held & ~np.isfinite(expected)
    kept = held & ~lost
    note = (f"the reference itself has no finite result for {int(lost.sum())} of {lost.size} "
            "numbers" if lost.any() else "")
    return (np.where(kept, actual, 0), np.where(kept, expected, 0),
            Bounded(np.where(kept, right.value, 0.0), right.rounding,
                    np.where(kept, right.bound, 0.0)), note)


def _held(numbers: Bounded) -> np.ndarray:
    """Where the precision can hold them, whichever way they are rounded; not a NaN."""
    return np.asarray(np.abs(numbers.value) + numbers.bound <= numbers.rounding.largest)


def probe_of(oracle: Oracle) -> Gate:
    """The gate that runs such an op on numbers drawn for it, some of which tie and lie at kinks."""
    return Gate.WHOLE_NUMBERS if oracle.exact else Gate.FEW_TERMS


def probe_batch(part: Part) -> int:
    """A batch size above one that no axis of the part's inputs or output has."""
    sizes = {*part.output.shape[1:], *(n for x in part.inputs for n in x.shape[1:])}
    return next(n for n in itertools.chain((3, 2, 5, 7, 4, 6), itertools.count(8))
                if n not in sizes)


def filled(part: Part, batch: int, numbers: Callable[[tuple[int, ...]], np.ndarray]
           ) -> tuple[Arrays, np.ndarray, dict[str, np.ndarray]]:
    """(x, dy, weights) for a part, for batches of that size, noise among the weights.

    Args:
        numbers: a function of a shape. Of weights that no optimizer changes, such as a moving
            variance, the absolute values are taken, plus a half.
    """
    x = tuple(numbers((batch, *value.shape[1:])) for value in part.inputs)
    dy = numbers((batch, *part.output.shape[1:]))
    state = KINDS[part.class_name].non_trainable
    weights = {name: np.abs(numbers(w.shape)) + w.dtype.type(0.5) if name in state
               else numbers(w.shape) for name, w in part.weights.items()}
    if part.noise is not None:
        own = part.noise.shape
        drawn = numbers((batch if own[:1] == (len(part.output),) else 1, *own[1:]))
        yes_or_no = np.isin(part.noise, (0, 1)).all()
        weights["noise"] = (drawn > 0).astype(drawn.dtype) if yes_or_no else drawn
    return (x if isinstance(part.input, tuple) else x[0]), dy, weights
