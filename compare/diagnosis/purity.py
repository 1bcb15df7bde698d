"""Mistakes that show when a layer is run again: leftovers, sums of gradients, inputs changed."""

import copy

import numpy as np

from compare.checks.row import share
from compare.diagnosis.computation import LayerComputation
from compare.diagnosis.finding import Cause
from compare.diagnosis.runners import StepRunner
from compare.oracle.layers import noise
from compare.tracing.layer_error import RAISED
from compare.tracing.trace import copied

RANDOM = (noise.Dropout, noise.GaussianNoise, noise.GaussianDropout)
RECORDED = ("another input changes nothing; arrays that were recorded are judged by "
            "compare.check_outputs")
ROOM = 4.0  # bounds that the difference of two runs of the same layer may have


def repeated(runner: StepRunner, c: LayerComputation, other: LayerComputation) -> Cause | None:
    """What is found by running a layer again, or None.

    Args:
        c: the computation of the failing tensor.
        other: the same on other numbers.
    """
    changed = modified(runner, c)
    if changed is not None:
        return changed
    first = runner.run(c).get(c.tensor)
    again = runner.run(c).get(c.tensor)
    if first is None or again is None:
        return None
    if not np.array_equal(first, again, equal_nan=True):
        return _leftover(c, first, again)
    runner.run(other)
    third = runner.run(c).get(c.tensor)
    if third is not None and not np.array_equal(first, third, equal_nan=True):
        return Cause("state-leak", "a call on other numbers in between changes the result")
    made = runner.run(other).get(other.tensor)
    if made is not None and _inside(c.evaluate(), made) and not _inside(other.evaluate(), made):
        later = runner.run(other).get(other.tensor)
        fixed = later is not None and np.array_equal(made, later, equal_nan=True)
        return Cause("state-leak", RECORDED if fixed else "the result is that of the call before")
    return None


def kept(runner: StepRunner, c: LayerComputation, other: LayerComputation) -> Cause | None:
    """Whether a result is made of what an earlier call had: its weights or its input. None if not.

    That it stays as it is when these change does not suffice: a gradient that forgets a mask does
    so, too. It has to be the right result of numbers that the layer has had before: of the first
    call of a layer made anew, of those that it is made with, or of those that it has now.

    Args:
        c, other: two computations of one tensor, of the same shapes.
    """
    first = runner.run(c).get(c.tensor)
    anew = runner.smaller([np.shape(x) for x in c.x] if isinstance(c.x, tuple) else np.shape(c.x))
    if first is None:
        return None
    ways = [("stale-weights", f"another {name} changes nothing", "weights", name)
            for name in other.weights if name in c.weights and name != "noise"]
    for identifier, said, *what in [*ways, ("state-leak", RECORDED, "x")]:
        changed = _with(c, other, *what)
        again = runner.run(changed).get(c.tensor)
        if again is None or not np.array_equal(first, again, equal_nan=True) or \
                np.allclose(changed.evaluate().value, c.evaluate().value):
            continue
        if any(_inside(c.weighing(**{what[-1]: w}).evaluate(), first)
               for w in _had(runner, anew, what[-1])) or _of_first_call(anew, c, changed):
            both = what[0] == "weights" and _ignores_input(runner, c, other, first)
            return Cause("state-leak", RECORDED) if both else Cause(identifier, said)
    return None


def _ignores_input(runner: StepRunner, c: LayerComputation, other: LayerComputation, first) -> bool:
    again = runner.run(_with(c, other, "x")).get(c.tensor)
    return again is not None and np.array_equal(first, again, equal_nan=True)


def _with(c: LayerComputation, other: LayerComputation, what: str, name: str = ""):
    """The computation with one weight, or the input, of another."""
    return c.weighing(**{name: other.weights[name]}) if name else c.changed(**{what: other.x})


def _had(runner: StepRunner, anew: StepRunner | None, name: str) -> list[np.ndarray]:
    """What a weight is now and when the layer is made. Zeros and ones say nothing: a layer that
    forgets the weight gives the same."""
    held = [one.op.weights[name] for one in (runner, anew)
            if one is not None and name in one.op.weights]
    return [np.array(w) for w in held if np.ptp(w) > 0]


def _of_first_call(anew: StepRunner | None, c: LayerComputation, before: LayerComputation) -> bool:
    """Whether a layer made anew gives the right result of its first call at the second, too."""
    if anew is None:
        return False
    fresh = copy.deepcopy(anew)
    fresh.run(before)
    made = fresh.run(c).get(c.tensor)
    return made is not None and _inside(before.evaluate(), made) and \
        not _inside(c.evaluate(), made)


def _leftover(c, first, again) -> Cause:
    """Two runs on the same numbers differ: did the second add its own to what there was?"""
    if not c.training and isinstance(c.layer, RANDOM):
        return Cause("training-flag", "it draws outside of training, too")
    if c.tensor != "output" and first.shape == again.shape:
        right = c.evaluate()
        grown = np.asarray(again, np.float64) - first
        size = right.bound + 2.0**-22 * (np.abs(first) + np.abs(again))
        if right.shape == grown.shape and (np.abs(grown - right.value) <= ROOM * size).all():
            return Cause("gradient-accumulated", "the second call adds its own to the first one's")
    return Cause("state-leak", "two calls on the same numbers differ")


def _inside(result, made) -> bool:
    if result.shape != made.shape:
        return False
    with np.errstate(all="ignore"):
        return bool((share(np.abs(made - result.value), result.bound) <= 1).all())


def modified(runner: StepRunner, c: LayerComputation) -> Cause | None:
    """Whether a run changes what it is given: the input, or the gradient that comes in."""
    x = copied(c.x)
    dy = None if c.dy is None else np.array(c.dy)
    try:
        runner.run_on(c, x, dy)
    except RAISED:  # somebody's own layer may raise anything, and `run` will say so
        return None
    given, held = (a if isinstance(a, tuple) else (a,) for a in (c.x, x))
    if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(given, held)):
        return Cause("input-modified", "the input")
    if dy is not None and not np.array_equal(dy, c.dy, equal_nan=True):
        return Cause("input-modified", "the gradient that comes in")
    return None


def moves_outside_of_training(layer, x) -> bool:
    """Whether a layer's weights change when it is run outside of training."""
    copied = copy.deepcopy(layer)
    before = [np.array(w) for w in copied.params.values()]
    try:
        copied.forward(list(map(np.array, x)) if isinstance(x, tuple) else np.array(x),
                       training=False)
    except RAISED:  # somebody's own layer may raise anything
        return False
    return any(not np.array_equal(a, b, equal_nan=True)
               for a, b in zip(before, copied.params.values()))
