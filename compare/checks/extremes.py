"""The gate that runs layers, loss and penalties on numbers at the ends of their range.

Each is run twice, on two batches of one shape, and both results are judged: what is kept of the
first call (an input, a mask, weights) shows in the second; and what the first call returned must
still be there after it. Of the two runs the table has the one that came closer to its bound.
"""

import copy
import math
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from compare.checks.extreme_losses import draw as loss_draw
from compare.checks.extreme_numbers import KINDS, sample, samples, scaled, upstream
from compare.checks.gate import Gate
from compare.checks.probing import (
    Draw,
    ReferenceRun,
    each_group,
    filled,
    in_range,
    of_pass,
    probe_batch,
    refereed,
    run_draw,
)
from compare.checks.row import Row, judge, raised
from compare.oracle import regularization
from compare.oracle.base import Oracle
from compare.oracle.expected import oracle_of
from compare.oracle.losses import exact_loss
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing import execution
from compare.tracing.configs import channel_axis, layer_config
from compare.tracing.layer_error import RAISED, LayerError, sentence
from compare.tracing.loss_terms import Term, terms_of
from compare.tracing.ops import Op
from compare.tracing.trace import Part, Trace
from compare.tracing.types import Network

OVERWRITTEN = "what the call returned is overwritten by the next call"
ALONE = "the penalty alone"  # is what a row is about
BY_BATCH = ("offset", "tiny", "equal", "zero", "mixed")  # for layers that mix samples
PIECEWISE = ("kinks", "mixed", "equal")  # for layers that round nothing
SEEDS = (0, 1)
CALLS_BACK = 2  # of which the results are kept: a layer may take two buffers by turns

LossRun = Callable[[np.ndarray, np.ndarray, bool, int], tuple[np.ndarray, np.ndarray]]


def probe(candidate: Trace, ops: Sequence[Op], reference_ops: Sequence[ReferenceRun] | None = None,
          model: Network | None = None, loss_run: LossRun | None = None,
          only: Collection[int] | None = None) -> list[Row]:
    """Rows for each layer, the loss and each penalty.

    Args:
        candidate: a trace of the candidate, for shapes and configs.
        ops: its ops, to be run.
        reference_ops: as `probing.probe` takes them.
        model: the candidate, whose loss is run; None for none.
        loss_run: the reference's loss, a function (labels, output, fused, number of the output) ->
            (value, gradient);
            None leaves the oracle's value in its place.
        only: the positions of the parts that are judged; None for all.
    """
    rows: dict[int, list[Row]] = {}
    for positions in each_group(Gate.EXTREMES, candidate, reference_ops, only):
        run = None if reference_ops is None else reference_ops[positions[0]]
        if oracle_of(candidate, candidate.parts[positions[0]]).proved:
            rows |= layer_rows(candidate, positions, ops, run)
    found: list[Row] = []
    for i in range(len(ops)):
        if only is not None and i not in only:
            continue
        found += rows.get(i, [])
        if candidate.y is not None:
            found += penalty_rows(candidate, i, ops)
    if model is not None and candidate.y is not None and candidate.loss is not None:
        found += loss_rows(candidate, model, loss_run)
    return worst(found)


def worst(rows: list[Row]) -> list[Row]:
    """Of each tensor the row that fails, or that came closest to its bound."""
    kept: dict[str, Row] = {}
    for row in rows:
        known = kept.get(row.name)
        if known is None or (known.passed, -known.used) > (row.passed, -row.used):
            kept[row.name] = row
    return list(kept.values())


def layer_rows(candidate: Trace, positions: list[int], ops: Sequence[Op],
               run: ReferenceRun | None) -> dict[int, list[Row]]:
    """All rows of some ops that are alike, by position: of every draw those of each op that say
    most, and one for each result that a later call overwrites."""
    part = candidate.parts[positions[0]]
    rows: dict[int, list[Row]] = {i: [] for i in positions}
    kept: dict[int, Kept] = {i: Kept() for i in positions}
    for draw in of_pass(candidate, draws(candidate, part)):
        known = refereed(oracle_of(candidate, part), run, draw)
        for i in positions:
            name = candidate.parts[i].name
            found, made = run_draw(Gate.EXTREMES, candidate.parts[i], ops[i], known, ends=True)
            rows[i] = worst(rows[i] + found)
            kept[i].add(name, made)
    return {i: rows[i] + kept[i].overwritten for i in positions}


