"""Mistakes that rearrange a result: axes, samples, borders, shifts, signs and factors.

They need no other computation, so trying one costs next to nothing.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np

from compare.diagnosis.hypotheses.scale import scaled
from compare.diagnosis.hypothesis import Variant, result

AXES = {3: ("batch", "steps", "channels"), 4: ("batch", "rows", "columns", "channels")}


def layouts(shape: tuple, fixed: int = 0, together: tuple = ()):
    """(what it says, function) for every way to confuse the order of an array's axes.

    The numbers lie in memory in one order and are read in another; the shape stays.

    Args:
        fixed: so many axes in front stay where they are.
        together: axes that nobody confuses but by reversing them all, so that there are not too
            many ways.
    """
    rank = len(shape)
    own = tuple(range(rank))
    for order in itertools.permutations(range(fixed, rank)):
        axes = own[:fixed] + order
        kept = tuple(a for a in axes if a in together)
        if axes == own or kept not in (together, together[::-1]):
            continue
        back = tuple(np.argsort(axes))
        source = tuple(shape[a] for a in axes)
        yield (f"written in the order of axes {axes}, read in that of {own}",
               lambda a, p=axes: a.transpose(p).reshape(a.shape))
        if source != tuple(shape):
            yield (f"written in the order of axes {own}, read in that of {axes}",
                   lambda a, p=axes, b=back: a.reshape([a.shape[i] for i in p]).transpose(b))


def negated() -> list[Variant]:
    return [Variant("sign", "all of it", lambda c, made: c.then(lambda r: -r), cheap=True)]


def missing() -> list[Variant]:
    return [result("gradient-missing", "it is all zeros", np.zeros_like)]


def of_axes(shape: tuple) -> list[Variant]:
    """Of a batch: axes confused, or turned around."""
    if len(shape) < 3:
        return [result("axes-permuted", "the features are in reverse order", lambda a: a[:, ::-1]),
                result("axes-permuted", "samples and features exchanged, then reshaped",
                       lambda a: a.T.reshape(a.shape))] * (len(shape) == 2)
    found = [result("axes-permuted", said, function) for said, function in layouts(shape, 1)]
    spatial = range(1, len(shape))
    for axes in itertools.permutations(spatial):
        if tuple(shape[a] for a in axes) != tuple(shape[1:]):
            found.append(result("axes-permuted", f"in the order of axes {(0, *axes)}",
                                lambda a, p=(0, *axes): a.transpose(p)))
    for count in (1, 2):
        for axes in itertools.combinations(spatial, count):
            found.append(result("axes-permuted", f"turned around along axes {axes}",
                                lambda a, axes=axes: np.flip(a, axes)))
    return found


def of_batch(shape: tuple) -> list[Variant]:
    """Samples exchanged, repeated, averaged or lost."""
    def say(detail, function):
        return result("batch-mixed", detail, function)

    found = [say("the samples' order is reversed", lambda a: a[::-1]),
             say("each sample has the next one's", lambda a: np.roll(a, -1, axis=0)),
             say("each sample has the one's before it", lambda a: np.roll(a, 1, axis=0)),
             say("the first two samples are exchanged",
                 lambda a: np.concatenate([a[1:2], a[:1], a[2:]])),
             say("all have the first sample's", lambda a: np.repeat(a[:1], len(a), axis=0)),
             say("all have the last sample's", lambda a: np.repeat(a[-1:], len(a), axis=0)),
             say("only the first sample's is there", lambda a: _kept(a, slice(0, 1))),
             say("the first sample's is left out", lambda a: _kept(a, slice(1, None))),
             say("the last sample's is left out", lambda a: _kept(a, slice(0, -1))),
             say("only the last sample's is there", lambda a: _kept(a, slice(-1, None)))]
    for detail, mean in (("all have the samples' mean", True),
                         ("all have the samples' sum", False)):
        def change(c, made, mean=mean):
            def spread(r):
                total = r.sum(axis=0, keepdims=True)
                total = total / float(r.shape[0]) if mean else total
                return total.rearranged(lambda a: np.repeat(a, r.shape[0], axis=0))

            return c.then(spread)

        found.append(Variant("batch-mixed", detail, change, cheap=True))
    return found


def _kept(array, part) -> np.ndarray:
    kept = np.zeros_like(array)
    kept[part] = array[part]
    return kept


def of_place(shape: tuple, axes=None) -> list[Variant]:
    """Images moved by a pixel or two, around the edge or with zeros behind them."""
    axes = axes or tuple(range(1, len(shape) - 1))
    steps = [s for s in itertools.product((0, 1, -1, 2, -2), repeat=len(axes))
             if any(s) and (sum(map(bool, s)) == 1 or max(map(abs, s)) == 1)]
    found = []
    for step in steps:
        where = f"by {step} pixels" if len(step) > 1 else f"by {step[0]}"
        found.append(result("shifted", f"{where}, zeros behind it",
                            lambda a, s=step: moved_by(a, s, axes)))
        found.append(result("shifted", f"{where}, around the edge",
                            lambda a, s=step: np.roll(a, s, axes)))
    return found


def moved_by(array, steps, axes, around: bool = False) -> np.ndarray:
    """An array moved along some axes, around its edge or with zeros behind it."""
    moved = np.roll(array, steps, axes)
    if around:
        return moved
    for step, axis in zip(steps, axes):
        gone = slice(0, step) if step > 0 else slice(array.shape[axis] + step, None)
        if step:
            moved[(slice(None),) * axis + (gone,)] = 0
    return moved


def borders(shape: tuple, axes=None) -> list[tuple[str, Callable]]:
    """(what it says, function) for every part of an image's border that may be left zero."""
    axes = axes or tuple(range(1, len(shape) - 1))
    found = []
    for some in [*[(a,) for a in axes], *([axes] if len(axes) > 1 else [])]:
        for width in (1, 2, 3):
            for side in ("last", "first", "first and last"):
                if 2 * width < min(shape[a] for a in some) + (side != "first and last"):
                    found.append((f"the {side} {width} along axis {_said(some)} stay zero",
                                  lambda a, s=some, w=width, e=side: _without(a, s, w, e)))
    return found


def of_borders(shape: tuple, axes: tuple) -> list[Variant]:
    return [result("border-dropped", said, function) for said, function in borders(shape, axes)]


def _said(axes) -> str:
    return " and ".join(map(str, axes))


def _without(array, axes, width: int, side: str) -> np.ndarray:
    left = array.copy()
    for axis in axes:
        for name, part in (("first", slice(0, width)), ("last", slice(-width, None))):
            if name in side:
                left[(slice(None),) * axis + (part,)] = 0
    return left


def of_size(c) -> list[Variant]:
    """Its sign is wrong, or it is zero."""
    # that of a bias has a name of its own
    return negated() + (missing() if c.tensor not in ("output", "bias_gradient") else [])


def of_results(c, shape: tuple, images: bool = False, first: bool = False) -> list[Variant]:
    """All that can be done to a result: sign, factor, absence, and what rearranges samples, axes
    and pixels.

    Args:
        images: whether it has pixels, of which those at the border may be missing.
        first: whether the channels come before them.
    """
    found = of_size(c)
    found += of_batch(shape) + of_axes(shape)
    pixels = tuple(range(2, len(shape))) if first else tuple(range(1, len(shape) - 1))
    if images and math.prod(shape[a] for a in pixels) > 1:
        found += of_borders(shape, pixels) + of_place(shape, pixels)
    return found + scaled()
