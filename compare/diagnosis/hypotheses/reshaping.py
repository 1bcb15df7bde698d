"""Mistakes of layers that move numbers: the order of flattened images, borders, repeated pixels."""

import itertools

import numpy as np

from compare.diagnosis.hypotheses.interpolation import of_interpolation
from compare.diagnosis.hypotheses.rearrangement import layouts
from compare.diagnosis.hypothesis import Variant, inside, result
from compare.oracle.layers.reshaping import (
    Border,
    Flatten,
    Permute,
    Reshape,
    UpSampling,
    ZeroPadding2D,
)


def orders(shape: tuple):
    """(detail, function) for ways to flatten images (N, ...) of that shape in another order."""
    letters = dict(enumerate({3: "NLC", 4: "NHWC", 5: "NDHWC"}.get(len(shape), "")))
    for order in itertools.permutations(range(1, len(shape))):
        if order != tuple(range(1, len(shape))):
            said = "".join(letters.get(a, str(a)) for a in order)
            yield f"in {said} order", lambda a, o=(0, *order): a.transpose(o)


def of_flattening(c) -> list[Variant]:
    """Flatten and Reshape: the numbers in another order."""
    if not isinstance(c.layer, (Flatten, Reshape)) or np.ndim(c.x) < 3:
        return []
    shape = np.shape(c.x)
    found = []
    for detail, function in orders(shape):
        if c.tensor == "output":
            found.append(result("flatten-order", detail,
                                lambda y, f=function: f(
                                    y.reshape(-1, *shape[1:])).reshape(y.shape)))
        else:
            def back(dx, f=function):
                moved = f(dx)
                axes = f(np.arange(dx.size).reshape(dx.shape))
                placed = np.empty(dx.size)
                placed[axes.reshape(-1)] = dx.reshape(-1)
                return placed.reshape(dx.shape) if moved.size == dx.size else dx

            found.append(result("flatten-order", detail, back))
    if c.config.get("data_format"):
        other = "channels_last" if c.config["data_format"] == "channels_first" else "channels_first"
        found.append(inside("flatten-order", f"as if {other}",
                            lambda c: c.configured(data_format=other)))
    if c.tensor == "output":
        found.append(result("flatten-order", "column-major, the first axis fastest", lambda y:
                            y.reshape(-1, *shape[1:]).reshape(y.shape, order="F")))
    else:
        found.append(inside("flatten-order", "column-major, the first axis fastest",
                            lambda c: c.changed(own=_column_major)))
    whole = "the batch runs fastest"
    if c.tensor == "output":
        found.append(result("batch-mixed", whole,
                            lambda y: y.reshape(y.shape[::-1]).T))
        found.append(result("batch-mixed", whole, lambda y: y.T.reshape(y.shape)))
    return found


def of_dense_order(c) -> list[Variant]:
    """A dense layer behind a Flatten: rows of its kernel meant for another order of the pixels."""
    image = c.context.get("image")
    if image is None or "kernel" not in c.weights:
        return []
    if int(np.prod(image)) != c.weights["kernel"].shape[0]:
        return []
    found = []
    index = np.arange(int(np.prod(image))).reshape(1, *image)
    for detail, function in orders((1, *image)):
        order = function(index).reshape(-1)
        for rows, said in ((order, detail), (np.argsort(order), f"the inverse of {detail}")):
            if c.tensor == "kernel_gradient":
                found.append(result("flatten-order", said, lambda g, r=rows: g[r]))
            elif c.tensor == "bias_gradient":
                continue
            else:
                found.append(inside("flatten-order", said, lambda c, r=rows: (
                    c.bare() if c.tensor != "output" else c).weighing(
                        kernel=c.weights["kernel"][r])))
    return found


def _column_major(c):
    """Each sample's gradient put back into its own shape, the first axis fastest."""
    shape = np.shape(c.x)
    dy = np.asarray(c.dy, np.float64)
    return c.exact(np.stack([each.reshape(shape[1:], order="F") for each in dy]))


