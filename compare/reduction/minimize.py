"""The smallest input on which one layer still fails, and a test file that reproduces it.

The oracle is the judge, so no Keras is needed: a case fails if the layer's result lies outside the
bound around the exact one, has another shape, or if the layer raises an error.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from compare.checks.extremes import ALONE, OVERWRITTEN
from compare.checks.gate import Gate
from compare.checks.row import Row, share
from compare.oracle.expected import known_oracle_of, results
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Rounding
from compare.reduction.case import Case, smaller
from compare.tracing.configs import layer_config
from compare.tracing.layer_error import RAISED
from compare.tracing.ops import ActivationOp, OpResult, ops_of, rebuild, untouched_generator
from compare.tracing.trace import Trace, copied

ZEROING_LIMIT = 400  # numbers; beyond that, trying each one for zero takes too long


# (what was made or None, what is right, how far rounding may lead away from it, an error message)
Judged = tuple[np.ndarray | None, np.ndarray, np.ndarray, str]


@dataclass
class MinimalCase:
    """A case that fails, and how.

    Attributes:
        layer, tensor: which result is wrong.
        actual: what the layer computed, None if it raised `error`.
        expected, allowed: the exact result, and how far rounding may lead away from it.
    """

    layer: str
    tensor: str
    case: Case
    actual: np.ndarray | None
    expected: np.ndarray
    allowed: np.ndarray
    error: str = ""


def minimize(model, trace: Trace, row: Row) -> MinimalCase | None:
    """The smallest failing case for a failed row of a report, None if the layer alone is right,
    if what it draws is wrong, which no input shows, or if there is no oracle for it but Keras.

    Args:
        model: the candidate.
        trace: the reference's, from which the first case is taken.
        row: a failed row of a gate that runs single layers. What fails at the ends of the numbers
            alone starts from those; a penalty, or memory that is overwritten, has no case.
    """
    ops = ops_of(model)
    found = next(((part, op) for part, op in zip(trace.parts, ops)
                  if row.layer == op.title), None)
    if (found is None or not row.of_layer or row.tensor == "noise"
            or row.note.startswith((ALONE, OVERWRITTEN))):
        return None
    part, op = found
    if known_oracle_of(trace, part) is None:
        return None
    gradient = part.output_gradient
    if gradient is None:
        gradient = np.random.default_rng(0).standard_normal(part.output.shape)
    case = Case(part.class_name, part.part, layer_config(trace, part.layer), part.input,
                gradient.astype(part.output.dtype), part.given,
                training=row.gate is not Gate.INFERENCE and trace.training)
    if row.gate is Gate.EXTREMES and row.drawn is not None:
        case = replace(case, x=row.drawn.x, dy=row.drawn.dy, weights=row.drawn.weights,
                       training=row.drawn.training)
    with untouched_generator():
        fails = Failing(op, row.tensor, case)
        start = next((start for start in (_whole(case, op.state), case) if fails(start)), None)
        if start is None:
            return None
        case = shrink(start, fails)
        result = fails.judge(case)
    return MinimalCase(part.layer, row.tensor, case, *result)


class Failing:
    """Whether a layer is wrong on a case, in one tensor, and in the same way as at first.

    A wrong number is not to be shrunk into an error or another shape, which a right layer may have
    there too: one that was written for a fixed number of filters, say. Nor may what was right at
    first be wrong in the end. So the test that is made of the case passes once the layer is mended.
    """

    def __init__(self, op, tensor: str, original: Case):
        self.op, self.tensor = op, tensor
        self.kinds = self.kinds_of(original)

    def __call__(self, case: Case) -> bool:
        kinds = self.kinds_of(case)
        return bool(kinds.get(self.tensor)) and all(self.kinds.get(tensor) == kind
                                                    for tensor, kind in kinds.items())

    def kinds_of(self, case: Case) -> dict[str, str]:
        """How each tensor that is wrong is so: what was raised, whatever numbers are in that, or it
        is of another 'shape', or has other 'numbers'."""
        found = {}
        for tensor, (actual, expected, allowed, error) in self.judged(case).items():
            if actual is None:
                found[tensor] = re.sub(r"\d+,?", "", error)
            elif actual.shape != expected.shape:
                found[tensor] = "shape"
            else:
                held = np.abs(expected) + allowed <= np.finfo(case.dy.dtype).max  # others overflow
                wrong = (share(np.abs(actual - expected), allowed) > 1) | ~np.isfinite(actual)
                if (wrong & held).any():
                    found[tensor] = "numbers"
        return found

    def judge(self, case: Case) -> Judged:
        """The tensor in question on one case."""
        return self.judged(case)[self.tensor]

    def judged(self, case: Case) -> dict[str, Judged]:
        """The tensor in question and all that the layer made besides, by name."""
        rounding = Rounding.of(case.dy.dtype)
        oracle = oracle_for(case.class_name, case.config, case.part)
        oracle.training = case.training
        right = results(oracle, case.x, case.weights,
                        None if self.tensor == "output" else case.dy, rounding)
        found: dict[str, Judged] = {}
        try:
            made = run_small(self.op, case, self.tensor)
            for name in right:
                if name in made.tensors or name == self.tensor:
                    expected = right[name]
                    found[name] = (np.asarray(made.tensors[name], np.float64), expected.value,
                                   expected.bound + made.slack.get(name, 0.0), "")
        except RAISED as problem:  # a layer of somebody's own may raise anything
            expected = right[self.tensor]
            found = {self.tensor: (None, expected.value, expected.bound,
                                   f"{type(problem).__name__}: {problem}")}
        return found


def run_small(op, case: Case, tensor: str = "") -> OpResult:
    """Run a layer like `op`'s, rebuilt for the case's shapes, with the case's weights."""
    dy = None if tensor == "output" else case.dy.copy()
    if isinstance(op, ActivationOp):
        return op.run(copied(case.x), dy)
    shapes = [x.shape for x in case.inputs]
    small = type(op)(rebuild(op.layer, case.changes,
                             shapes if isinstance(case.x, tuple) else shapes[0]), op.bare)
    with small.holding(case.weights):
        return small.run(copied(case.x), dy, case.weights.get("noise"), case.training)


