"""Whether what fails in float32 is right in float64: then a formula loses digits, and no more.

The same layer or loss is run again on the same numbers in float64. A mistake in the formula is as
large there as before; what rounding makes of a right formula, however it was written, is smaller by
the ratio of the two precisions.
"""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.diagnosis.computation import LayerComputation
from compare.diagnosis.finding import Cause
from compare.diagnosis.observation import Observation
from compare.diagnosis.runners import StepRunner
from compare.oracle.base import Chain
from compare.oracle.layers.normalization import Normalization
from compare.oracle.layers.smooth_activations import GELU
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.layer_error import RAISED
from compare.tracing.ops import ActivationOp, Op

DIGITS = 7  # decimal digits that float32 has
WIDE = np.dtype(np.float64)
# Roundings, relative to the largest number that goes in or comes out, which any such formula may
# make: far below what a mistake does, since they are float64's.
ROUNDINGS = 256

# an observation in float32 -> what is made of the same numbers in float64
Again = Callable[[Observation], np.ndarray]


def lost_digits(failing: list[Observation], again: Again | None) -> Cause | None:
    """The cause where every failing observation is right in float64, else None."""
    if again is None or any(seen.right.rounding.unit < 2.0**-50 for seen in failing):
        return None
    worst = 0.0
    for seen in failing:
        try:
            right = _as_meant(seen.right.changed(rounding=Rounding.of(WIDE))).evaluate()
            made = np.asarray(again(seen), np.float64)
        except RAISED:  # somebody's own layer may not take float64
            return None
        if not _is_right(made, right, seen):
            return None
        worst = max(worst, _relative(seen, right))
    digits = int(np.clip(np.ceil(np.log10(worst / 2.0**-24)), 1, DIGITS))
    return Cause("cancellation", f"about {digits} of {DIGITS}; the same in float64 is right")


def _as_meant(c: Any) -> Any:
    """A computation in float64; of a GELU, whose constant TensorFlow rounds to float32 even there,
    with the constant itself."""
    if not isinstance(c, LayerComputation) or not isinstance(c.activation, GELU):
        return c

    def run(c: LayerComputation) -> Bounded:
        oracle = c.oracle()
        activation: Any = oracle.oracles[-1] if isinstance(oracle, Chain) else oracle
        activation.SQRT_HALF = math.sqrt(0.5)
        return c.all_results(oracle)[c.tensor]

    return c.changed(own=run)


def _is_right(made: np.ndarray, right: Bounded, seen: Observation) -> bool:
    """Whether it is, as far as any formula of the kind is. An overflow is no lost digit; but the
    variance of a normalization, off as far as its squares are large, may even become negative."""
    c: Any = seen.right
    squares = isinstance(c, LayerComputation) and isinstance(c.layer, Normalization)
    if made.shape != right.shape or not (squares or np.isfinite(seen.made).all()):
        return False
    size = max([1.0, *(np.abs(a).max(initial=0) for a in (right.value, *_numbers(seen)))])
    size = size ** 2 if squares else size
    # at a kink the bound allows both slopes, but whole numbers lie on one side of it, or at it
    exactly = seen.exactly and np.array_equal(right.value, np.rint(right.value))
    room = (0.0 if exactly else right.bound) + ROUNDINGS * 2.0**-53 * size
    with np.errstate(invalid="ignore"):
        return bool((np.abs(made - right.value) <= room).all())


def _numbers(seen: Observation) -> list[np.ndarray]:
    """What goes in."""
    c: Any = seen.right
    x = c.x if isinstance(c, LayerComputation) else c.output
    dy = c.dy if isinstance(c, LayerComputation) else None
    given = [*(x if isinstance(x, tuple) else (x,)), *([] if dy is None else [dy])]
    return [np.asarray(c.value(each) if isinstance(c, LayerComputation) else each)
            for each in given]


def _relative(seen: Observation, right: Bounded) -> float:
    """The largest relative error of what was made in float32, where it is more than rounding."""
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.abs(seen.made - right.value)
        over = off > seen.right.evaluate().bound
        relative = np.where(over, off / np.abs(right.value), 0.0)
    worst = np.nan_to_num(relative, nan=1.0).max(initial=0.0)
    return float(min(worst, 1.0)) or 2.0**-24


def of_layer(runner: StepRunner, tensor: str) -> Again:
    """Runs an op in float64."""
    wide = StepRunner(in_float64(runner.op), runner.back)

    def again(seen: Observation) -> np.ndarray:
        c = seen.right
        assert isinstance(c, LayerComputation)  # as it was run by an op
        x = tuple(map(_wide, c.x)) if isinstance(c.x, tuple) else _wide(c.x)
        weights = {name: _wide(weight) for name, weight in c.weights.items()}
        own = wide.smaller((len(x), *np.shape(x)[1:])) if _other_shape(c, runner) else wide
        return (own or wide).run(c.changed(
            x=x, dy=None if c.dy is None else _wide(c.dy), weights=weights))[tensor]

    return again


def _other_shape(c: LayerComputation, runner: StepRunner) -> bool:
    """Whether a computation is of other sizes than the layer was built for."""
    built = getattr(runner.op.layer, "input_shape", None)
    return (not isinstance(c.x, tuple) and isinstance(built, tuple)
            and tuple(np.shape(c.x)[1:]) != tuple(built[1:]))


def in_float64(op: Op) -> Op:
    """A copy of an op whose layer computes in float64."""
    wide = copy.copy(op)
    wide.layer = copy.deepcopy(op.layer)
    wide.layer.dtype = WIDE
    wide.layer.params = {name: _wide(weight) for name, weight in wide.layer.params.items()}
    if isinstance(wide, ActivationOp):
        wide.activation = wide.layer.activation
    return wide


def _wide(array: Any) -> np.ndarray:
    return np.asarray(array, WIDE)
