"""Mistakes that lie in what a gradient is made from: other samples, or weights already updated."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside


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
    """The input's gradient, back through weights that have made their step already."""
    if c.tensor != "input_gradient" or "kernel" not in c.weights:
        return []

    def direction(c):
        c = c.bare()
        gradient = c.changed(tensor="kernel_gradient").evaluate().value
        return c, gradient, c.weighing(kernel=gradient).evaluate().value

    def rate(c, made) -> float:
        c, _, moved = direction(c)
        right = c.evaluate().value
        if right.shape != made.shape or not moved.any():
            raise ValueError("Expected a gradient of the input's shape. Received: another")
        return float(((right - made) * moved).sum() / (moved * moved).sum())

    def change(c, made):
        step = rate(c, made)
        c, gradient, _ = direction(c)
        if abs(step) < 1e-9:
            raise ValueError("Expected a step. Received: none")
        kernel = c.weights["kernel"] - step * gradient
        return c.weighing(kernel=c.exact(kernel) + c.exact(np.zeros(kernel.shape)))

    return [Variant("update-before-gradient", lambda steps: "after a step at a rate of "
                    f"{rate(*steps[0]):.4g}", change)]
