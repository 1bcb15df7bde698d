"""Mistakes in pooling to a given size: which windows, which kind, ties, overlaps."""

import math

import numpy as np

from compare.diagnosis.hypotheses.pooling import shares_along
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.adaptive_pooling import AdaptiveMax, AdaptivePooling, cut
from compare.oracle.running_error import Bounded

WINDOWS, TIES = "adaptive-windows", "pool-ties"
KINDS = {"Max": "Average", "Average": "Max"}


def of_adaptive_pools(c) -> list[Variant]:
    """Everything about AdaptiveAveragePooling and AdaptiveMaxPooling."""
    if not isinstance(c.layer, AdaptivePooling):
        return []
    found = [inside(WINDOWS, said, lambda c, cut=cut: c.hooked(
        windows=lambda layer, right, size, number: cut(size, number)))
        for said, cut in (("each ends where the next one begins", _apart),
                          ("all of them are as long as the first", _alike),
                          ("they begin at rounded places", _rounded))]
    own = "Max" if isinstance(c.layer, AdaptiveMax) else "Average"
    found.append(inside("pool-kind", "the other kind", lambda c: c.changed(
        class_name=c.class_name.replace(own, KINDS[own]))))
    if c.tensor == "input_gradient":
        found.append(inside("overlap-overwritten", "where windows overlap the last one's counts",
                            lambda c: c.hooked(_back=_overwritten)))
        if own == "Max":
            found.append(inside(TIES, "the last of them along each axis gets it",
                                lambda c: c.hooked(shares=_last)))
            found += [inside(TIES, said, lambda c, rule=rule: c.changed(
                own=lambda c: _by_ties(c, rule))) for said, rule in (
                    ("each of them gets all of it", "each"), ("the last of them gets it", "last"),
                    ("the first of them row by row gets it", "first"))]
    return found


def _apart(size: int, number: int) -> list[tuple[int, int]]:
    made = [(i * size // number, (i + 1) * size // number) for i in range(number)]
    if any(a == b for a, b in made):
        raise ValueError("Expected numbers in each window. Received: an empty one")
    return made


def _alike(size: int, number: int) -> list[tuple[int, int]]:
    length = math.ceil(size / number)
    return [(min(i * size // number, size - length),
             min(i * size // number, size - length) + length) for i in range(number)]


def _rounded(size: int, number: int) -> list[tuple[int, int]]:
    ends = [round(i * size / number) for i in range(number + 1)]
    if len(set(ends)) <= number:
        raise ValueError("Expected numbers in each window. Received: an empty one")
    return list(zip(ends, ends[1:]))


def _overwritten(layer, right, dy: Bounded, axis: int, x: Bounded) -> Bounded:
    """Each number gets what the last window that holds it sends."""
    value, error = np.zeros(x.shape), np.zeros(x.shape)
    for k, window in enumerate(layer.windows(x.shape[axis], dy.shape[axis])):
        share = layer.shares(cut(dy, axis, (k, k + 1)), cut(x, axis, window), axis)
        place = (slice(None),) * axis + (slice(*window),)
        value[place], error[place] = share.value, share.bound
    return Bounded(value, dy.rounding, error)


def _last(layer, right, dy: Bounded, window: Bounded, axis: int) -> Bounded:
    def turned(part: Bounded) -> Bounded:
        return part.rearranged(lambda a: np.flip(a, axis))

    return turned(right(dy, turned(window), axis))


def _by_ties(c, rule: str) -> Bounded:
    """The gradient of maxima, whose ties are settled in another way over whole windows."""
    layer = c.layer
    x, dy = (np.asarray(a, np.float64) for a in (c.x, c.dy))
    axes = tuple(range(layer.first, layer.first + layer.rank))
    dx, magnitude = np.zeros(x.shape), np.zeros(x.shape)
    along = [layer.windows(x.shape[axis], dy.shape[axis]) for axis in axes]
    for where in np.ndindex(*map(len, along)):
        place = [slice(None)] * x.ndim
        one = [slice(None)] * x.ndim
        for axis, windows, k in zip(axes, along, where):
            place[axis], one[axis] = slice(*windows[k]), slice(k, k + 1)
        share = shares_along(x[tuple(place)], axes, rule)
        dx[tuple(place)] += share * dy[tuple(one)]
        magnitude[tuple(place)] += share * np.abs(dy[tuple(one)])
    rounding = c.exact(c.x).rounding
    return Bounded(dx, rounding, rounding.gamma(8) * magnitude + 8 * rounding.tiny)
