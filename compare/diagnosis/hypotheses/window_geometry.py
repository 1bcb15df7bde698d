"""Where windows land: what hypotheses on padding, strides and overlaps have in common."""

from compare.oracle.running_error import Bounded


def landing(c, function):
    """The computation with its walk changed in place by `function`; a gradient's alone."""
    c = c.bare() if c.tensor != "output" else c
    walk = c.default_walk()
    walk.before = list(walk.before)
    function(walk)
    return c.changed(walk=walk)


def reach(walk, axis: int) -> int:
    """Pixels from the first of a window to its last."""
    return (walk.kernel[axis] - 1) * walk.dilation[axis] + 1


def needed(walk, axis: int) -> int:
    """How many pixels of padding it takes for every window to lie on the image."""
    return max((walk.outputs[axis] - 1) * walk.strides[axis] + reach(walk, axis)
               - walk.size[axis], 0)


def needed_after(walk, axis: int) -> int:
    return ((walk.outputs[axis] - 1) * walk.strides[axis] + reach(walk, axis)
            - walk.before[axis] - walk.size[axis])


def pixel_at(walk, window: tuple, offset: tuple) -> tuple | None:
    """Which pixel a window has at that offset; None for padding."""
    pixel = tuple(w * stride + i * step - before for w, stride, i, step, before in
                  zip(window, walk.strides, offset, walk.dilation, walk.before))
    return pixel if all(0 <= p < n for p, n in zip(pixel, walk.size)) else None


def bounded_sum(value, magnitude, terms: int, rounding) -> Bounded:
    """A sum of so many terms in any order."""
    return Bounded(value, rounding, rounding.gamma(terms) * magnitude + terms * rounding.tiny)