class Kept:
    """What an op's last calls returned, and what it was then.

    Attributes:
        overwritten: a row for each result that is not what it was any more.
    """

    def __init__(self) -> None:
        self.overwritten: list[Row] = []
        self._calls: list[dict[str, tuple[np.ndarray, np.ndarray]]] = []

    def add(self, layer: str, made: dict[str, np.ndarray]) -> None:
        """One more call; those before it are looked at."""
        for call in self._calls:
            for name, (array, before) in list(call.items()):
                if not np.array_equal(array, before, equal_nan=True):
                    self.overwritten.append(overwritten(layer, name, array, before))
                    del call[name]
        self._calls = [*self._calls, {name: (array, np.array(array))
                                      for name, array in made.items() if array is not None}]
        del self._calls[:-CALLS_BACK]


def overwritten(layer: str, tensor: str, now: np.ndarray, before: np.ndarray) -> Row:
    """The row for a result that is not what it was when the call returned it."""
    row = judge(Gate.EXTREMES, layer, tensor, now, before,
                Bounded(before, Rounding.of(before.dtype)))
    row.candidate_error = row.reference_error = None  # both are the candidate's
    row.off, row.note = "candidate", OVERWRITTEN
    return row


def draws(candidate: Trace, part: Part) -> list[Draw]:
    """Two batches for one part, or for a layer that mixes samples two of each kind; none where
    numbers are drawn in training, whose own gate judges them."""
    if part.noise is not None:
        return []
    oracle = oracle_of(candidate, part)
    axis = channel_axis(layer_config(candidate, part.layer), part.output.ndim)
    return [draw for seed in SEEDS for draw in _drawn(part, oracle, candidate.dtype, seed, axis)]


def _drawn(part: Part, oracle: Oracle, dtype: str, seed: int, axis: int) -> Iterator[Draw]:
    def normal(shape: tuple[int, ...]) -> np.ndarray:
        return rng.standard_normal(shape).astype(dtype)

    rng = np.random.default_rng([seed, 2])
    if oracle.exact and part.weights and "alpha" not in part.weights:
        x, dy, weights = filled(part, 3, normal)
        assert isinstance(x, np.ndarray)  # a layer that merges has no weights
        yield Draw(*scaled(x, dy, axis), weights, None, f"all magnitudes, seed {seed}")
        return
    for kinds in _batches(part, oracle, seed):
        _, _, weights = filled(part, len(kinds), normal)
        x = tuple(samples(kinds[i % len(kinds):] + kinds[:i % len(kinds)], each.shape[1:],
                          seed + 10 * i, dtype, oracle.kinks)
                  for i, each in enumerate(part.inputs))
        inputs = x if isinstance(part.input, tuple) else x[0]
        dy = upstream((len(kinds), *part.output.shape[1:]), seed, dtype)
        note = f"{'extremes' if len(set(kinds)) > 1 else kinds[0]}, seed {seed}"
        yield Draw(inputs, dy, weights, None, note)
        if part.inference is not None:
            yield Draw(inputs, dy, weights, ("output",), f"{note}, at inference", training=False)


def _batches(part: Part, oracle: Oracle, seed: int) -> list[tuple[str, ...]]:
    """The kinds of each batch's samples."""
    if oracle.mixes_samples:
        return [(kind,) * probe_batch(part) for kind in BY_BATCH]
    kinds = PIECEWISE if oracle.exact else KINDS
    batch = kinds[seed:] + kinds[:seed]
    sizes = part.output.shape[1:]
    # `bias_along_width`: Keras takes one number a sample for a bias where an axis is as long
    while any(math.prod(x.shape[1:]) == 1 for x in part.inputs[1:]) and len(batch) in sizes:
        batch += batch[:1]
    return [batch]


