"""Probes with whole numbers, where nothing is rounded and so nothing is allowed to differ.

Inputs, weights and upstream gradients are small integers, so small that every product and every
partial sum, in whatever order, is an integer that the precision holds exactly. Convolution, dense
layers, pooling, rectifiers and reshaping must then agree bit for bit, forward and backward. Few
distinct integers also make many ties. What such a probe finds is a mistake in the logic, however
small its effect on real numbers would be.
"""

import math

import numpy as np

from compare.judged import layer_config
from compare.referee.bounded import Bounded, Rounding
from compare.referee.layers import referee_for
from compare.row import Row, judge, mismatch
from compare.trace import Trace

LARGEST = 4  # small, so that equal values are common


def amplitude(reductions: dict[str, int], dtype) -> int:
    """The largest a so that integers from -a to a keep every partial sum exact.

    A sum of n products of such integers is at most n a^2, and every integer up to 2^24 (float32) or
    2^53 (float64) is exact.

    Args:
        reductions: how many products or values each element of each result adds up.

    Raises:
        ValueError: if even ones would not do.
    """
    exact_up_to = 2 ** (np.finfo(dtype).nmant + 1)
    longest = max(reductions.values())
    if longest > exact_up_to:
        raise ValueError(f"Expected sums of at most {exact_up_to} terms, beyond which whole numbers "
                         f"are not exact in {np.dtype(dtype).name}. Received: {longest} terms")
    return min(LARGEST, math.isqrt(exact_up_to // longest))


def probe(candidate: Trace, steps, reference_steps=None, seed: int = 0) -> list[Row]:
    """Rows for every part that computes exactly on whole numbers.

    Args:
        candidate: a trace of the candidate, for shapes and configs.
        steps: the candidate's steps, to be run.
        reference_steps: functions (x, dy, weights) -> (output, dx, weight gradients), one per
            step; None leaves the referee alone as judge, which on whole numbers is exact.
        seed: of the integers.
    """
    rows = []
    for i, (part, step) in enumerate(zip(candidate.parts, steps)):
        referee = referee_for(part.class_name, layer_config(candidate, part.layer), part.part)
        if referee.exact:
            run = None if reference_steps is None else reference_steps[i]
            rows += _probe_step(part, step, referee, run, candidate.dtype, seed + i)
    return rows


def _probe_step(part, step, referee, reference_run, dtype, seed) -> list[Row]:
    x, dy, weights = draw(part, referee, dtype, seed)
    rounding = Rounding.of(dtype)
    exact = {"output": referee.forward(
        Bounded(x, rounding), {name: Bounded(w, rounding) for name, w in weights.items()})}
    exact["input_gradient"], gradients = referee.backward(Bounded(dy, rounding))
    exact.update({f"{name}_gradient": value for name, value in gradients.items()})
    with step.holding(weights):
        result = step.run(x.copy(), dy.copy())
    made = _named(result.output, result.input_gradient, result.weight_gradients)
    expected = ({name: value.value for name, value in exact.items()} if reference_run is None
                else _named(*reference_run(x, dy, weights)))
    rows = []
    for tensor, value in exact.items():
        if made.get(tensor) is None or expected.get(tensor) is None:
            if expected.get(tensor) is not None:
                rows.append(mismatch("whole numbers", part.name, tensor, None, expected[tensor]))
            continue
        row = judge("whole numbers", part.name, tensor, made[tensor], expected[tensor],
                    Bounded(value.value, rounding))
        row.note = row.note or f"integers, seed {seed}"
        rows.append(row)
    return rows


def draw(part, referee, dtype, seed: int):
    """(x, dy, weights) of integers for one part, exact in every sum."""
    sizes = {*part.input.shape[1:], *part.output.shape[1:]}
    batch = next(n for n in (3, 2, 5, 7, 4, 6, 8, 9) if n not in sizes)  # no other size's double
    shape = (batch, *part.input.shape[1:])
    output_shape = (batch, *part.output.shape[1:])
    largest = amplitude(referee.reductions(shape, output_shape), dtype)
    rng = np.random.default_rng(seed)

    def integers(size):
        return rng.integers(-largest, largest, size, endpoint=True).astype(dtype)

    weights = {name: integers(weight.shape) for name, weight in part.weights.items()}
    return integers(shape), integers(output_shape), weights


def _named(output, input_gradient, weight_gradients) -> dict:
    return {"output": output, "input_gradient": input_gradient,
            **{f"{name}_gradient": value for name, value in weight_gradients.items()}}