def of_borders(c) -> list[Variant]:
    """ZeroPadding and Cropping: sides exchanged, or another border."""
    if not isinstance(c.layer, Border):
        return []
    argument = c.layer.argument
    given = c.config[argument]
    pairs = [tuple(given)] if np.ndim(given) == 1 else [tuple(p) for p in given]
    rank = len(pairs)

    def say(identifier, detail, widths):
        value = widths[0] if np.ndim(given) == 1 else widths
        return inside(identifier, detail, lambda c: c.configured(**{argument: value}))

    found = [say("padding-side", "before and after are exchanged", [p[::-1] for p in pairs])]
    for axis in range(rank):
        turned = [p[::-1] if i == axis else p for i, p in enumerate(pairs)]
        found.append(say("padding-side", f"before and after along axis {axis + 1} are exchanged",
                         turned))
        total = sum(pairs[axis])
        for before in range(total + 1):
            moved = [(before, total - before) if i == axis else p for i, p in enumerate(pairs)]
            found.append(say("padding-side", f"{before} before the image along axis {axis + 1}",
                             moved))
    for each in itertools.product(*[range(sum(p) + 1) for p in pairs]):
        found.append(say("padding-side", f"{each} before the image",
                         [(b, sum(p) - b) for b, p in zip(each, pairs)]))
    if rank == 2:
        found.append(say("axes-permuted", "rows and columns are exchanged", pairs[::-1]))
    elif rank == 3:
        found += [say("axes-permuted", f"those of the axes in the order {order}",
                      [pairs[i] for i in order])
                  for order in itertools.permutations(range(rank)) if order != (0, 1, 2)]
    if isinstance(c.layer, ZeroPadding2D) and c.tensor == "output":
        found += _filled(c)
    return found


def _filled(c) -> list[Variant]:
    """ZeroPadding with other numbers than zeros."""
    def modes(mode):
        def own(c):
            oracle = c.changed(own=None).oracle()
            lay = oracle.layout
            return c.exact(lay.given(np.pad(lay.image(c.x), oracle.widths, mode=mode)))

        return lambda c: c.changed(own=own)

    def value(c, made) -> float:
        added = c.changed(x=np.ones_like(c.x)).evaluate().value == 0
        if not added.any() or made.shape != added.shape:
            raise ValueError("Expected a border. Received: none")
        return float(made[added].mean())

    def constant(c, made):
        number = value(c, made)
        added = c.changed(x=np.ones_like(c.x)).evaluate().value == 0
        return c.moved(lambda y: np.where(added, number, y))

    found = [inside("padding-value", f"'{mode}' in place of zeros", modes(mode))
             for mode in ("edge", "reflect", "symmetric", "wrap")]
    return [*found, Variant("padding-value", lambda s: f"{value(*s[0]):.6g} in place of zeros",
                            constant)]


def of_repeats(c) -> list[Variant]:
    """UpSampling: the whole image repeated in place of each pixel, or only one copy's gradient."""
    if not isinstance(c.layer, UpSampling) or c.config.get(
            "interpolation", "nearest") != "nearest":
        return []
    lay = c.oracle().layout
    size = c.oracle().size

    def tiled(c):
        image = lay.image(c.x)
        return c.exact(lay.given(np.tile(image, (1, *size, 1))))

    def untiled(c):
        d = lay.image(c.dy).astype(np.float64)
        n, *sizes, channels = d.shape
        apart = [part for whole, times in zip(sizes, size) for part in (times, whole // times)]
        copies = d.reshape(n, *apart, channels)
        summed = c.exact(copies).sum(axis=tuple(range(1, len(apart), 2)))
        return summed.rearranged(lay.given)

    def one(which):
        copy = tuple(slice(which % times, None, times) for times in size)
        return lambda c: c.exact(lay.given(lay.image(c.dy)[(slice(None), *copy)]))

    if c.tensor == "output":
        return [inside("axes-permuted", "the whole image is repeated, not each pixel",
                       lambda c: c.changed(own=tiled))]
    return [inside("axes-permuted", "as if the whole image had been repeated",
                   lambda c: c.changed(own=untiled)),
            inside("overlap-overwritten", "only the first copy's gradient counts",
                   lambda c: c.changed(own=one(0))),
            inside("overlap-overwritten", "only the last copy's gradient counts",
                   lambda c: c.changed(own=one(-1)))]


def of_permutation(c) -> list[Variant]:
    """Permute: another order of the axes, or its inverse."""
    if not isinstance(c.layer, Permute):
        return []
    own = tuple(c.config["dims"])
    return [inside("axes-permuted", f"dims {dims}", lambda c, d=dims: c.configured(dims=d))
            for dims in itertools.permutations(range(1, len(own) + 1)) if dims != own] + [
        result("axes-permuted", said, function)
        for said, function in layouts(np.shape(c.x), 1) if c.tensor != "output"]


def of_shapes(c) -> list[Variant]:
    """Whatever such a layer may have wrong."""
    return (of_flattening(c) + of_borders(c) + of_repeats(c) + of_interpolation(c)
            + of_permutation(c))
