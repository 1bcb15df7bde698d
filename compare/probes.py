"""Runs single steps on numbers drawn for the purpose, both sides, and judges what comes out.

What the numbers are is up to the kind of probe: see `whole_numbers.py` and `few_terms.py`.
"""

from typing import NamedTuple

import numpy as np

from compare.judged import exact_results, layer_config
from compare.referee.bounded import Bounded, Rounding
from compare.referee.layers import referee_for
from compare.row import Row, judge, mismatch
from compare.trace import Trace


class Draw(NamedTuple):
    """Numbers for one run of one step.

    Attributes:
        x, dy, weights: input, upstream gradient, weights by name.
        tensors: which results to judge; None for all.
        note: how the numbers can be had again.
    """

    x: np.ndarray
    dy: np.ndarray
    weights: dict[str, np.ndarray]
    tensors: tuple[str, ...] | None
    note: str


def probe(gate: str, candidate: Trace, steps, reference_steps, draws, exact: bool) -> list[Row]:
    """Rows for every step for which numbers are drawn.

    Args:
        gate: the rows' gate.
        candidate: a trace of the candidate, for shapes and configs.
        steps: the candidate's steps, to be run.
        reference_steps: functions (x, dy, weights) -> (output, dx, weight gradients), one per
            step; None leaves the referee's value in the reference's place.
        draws: a function (number of the part, part, its referee) -> list of `Draw`.
        exact: nothing may differ; otherwise the referee's bound is allowed.
    """
    rows = []
    for i, (part, step) in enumerate(zip(candidate.parts, steps)):
        def referee():
            return referee_for(part.class_name, layer_config(candidate, part.layer), part.part)

        run = None if reference_steps is None else reference_steps[i]
        for draw in draws(i, part, referee()):
            rows += _run(gate, part, step, referee(), run, draw, exact)
    return rows


def _run(gate, part, step, referee, reference_run, draw: Draw, exact: bool) -> list[Row]:
    rounding = Rounding.of(draw.x.dtype)
    right = exact_results(referee, draw.x, draw.weights, draw.dy, rounding)
    with step.holding(draw.weights):
        made = step.run(draw.x.copy(), draw.dy.copy()).named()
    expected = ({name: value.value for name, value in right.items()} if reference_run is None
                else named(*reference_run(draw.x, draw.dy, draw.weights)))
    rows = []
    for tensor, value in right.items():
        if expected.get(tensor) is None or tensor not in (draw.tensors or right):
            continue
        if made.get(tensor) is None:
            rows.append(mismatch(gate, part.name, tensor, None, expected[tensor]))
            continue
        allowed = Bounded(value.value, rounding) if exact else value
        row = judge(gate, part.name, tensor, made[tensor], expected[tensor], allowed)
        row.note = row.note or draw.note
        rows.append(row)
    return rows


def named(output, input_gradient, weight_gradients: dict) -> dict:
    """A step's results by tensor name."""
    return {"output": output, "input_gradient": input_gradient,
            **{f"{name}_gradient": value for name, value in weight_gradients.items()}}


def probe_batch(part) -> int:
    """A batch size above one that no axis of the part's input or output has."""
    sizes = {*part.input.shape[1:], *part.output.shape[1:]}
    return next(n for n in (3, 2, 5, 7, 4, 6, 8, 9) if n not in sizes)