def shrink(case: Case, fails) -> Case:
    """The case cut down as far as it still fails: axes first, then numbers made zero or whole."""
    while True:
        cut = next((c for c in smaller(case) if c.size < case.size and fails(c)), None)
        if cut is None:
            break
        case = cut
    whole = _whole(case, fails.op.state)
    if fails(whole):
        case = whole
    if case.size <= ZEROING_LIMIT:
        for name in (*range(len(case.inputs)), "dy", *case.weights):
            case = _zeroed(case, name, fails)
    return case


def _whole(case: Case, state) -> Case:
    """The same case with small whole numbers in place of its own, drawn anew; those weights in
    `state` that no optimizer changes, such as a moving variance, above zero."""
    rng = np.random.default_rng(0)

    def draw(array, lowest=-4):
        return rng.integers(lowest, 4, array.shape, endpoint=True).astype(array.dtype)

    return case.having(tuple(draw(x) for x in case.inputs), dy=draw(case.dy),
                       weights={name: draw(w, 1 if name in state else -4)
                                for name, w in case.weights.items()})


def _zeroed(case: Case, name, fails) -> Case:
    """Each number of one array made 0, or else 1, wherever the case fails all the same.

    Args:
        name: 'dy', a weight's name, or the number of an input.
    """
    array = case.dy if name == "dy" else (case.inputs[name] if isinstance(name, int)
                                          else case.weights[name])
    for index in np.ndindex(array.shape):
        for value in (0.0, 1.0):
            if array[index] == value:
                break
            changed = array.copy()
            changed[index] = value
            attempt = _with(case, name, changed)
            if fails(attempt):
                case, array = attempt, changed
                break
    return case


def _with(case: Case, name, array) -> Case:
    if isinstance(name, int):
        return case.having(tuple(array if i == name else x for i, x in enumerate(case.inputs)))
    if name in case.weights:
        return replace(case, weights={**case.weights, name: array})
    return replace(case, dy=array)
