"""Mistakes of operations between layers that move numbers: other axes, parts, directions, copies.

Each says which of the input's numbers stands at each place of the output. The way back follows from
that, so that a mistake of either way is one of these.
"""

import itertools

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.moving_operations import (
    NOWHERE,
    ExtractPatches,
    Flip,
    GetItem,
    Moving,
    Repeat,
    Roll,
    Split,
    Stack,
    Tile,
    Unstack,
)
from compare.oracle.running_error import Bounded

AXIS, PART, COPIES, LOST = "axis-other", "part-other", "copies-order", "copies-not-added"
MOST = 150  # parts of an axis that are tried


def of_moving(c) -> list[Variant]:
    """Everything about those whose numbers have other sources; borders, blocks and patches have a
    file of their own."""
    layer = c.layer
    if isinstance(layer, Stack):
        return _of_stacks(c)
    if not isinstance(layer, Moving):
        return []
    found = []
    if isinstance(layer, (Split, Unstack)):
        found += [configured(AXIS, f"along axis {axis}", axis=axis) for axis in other_axes(c)]
    if isinstance(layer, (GetItem, Split, Unstack)):
        found += _of_parts(c)
    if isinstance(layer, Roll):
        found += _of_rolls(c)
    if isinstance(layer, Flip):
        found += [configured(AXIS, f"turned around along {_said(axes)}", axis=list(axes))
                  for count in (1, 2) for axes in itertools.combinations(spatial(c), count)
                  if axes != own_axes(c)]
    if isinstance(layer, (Tile, Repeat)):
        found += _of_repeats(c)
    return found + of_copies(c)


def moved(identifier: str, detail: str, places) -> Variant:
    """The numbers come from other places: a function of an array of the input's shape, whose
    result is reshaped to what is expected where it holds as many numbers."""
    def elsewhere(oracle, right, numbers):
        expected, made = np.shape(right(numbers)), places(numbers)
        return made.reshape(expected) if made.size == np.prod(expected) else made

    return inside(identifier, detail, lambda c: c.hooked(moved=elsewhere))


def configured(identifier: str, detail: str, **settings) -> Variant:
    """The numbers come from where other settings have them, likewise reshaped."""
    def change(c):
        other = c.configured(**settings).layer
        return moved(identifier, detail, other.moved).change(c, None)

    return inside(identifier, detail, change)


def spatial(c) -> range:
    """All axes of the input but the batch's."""
    return range(1, np.ndim(c.x))


def own_axes(c) -> tuple[int, ...]:
    """The axes that the operation names, from the front."""
    given = c.config.get("axis")
    listed = given if isinstance(given, (list, tuple)) else [given]
    return tuple(n % np.ndim(c.x) for n in listed if n is not None)


def other_axes(c) -> list[int]:
    """All axes but the batch's and those that the operation names."""
    return [axis for axis in spatial(c) if axis not in own_axes(c)]


def _said(axes) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {' and '.join(map(str, axes))}"


