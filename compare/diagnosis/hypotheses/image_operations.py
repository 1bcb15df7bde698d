"""Mistakes of operations between layers on images: borders, blocks of pixels, patches."""

import itertools

import numpy as np

from compare.diagnosis.hypotheses.moving_operations import NOWHERE, configured, moved, sources
from compare.diagnosis.hypotheses.rearrangement import moved_by
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.moving_operations import (
    DepthToSpace,
    ExtractPatches,
    Pad,
    SpaceToDepth,
)

SIDE, VALUE, BLOCKS = "padding-side", "padding-value", "block-order"
MOST = 200  # places of a border that are tried
PARTS = ("rows", "columns", "channels")  # of a block


def of_image_operations(c) -> list[Variant]:
    """Everything about pad, depth_to_space, space_to_depth and extract_patches."""
    if isinstance(c.layer, Pad):
        return _of_sides(c) + _of_modes(c)
    if isinstance(c.layer, (DepthToSpace, SpaceToDepth)):
        return _of_blocks(c)
    return _of_patches(c) if isinstance(c.layer, ExtractPatches) else []


def _widths(c) -> list[tuple[int, int]]:
    """(before, after) of each axis."""
    given = np.broadcast_to(np.asarray(c.config["pad_width"]), (np.ndim(c.x), 2))
    return [(int(before), int(after)) for before, after in given]


def _of_sides(c) -> list[Variant]:
    """The border's sides exchanged, or as much of it in all along each axis."""
    own = _widths(c)
    found = [configured(SIDE, "before and after are exchanged",
                        pad_width=[pair[::-1] for pair in own])]
    splits = itertools.product(*[range(sum(pair) + 1) for pair in own])
    for befores in itertools.islice(splits, MOST):
        other = [(before, sum(pair) - before) for before, pair in zip(befores, own)]
        if other != own:
            found.append(configured(SIDE, f"{befores[1:]} before the image", pad_width=other))
    return found


def _of_modes(c) -> list[Variant]:
    """Other numbers in the border, or none of its gradient."""
    own, widths = c.config.get("mode", "constant"), _widths(c)
    found = [moved(VALUE, f"'{mode}' in place of '{own}'",
                   lambda numbers, mode=mode: np.pad(numbers, widths, mode))
             for mode in ("edge", "reflect", "symmetric", "wrap") if mode != own]

    def bordered(numbers):
        return np.pad(numbers, widths, constant_values=NOWHERE)

    if c.tensor != "output":
        lost = moved("copies-not-added", "what lies in the border sends no gradient back", bordered)
        return [lost, *found] if own != "constant" else found

    def outside(c) -> np.ndarray:
        return bordered(np.zeros(np.shape(c.x), int)) == NOWHERE

    def number(c, made) -> float:
        border = outside(c)
        if np.shape(made) != border.shape or not border.any():
            raise ValueError("Expected a border. Received: none")
        return float(made[border].mean())

    def constant(c, made):
        found, border = number(c, made), outside(c)
        return c.moved(lambda y: np.where(border, found, y))

    return [*found, Variant(VALUE, lambda steps: f"{number(*steps[0]):.6g} in the border",
                            constant)]


def _of_blocks(c) -> list[Variant]:
    """Rows and columns of a block and its channels in another order among the channels."""
    first, b = c.config.get("data_format") == "channels_first", c.config["block_size"]
    spreads = isinstance(c.layer, DepthToSpace)

    def images(numbers):
        return np.moveaxis(numbers, 1, -1) if first else numbers

    def given(numbers):
        return np.moveaxis(numbers, -1, 1) if first else numbers

    def spread(numbers, order):
        n, rows, columns, deep = np.shape(x := images(numbers))
        sizes = [(b, b, deep // b**2)[i] for i in order]
        at = [3 + order.index(i) for i in range(3)]
        apart = np.moveaxis(x.reshape(n, rows, columns, *sizes), at, [2, 4, 5])
        return given(apart.reshape(n, rows * b, columns * b, -1))

    def gathered(numbers, order):
        n, rows, columns, deep = np.shape(x := images(numbers))
        at = [3 + order.index(i) for i in range(3)]
        apart = x.reshape(n, rows // b, b, columns // b, b, deep)
        return given(np.moveaxis(apart, [2, 4, 5], at).reshape(n, rows // b, columns // b, -1))

    function = spread if spreads else gathered
    found = [moved(BLOCKS, f"in the order {', '.join(PARTS[i] for i in order)}",
                   lambda numbers, order=order: function(numbers, order))
             for order in itertools.permutations(range(3)) if order != (0, 1, 2)]
    return [*found, moved(BLOCKS, "a reshape alone", lambda numbers: numbers)]


def _of_patches(c) -> list[Variant]:
    """The numbers of a patch in another order, or patches that begin elsewhere."""
    (high, wide), right = c.config["size"], c.layer.moved

    def ordered(numbers, order):
        y = right(numbers)
        apart = y.reshape(*y.shape[:3], high, wide, -1)
        return apart.transpose(0, 1, 2, *(3 + i for i in order)).reshape(y.shape)

    found = [moved(BLOCKS, f"in the order {', '.join(PARTS[i] for i in order)}",
                   lambda numbers, order=order: ordered(numbers, order))
             for order in itertools.permutations(range(3)) if order != (0, 1, 2)]
    if c.tensor != "output":
        # written by loops over a patch's pixels, the last pixel's gradient stays
        found.append(inside("overlap-overwritten", "pixel by pixel of the patches",
                            lambda c: c.changed(own=_last_pixel)))
    for steps in itertools.product((0, 1, -1), repeat=2):
        if any(steps):
            found.append(moved("stride-offset", f"the first patch begins at {steps}",
                               lambda numbers, steps=steps: right(_from(numbers, steps))))
    strides = c.config["strides"]
    return found + [configured("stride-ignored", f"strides {other}", strides=other)
                    for other in ([1, 1], [high, wide], strides[::-1]) if other != strides]


def _from(numbers: np.ndarray, steps: tuple[int, int]) -> np.ndarray:
    """The image from another row and column on, with nothing behind its end."""
    return moved_by(numbers + 1, [-n for n in steps], (1, 2)) + NOWHERE


def _last_pixel(c):
    places = sources(c)
    pixels = np.prod(c.config["size"])
    apart = np.moveaxis(places.reshape(*places.shape[:3], pixels, -1), 3, 0)
    dy = np.moveaxis(np.asarray(c.dy, np.float64).reshape(*places.shape[:3], pixels, -1), 3, 0)
    dx = np.zeros(np.size(c.x))
    for where, numbers in zip(apart, dy):
        dx[where.ravel()] = numbers.ravel()
    return c.exact(dx.reshape(np.shape(c.x)))