def penalty_rows(candidate: Trace, i: int, ops: Sequence[Op]) -> list[Row]:
    """Rows for what the penalties on a layer's weights, and on its output, add to loss and
    gradients."""
    part, op = candidate.parts[i], ops[i]
    config = layer_config(candidate, part.layer)
    regularizers = {name: regularization.regularizer_of(config, name) for name in part.weights}
    regularizers = {name: found for name, found in regularizers.items()
                    if found is not None and part.tied_to is None}
    rows = []
    rounding = Rounding.of(candidate.dtype)
    for seed in SEEDS if regularizers else ():
        rng = np.random.default_rng([seed, 3])
        weights = {name: _of_all_kinds(w.shape, rng, candidate.dtype)
                   for name, w in part.weights.items()}
        held = {name: Bounded(weights[name], rounding) for name in regularizers}
        right = {"penalty": regularization.total([regularization.penalty(regularizers[name], w)
                                                  for name, w in held.items()])}
        right |= {f"{name}_gradient": regularization.gradient(regularizers[name], w)
                  for name, w in held.items()}
        with op.holding(weights):
            made = {"penalty": np.asarray(op.penalty())}
            made |= {f"{name}_gradient": g for name, g in op.penalty_gradients().items()}
        rows += [_judged(part.name, tensor, made.get(tensor), value, candidate.dtype,
                         f"{ALONE}, seed {seed}") for tensor, value in right.items()]
    return rows + _activity_rows(candidate, i, ops)


def _activity_rows(candidate: Trace, i: int, ops: Sequence[Op]) -> list[Row]:
    described = regularization.activity_regularizer(candidate, i)
    regularizer = execution.activity_regularizer(list(ops), i)
    if described is None or regularizer is None:
        return []
    part, rounding = candidate.parts[i], Rounding.of(candidate.dtype)
    rng = np.random.default_rng(4)
    output = _of_all_kinds((3, *part.output.shape[1:]), rng, candidate.dtype)
    held, share = Bounded(output, rounding), output.dtype.type(len(output))
    right = {"activity_penalty": regularization.penalty(described, held) / float(share),
             "activity_gradient": regularization.gradient(described, held) / float(share)}
    made = {"activity_penalty": regularizer.penalty(output) / share,
            "activity_gradient": regularizer.gradient(output) / share}
    return [_judged(part.name, tensor, made[tensor], value, candidate.dtype, ALONE)
            for tensor, value in right.items()]


def _of_all_kinds(shape: tuple[int, ...], rng: np.random.Generator, dtype: str) -> np.ndarray:
    """Numbers of all magnitudes, some of them exactly 0."""
    made = np.where(rng.random(shape) < 0.2, 0.0, sample("mixed", shape, rng, dtype))
    made.reshape(-1)[:1] = 0.0
    return np.asarray(made, dtype)


def loss_rows(candidate: Trace, model: Network, run: LossRun | None) -> list[Row]:
    """Rows for each loss's value, without penalties and weight, and its gradient."""
    return [row for term in terms_of(candidate) for row in _term_rows(candidate, term, model, run)]


def _term_rows(candidate: Trace, term: Term, model: Network, run: LossRun | None) -> list[Row]:
    function = copy.deepcopy(term.function(model))
    if term.fused and getattr(function, "of_probabilities", False):
        return []  # which have rounded to 0 and 1 before it is handed them
    rows, kept = [], []
    for seed in SEEDS:
        draw = loss_draw(candidate, term, seed)
        right = exact_loss(term.loss, draw.y,
                           Bounded(draw.output, Rounding.of(candidate.dtype)), draw.fused,
                           np.dtype(candidate.dtype))
        theirs = None if run is None else run(draw.y, draw.output, draw.fused, term.output)
        try:
            value = function.forward(draw.y, draw.output.copy(), draw.fused or None)
            made = np.asarray(value), function.backward()
        except RAISED as error:  # somebody's own loss may raise anything
            note = (str(error) if isinstance(error, LayerError) else
                    f"{type(function).__name__} raised {sentence(error)}")
            return [raised(Gate.EXTREMES, term.layer, tensor, note)
                    for tensor in ("value", "gradient")]
        for k, tensor in enumerate(("value", "gradient")):
            expected = None if theirs is None else theirs[k]
            row = _judged(term.layer, tensor, made[k], right[k], candidate.dtype, draw.note,
                          expected)
            row.drawn = None if row.passed else draw
            rows.append(row)
        kept.append((made[1], np.array(made[1])))
    return rows + [overwritten(term.layer, "gradient", now, before) for now, before in kept
                   if not np.array_equal(now, before, equal_nan=True)]


def _judged(layer: str, tensor: str, made: np.ndarray | None, right: Bounded, dtype: str,
            note: str, expected: np.ndarray | None = None) -> Row:
    if expected is None:
        expected = right.value.astype(dtype)
    if made is None:
        made = np.zeros((0,))  # of another shape than anything that was due
    made, expected, right, more = in_range(made, expected, right)
    row = judge(Gate.EXTREMES, layer, tensor, made, expected, right)
    row.note = row.note or ", ".join(filter(None, (note, more)))
    return row