def _of_parts(c) -> list[Variant]:
    """Other places of an axis: from another one on, with another step, in another order."""
    shape = np.shape(c.x)
    taken = [list(dict.fromkeys(along.ravel().tolist()))
             for along in np.unravel_index(sources(c), shape)]
    found = []
    for axis in spatial(c):
        size, own = shape[axis], taken[axis]
        if own == list(range(size)):
            continue
        for step, first in itertools.product(
                dict.fromkeys([1, size // len(own), 2, 3, -1, -2]), range(size)):
            other = [first + step * k for k in range(len(own))]
            if other == own or not all(0 <= n < size for n in other):
                continue
            index = [*taken[1:axis], other, *taken[axis + 1:]]
            found.append(moved(PART, f"{_places(other)} of axis {axis}",
                               lambda numbers, index=index: numbers[np.ix_(
                                   range(len(numbers)), *index)]))
        if c.tensor == "input_gradient":
            count = len(own)
            found.append(inside(PART, f"every part of axis {axis} gets the gradient of this one",
                                lambda c, axis=axis, count=count: c.changed(
                                    own=lambda c: _everywhere(c, axis, count))))
    if isinstance(c.layer, Split) and isinstance(c.config["indices_or_sections"], list):
        lengths = np.cumsum(c.config["indices_or_sections"]).tolist()
        found.append(configured(PART, "the list is taken for the parts' lengths, not their ends",
                                indices_or_sections=lengths))
    return found[:MOST]


def sources(c) -> np.ndarray:
    """Which of the input's numbers stands at each place of the output."""
    return c.layer.moved(np.arange(np.size(c.x)).reshape(np.shape(c.x)))


def _places(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"place {numbers[0]}"
    return f"places {', '.join(map(str, numbers[:3]))}{' ...' if len(numbers) > 3 else ''}"


def _everywhere(c, axis: int, count: int) -> Bounded:
    shape = list(np.shape(c.x))
    shape[axis] = count
    part = c.exact(c.dy).reshape(*shape)
    places = np.arange(np.shape(c.x)[axis]) % count
    return part.rearranged(lambda a: np.take(a, places, axis))


def _of_rolls(c) -> list[Variant]:
    shift, axis = (n if isinstance(n, list) else [n] for n in (c.config["shift"], c.config["axis"]))
    found = [configured("shifted", "the other way", shift=[-n for n in shift])]
    found += [configured(AXIS, f"along {_said(axes)}", axis=list(axes))
              for axes in itertools.permutations(spatial(c), len(axis)) if axes != own_axes(c)]
    if len(axis) == 1:
        found += [configured("shifted", f"by {n} places", shift=[n])
                  for n in range(np.shape(c.x)[axis[0]]) if n != shift[0]]
    return found


def _of_repeats(c) -> list[Variant]:
    if isinstance(c.layer, Tile):
        times = tuple(c.config["repeats"])

        def repeated(numbers):
            for axis, count in enumerate(times):
                numbers = np.repeat(numbers, count, axis)
            return numbers

        found = [moved(COPIES, "each number several times in a row, not the whole", repeated)]
        others = set(itertools.permutations(times[1:])) - {times[1:]}
        return found + [configured(AXIS, f"{other} times along the axes", repeats=[1, *other])
                        for other in sorted(others)]
    (axis,), count = own_axes(c), c.config["repeats"]
    tiled = [count if i == axis else 1 for i in range(np.ndim(c.x))]
    return [moved(COPIES, "the whole several times, not each number",
                  lambda numbers: np.tile(numbers, tiled)),
            *(configured(AXIS, f"along axis {other}", axis=other) for other in other_axes(c))]


def of_copies(c) -> list[Variant]:
    """For a gradient: of a number's copies one alone counts, or their mean."""
    if c.tensor != "input_gradient" or _counts(c).max(initial=0) < 2:
        return []
    name = "overlap-overwritten" if isinstance(c.layer, ExtractPatches) else LOST
    return [inside(name, "the first copy's gradient alone counts",
                   lambda c: c.changed(own=lambda c: _of_one(c, 1))),
            inside(name, "the last copy's gradient alone counts",
                   lambda c: c.changed(own=lambda c: _of_one(c, -1))),
            inside(name, "the mean of the copies' gradients",
                   lambda c: c.then(lambda dx: dx / c.exact(np.maximum(_counts(c), 1.0))))]


def _counts(c) -> np.ndarray:
    """How many times each of the input's numbers comes out."""
    places = sources(c)
    return np.bincount(places[places != NOWHERE], minlength=np.size(c.x)).reshape(np.shape(c.x))


def _of_one(c, order: int) -> Bounded:
    """The gradient of the first copy (1) or the last one (-1)."""
    places = sources(c)
    dy = np.asarray(c.dy, np.float64)[places != NOWHERE][::order]
    which, first = np.unique(places[places != NOWHERE][::order], return_index=True)
    dx = np.zeros(np.size(c.x))
    dx[which] = dy[first]
    return c.exact(dx.reshape(np.shape(c.x)))


def _of_stacks(c) -> list[Variant]:
    """Stacked along another axis, or cut along another one."""
    rank = np.ndim(c.x[0])
    axes = [axis for axis in range(1, rank + 1) if axis != c.config["axis"] % (rank + 1)]
    if c.tensor == "output":
        return [inside(AXIS, f"along axis {axis}", lambda c, axis=axis: c.configured(
            axis=axis).moved(lambda y: y.reshape(_stacked(c, c.config["axis"]))))
                for axis in axes]
    return [inside(AXIS, f"along axis {axis}", lambda c, axis=axis: c.configured(
        axis=axis).changed(dy=np.asarray(c.dy).reshape(_stacked(c, axis)))) for axis in axes]


def _stacked(c, axis: int) -> tuple[int, ...]:
    """The shape of the inputs side by side along a new axis."""
    shape = np.shape(c.x[0])
    at = axis % (len(shape) + 1)
    return (*shape[:at], len(c.x), *shape[at:])
