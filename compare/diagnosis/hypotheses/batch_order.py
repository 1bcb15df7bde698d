"""Mistakes that lie in what a gradient is made from: other samples, or weights already updated."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.running_error import Bounded


def of_inputs(c) -> list[Variant]:
    """For a weight's gradient: samples left out, or inputs that met another sample's gradient."""
    if isinstance(c.x, tuple) or c.dy is None:
        return []
    found = []

    def of(detail, function):
        def change(c):
            c = c.bare()
            return c.changed(x=function(np.array(c.x)), dy=c.exact(c.dy))

        found.append(inside("batch-mixed", detail, change))

    def only(detail, part):
        def change(c):
            c = c.bare()
            return c.changed(dy=c.exact(c.dy).rearranged(lambda d: _only(d, part)))

        found.append(inside("batch-mixed", detail, change))

    of("inputs in reverse order", lambda x: x[::-1])
    of("each gradient meets the next sample's input", lambda x: np.roll(x, -1, axis=0))
    of("each gradient meets the input of the sample before it", lambda x: np.roll(x, 1, axis=0))
    of("every gradient meets the first sample's input", lambda x: np.repeat(x[:1], len(x), axis=0))
    of("every gradient meets the last sample's input", lambda x: np.repeat(x[-1:], len(x), axis=0))
    only("only the first sample counts", slice(0, 1))
    only("only the last sample counts", slice(-1, None))
    only("the first sample does not count", slice(1, None))
    only("the last sample does not count", slice(0, -1))
    return found


def _only(array, part) -> np.ndarray:
    kept = np.zeros_like(array)
    kept[part] = array[part]
    return kept


def of_timing(c) -> list[Variant]:
    """The input's gradient, back through weights that have made their step already: that of the
    batch, or each sample's own where they are taken one at a time."""
    if c.tensor != "input_gradient" or "kernel" not in c.weights:
        return []

    def kinds(alone: bool) -> Variant:
        def change(c, made):
            step = _rate(c, made, alone)
            if abs(step) < 1e-9:
                raise ValueError("Expected a step. Received: none")
            return c.changed(own=lambda c: _together([_stepped(each, step)
                                                      for each in _apart(c, alone)]))

        said = " of its own for each sample" if alone else ""
        return Variant("update-before-gradient", lambda steps: f"after a step{said} at a rate of "
                       f"{_rate(*steps[0], alone):.4g}", change)

    return [kinds(False), kinds(True)]


def _apart(c, alone: bool) -> list:
    """The computation behind its activation; or one for each sample."""
    c = c.bare().changed(own=None)
    if not alone:
        return [c]
    x, dy = np.asarray(c.value(c.x)), c.exact(c.dy)
    return [c.changed(x=x[i:i + 1], dy=dy.rearranged(lambda a, i=i: a[i:i + 1]))
            for i in range(len(x))]


def _kernel_gradient(c) -> np.ndarray:
    return c.changed(tensor="kernel_gradient").evaluate().value


def _stepped(c, step: float) -> Bounded:
    """The result with the kernel after a step."""
    kernel = c.weights["kernel"] - step * _kernel_gradient(c)
    return c.weighing(kernel=c.exact(kernel) + c.exact(np.zeros(kernel.shape))).evaluate()


def _together(results: list[Bounded]) -> Bounded:
    return Bounded(np.concatenate([r.value for r in results]), results[0].rounding,
                   np.concatenate([r.bound for r in results]))


def _rate(c, made, alone: bool) -> float:
    """The rate of the step that leads from the right result to what was made."""
    each = _apart(c, alone)
    right = np.concatenate([one.evaluate().value for one in each])
    moved = np.concatenate([one.weighing(kernel=_kernel_gradient(one)).evaluate().value
                            for one in each])
    if right.shape != made.shape or not moved.any():
        raise ValueError("Expected a gradient of the input's shape. Received: another")
    return float(((right - made) * moved).sum() / (moved * moved).sum())
