"""Mistakes in padding: on which side, how much, and with what numbers."""

import itertools
from typing import Any

import numpy as np

from compare.diagnosis.hypotheses.window_geometry import landing, needed, needed_after, reach
from compare.diagnosis.hypothesis import Variant, inside

MOST = 40  # ways of padding; beyond that only those along one axis at a time


def of_padding(c) -> list[Variant]:
    """Another number of pixels before the image than there should be."""
    walk = c.default_walk()
    choices = []
    for axis in range(len(walk.size)):
        right = walk.before[axis]
        if walk.kernel[axis] == 1 and walk.size[axis] == 1:
            choices.append([right])
            continue
        most = max(reach(walk, axis), needed(walk, axis))
        choices.append([right, *[b for b in range(1 - walk.strides[axis], most + 1) if b != right]])
    pairs = list(itertools.product(*choices))
    if len(pairs) > MOST:
        pairs = [p for p in pairs if _few_moved([b - w for b, w in zip(p, walk.before)])]
    named = [(_padding_name(walk, before), before) for before in pairs
             if before != tuple(walk.before)]
    order = ("padding-side", "padding-amount", "stride-offset", "shifted")
    found = []
    for identifier, before in sorted(named, key=lambda each: order.index(each[0])):
        moved = tuple(b - w for b, w in zip(before, walk.before))
        detail = f"{_side(before)} before the image in place of {_side(walk.before)}"

        def move(c, moved=moved):
            def change(walk):
                walk.before = [b + m for b, m in zip(walk.before, moved)]

            return landing(c, change)

        found.append(inside(identifier, detail, move))
    return found


def _few_moved(steps: list[int]) -> bool:
    """Whether one axis is moved at most, or all of them by as much."""
    return sum(map(bool, steps)) < 2 or len(set(steps)) == 1


def _side(before) -> str:
    return " and ".join(str(b) for b in before) + " pixels"


def _padding_name(walk, before) -> str:
    """What to call so many pixels before the image, in place of those of `walk`."""
    names = []
    for axis in range(len(walk.size)):
        total, right, b = needed(walk, axis), walk.before[axis], before[axis]
        if b == right:
            continue
        if b in (total - right, 0, total) and total:
            names.append("padding-side")
        elif b == walk.kernel[axis] // 2 or b > right or not _offset(walk, axis, b):
            names.append("padding-amount")
        else:
            names.append("stride-offset")
    if len(set(names)) > 1:
        return "padding-amount"
    return names[0]


def _offset(walk, axis, b) -> bool:
    """Whether windows start some pixels late, but less than a stride."""
    return walk.strides[axis] > 1 and 0 < walk.before[axis] - b < walk.strides[axis]


def padded(c, mode: str, value: float = 0.0):
    """The computation on an image that has its padding as pixels; gradients lose them again."""
    c = c.bare() if c.tensor != "output" else c
    walk, lay = c.default_walk(), c.layout()
    before = [max(b, 0) for b in walk.before]
    after = [max(needed_after(walk, axis), 0) for axis in range(len(walk.size))]
    if not any(before + after):
        raise ValueError("Expected a layer that pads. Received: one that does not")
    widths = ((0, 0), *zip(before, after), (0, 0))
    options: dict[str, Any] = {"mode": mode}
    if mode == "constant":
        options["constant_values"] = value
    x = lay.given(np.pad(lay.image(c.x), widths, **options))
    walk.size = tuple(n + b + a for n, b, a in zip(walk.size, before, after))
    walk.before = [b - put for b, put in zip(walk.before, before)]
    c = c.changed(x=x, walk=walk)
    if c.tensor == "input_gradient":
        inner = tuple(slice(b, n - a) for b, n, a in zip(before, walk.size, after))
        c = c.moved(lambda dx: lay.given(lay.image(dx)[(slice(None), *inner)]))
    return c


def of_padding_value(c) -> list[Variant]:
    """Padding with other numbers than zeros: a constant, or what lies at the edge."""
    found = [inside("padding-value", f"'{mode}' in place of zeros",
                    lambda c, mode=mode: padded(c, mode))
             for mode in ("edge", "reflect", "symmetric", "wrap")]
    if c.tensor == "input_gradient":
        return []

    def value_of(c, made) -> float:
        zero = padded(c, "constant", 0.0).evaluate().value
        slope = padded(c, "constant", 1.0).evaluate().value - zero
        if zero.shape != made.shape or not slope.any():
            raise ValueError("Expected padding that shows. Received: none")
        value = float(((made - zero) * slope).sum() / (slope ** 2).sum())
        return float(np.float32(value)) if abs(value) > 1e-6 else 0.0

    def change(c, made):
        return padded(c, "constant", value_of(c, made))

    return [*found, Variant("padding-value", lambda steps: f"{value_of(*steps[0]):.6g} in place "
                            "of zeros", change)]
