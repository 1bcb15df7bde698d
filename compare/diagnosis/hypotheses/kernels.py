"""Mistakes in a kernel: mirrored, transposed, channels exchanged, axes in another order, bias.

The output and the input's gradient are computed through another kernel; of a kernel's own gradient
it is the result that is turned in the same way.
"""

import itertools
from dataclasses import replace

import numpy as np

from compare.diagnosis.hypotheses.rearrangement import layouts
from compare.diagnosis.hypothesis import Variant, inside, result
from compare.oracle.layers.convolution import DepthwiseConv2D

FEW = 4  # channels: all of their orders are tried
KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def turns(shape: tuple, spatial: int):
    """(identifier, detail, function) for everything that can be done to a kernel of that shape.

    Args:
        spatial: how many axes in front are those of the window.
    """
    window, channels = range(spatial), range(spatial, len(shape))
    names = ("planes", "rows", "columns")[-spatial:] if spatial > 1 else ("steps",)
    if spatial:
        yield "kernel-flipped", "along all its spatial axes", lambda k: np.flip(k, tuple(window))
        if spatial > 1:
            for axis in window:
                yield ("kernel-flipped", f"along its {names[axis]} only",
                       lambda k, a=axis: np.flip(k, a))
    if spatial == 2 and shape[0] == shape[1] > 1:
        yield "kernel-transposed", "rows for columns", lambda k: k.swapaxes(0, 1)
        for turn in (1, 3):
            yield ("kernel-transposed", f"turned by {90 * turn} degrees",
                   lambda k, t=turn: np.rot90(k, t, (0, 1)))
        yield ("kernel-transposed", "about the other diagonal",
               lambda k: k.swapaxes(0, 1)[::-1, ::-1])
    elif spatial == 2:
        yield ("kernel-transposed", "rows for columns, in the same memory",
               lambda k: k.swapaxes(0, 1).reshape(k.shape))
        yield ("kernel-transposed", "columns for rows, in the same memory",
               lambda k: k.reshape(k.shape[1], k.shape[0], *k.shape[2:]).swapaxes(0, 1))
    if not spatial:
        yield from _matrix(shape)
        return
    if len(channels) == 2:
        a, b = channels
        if shape[a] == shape[b]:
            yield ("kernel-channels-swapped", "in for out", lambda k: k.swapaxes(a, b))
            yield ("kernel-channels-swapped", "in for out, and mirrored",
                   lambda k: np.flip(k.swapaxes(a, b), tuple(window)))
        else:
            yield ("kernel-channels-swapped", "in for out, in the same memory",
                   lambda k: k.swapaxes(a, b).reshape(k.shape))
        for axis, what in ((a, "input"), (b, "output")):
            yield ("kernel-channels-swapped", f"the {what}'s channels in reverse order",
                   lambda k, axis=axis: np.flip(k, axis))
        for order in itertools.permutations(range(shape[a])) if shape[a] <= FEW else ():
            yield ("kernel-channels-swapped", f"the input's channels in the order {order}",
                   lambda k, order=order: np.take(k, order, a))
    for said, function in layouts(shape, together=tuple(window) if spatial == 3 else ()):
        yield "kernel-layout", said, function
    for axis in window:
        for step in (1, -1):
            yield ("shifted", f"the kernel by {step} along its {names[axis]}",
                   lambda k, a=axis, s=step: np.roll(k, s, a))


def _matrix(shape):
    """The same for a dense layer's (in, units)."""
    if shape[0] == shape[1]:
        yield "transposed-weights", "(units, in) for (in, units)", lambda w: w.T
    else:
        yield ("transposed-weights", "(units, in) in memory, read as (in, units)",
               lambda w: w.T.reshape(w.shape))
        yield ("transposed-weights", "(in, units) in memory, read as (units, in)",
               lambda w: w.reshape(w.shape[::-1]).T)
    for axis, what in enumerate(("input's features", "units")):
        yield "kernel-flipped", f"the {what} in reverse order", lambda w, a=axis: np.flip(w, a)


def of_kernels(c) -> list[Variant]:
    """For whatever tensor it is: other kernels, or the kernel's gradient turned."""
    found = []
    for name in KERNELS:
        kernel = c.weights.get(name)
        if kernel is None:
            continue
        # a spatial window of one pixel has nothing to turn
        spatial = kernel.ndim - 2
        for identifier, detail, function in turns(kernel.shape, spatial):
            if c.tensor == f"{name}_gradient":
                found.append(result(identifier, detail, function))
            elif c.tensor.endswith("_gradient") and c.tensor != "input_gradient":
                continue  # a kernel's or bias's gradient does not depend on the kernel
            else:
                found.append(inside(identifier, detail, lambda c, n=name, f=function:
                                    weighed(c, n, f)))
    return distinct(found, c) + _of_filters(c)


MOST = 32  # filters whose order is looked for


def _of_filters(c) -> list[Variant]:
    """Whole filters in the places of others; which, is found by what each of them gives."""
    kernel = c.weights.get("kernel")
    if c.tensor != "output" or kernel is None or not 2 < _by_filter(c).shape[-1] <= MOST:
        return []
    return [Variant("kernel-channels-swapped",
                    lambda steps: f"the filters in the order {_order(*steps[0])}",
                    lambda c, made: _with_filters(c, _order(c, made)),
                    agrees=lambda steps: len({_order(*step) for step in steps}) == 1)]


def _with_filters(c, order):
    """The computation with filters in that order; the bias stays."""
    return c.weighing(kernel=_by_filter(c)[..., list(order)].reshape(c.weights["kernel"].shape))


def _by_filter(c) -> np.ndarray:
    """The kernel with filters along its last axis, those of a depthwise one among them."""
    kernel = c.weights["kernel"]
    depthwise = isinstance(c.layer, DepthwiseConv2D)
    return kernel.reshape(*kernel.shape[:-2], -1) if depthwise else kernel


def _order(c, made) -> tuple[int, ...]:
    """Which filter gives each channel that was made.

    Raises:
        ValueError: if these are not all of them, or all are in their own places.
    """
    axis = 1 if c.config.get("data_format") == "channels_first" else made.ndim - 1
    count = made.shape[axis]
    places = tuple(i for i in range(made.ndim) if i != axis)
    off = np.full((count, count), np.inf)  # by channel and filter
    for step in range(count):
        order = np.roll(np.arange(count), -step)
        right = _with_filters(c, order).evaluate().value
        off[np.arange(count), order] = np.abs(right - made).max(axis=places)
    found = tuple(int(i) for i in off.argmin(axis=1))
    if sorted(found) != list(range(count)) or found == tuple(range(count)):
        raise ValueError("Expected the layer's filters in another order. Received others")
    return found


def weighed(c, name: str, function):
    """The computation with one weight changed; a gradient's, behind the activation that was right.
    """
    c = c.bare() if c.tensor != "output" else c
    return c.weighing(**{name: function(c.weights[name])})


def distinct(variants: list[Variant], c) -> list[Variant]:
    """Without those that turn the kernel into what it is, or what another has made of it."""
    kept, seen = [], {b"".join(np.ascontiguousarray(w).tobytes() for w in c.weights.values())}
    for variant in variants:
        if not variant.cheap:
            try:
                weights = variant.change(c, None).weights
            except ValueError:
                continue
            key = b"".join(np.ascontiguousarray(w).tobytes() for w in weights.values())
            if key in seen:
                continue
            seen.add(key)
        kept.append(variant)
    return kept


def _of_the_kernels(c) -> list[Variant]:
    """A bias's gradient that is made of the kernel's."""
    kernels = [name for name in KERNELS if name in c.weights]
    if not kernels:
        return []

    def summed(c):
        made = replace(c, tensor=f"{kernels[-1]}_gradient", own=None, after=(), memo={}).evaluate()
        return made.sum(tuple(range(len(made.shape) - 1)))

    return [inside("gradient-wrong-input", "it is the kernel's gradient, summed, in place of that "
                   "of the output", lambda c: c.changed(own=summed))]


def of_bias(c) -> list[Variant]:
    """A bias that is missing, doubled, subtracted, or another one at each position."""
    name = "beta" if "beta" in c.weights else "bias"
    if name not in c.weights:
        return []
    if c.tensor == f"{name}_gradient":
        return [result("bias-missing", "its gradient is all zeros", np.zeros_like),
                *_untied_gradient(c), *_of_the_kernels(c)]
    if c.tensor != "output":
        return []

    def times(factor):
        return lambda c: c.weighing(**{name: factor * c.weights[name]})

    said = "" if name == "bias" else "beta"
    found = [_added("bias-missing", said, name, -1.0), _added("bias-doubled", said, name, 1.0)]
    if c.part:  # an activation lies between
        found = [inside("bias-missing", said, times(0.0)), inside("bias-doubled", said, times(2.0))]
    found += [
             inside("sign", f"the {name} is subtracted", times(-1.0)),
             inside("sign", f"the {name} is added to what should not be negated", lambda c:
                    c.weighing(**{name: -c.weights[name]}).then(lambda r: -r))]
    if name == "bias" and c.part == "":
        found.append(Variant("bias-missing", _which, _one_missing))
    return found


def _added(identifier: str, said: str, name: str, sign: float) -> Variant:
    """The bias once more, or once less, than it should be there."""
    def change(c, made):
        bias = sign * np.asarray(c.weights[name], np.float64)
        if c.config.get("data_format") == "channels_first":
            bias = bias.reshape(-1, *[1] * (np.ndim(c.x) - 2))
        elif name == "beta" and c.class_name == "BatchNormalization":
            shape = [1] * np.ndim(c.x)
            shape[c.config.get("axis", -1)] = -1
            bias = bias.reshape(shape)
        return c.then(lambda r: r + c.exact(bias))

    return Variant(identifier, said, change, cheap=True)


def _one_missing(c, made):
    """One unit or filter has no bias."""
    which = _unit(c, made)
    bias = np.array(c.weights["bias"])
    bias[which] = 0
    return c.weighing(bias=bias)


def _unit(c, made) -> int:
    axis = 1 if c.config.get("data_format") == "channels_first" else made.ndim - 1
    off = np.abs(made - c.evaluate().value)
    worst = off.max(axis=tuple(i for i in range(made.ndim) if i != axis))
    return int(np.argmax(worst))


def _which(steps) -> str:
    return f"of unit {_unit(*steps[0])} only"


def of_untied_bias(c) -> list[Variant]:
    """One bias for each position, the same for all samples: found from the first sample."""
    if c.tensor != "output" or "bias" not in c.weights or c.part:
        return []

    def change(c, made):
        free = c.weighing(bias=0.0 * c.weights["bias"])
        right = free.evaluate()
        own = made[:1] - right.value[:1]
        axis = 1 if c.config.get("data_format") == "channels_first" else made.ndim - 1
        places = tuple(i for i in range(1, made.ndim) if i != axis)
        size = np.abs(own).max(initial=0)
        rounded = 1e-4 * size + 2 * right.bound[:1].max(initial=0)
        if len(made) < 2 or not places or np.ptp(own, axis=places).max() <= rounded:
            raise ValueError("Expected several samples of several positions. Received: fewer")
        return free.then(lambda r: r + own)

    return [Variant("bias-untied", "each position has one of its own", change)]


def _untied_gradient(c) -> list[Variant]:
    """The bias's gradient, not summed over all positions."""
    dy = c.value(c.dy)
    axis = 1 if c.config.get("data_format") == "channels_first" else dy.ndim - 1
    others = [i for i in range(dy.ndim) if i != axis]
    return [variant for count in range(len(others))
            for summed in itertools.combinations(others, count)
            for variant in _summed_over(summed, [i for i in others if i not in summed], axis)]


def _summed_over(summed: tuple, left: list[int], channels: int) -> list[Variant]:
    """The bias's gradient summed over the axes `summed`; those `left` stay, or one place of them.
    """
    def sums(c):
        return c.bare().exact(c.bare().dy).sum(axis=summed) if summed else c.exact(c.dy)

    def at(place: int):
        return lambda c: sums(c).rearranged(lambda a: _picked(a, place, summed, channels))

    names = " and ".join("the samples" if i == 0 else f"axis {i}" for i in left)
    named = "batch-mixed" if left == [0] else "bias-untied"
    return [inside("bias-untied", f"its gradient is not summed over {names}",
                   lambda c: c.changed(own=sums)),
            inside(named, f"its gradient takes only the first of {names}",
                   lambda c: c.changed(own=at(0))),
            inside(named, f"its gradient takes only the last of {names}",
                   lambda c: c.changed(own=at(-1)))]


def _picked(array, place: int, summed: tuple, channels: int) -> np.ndarray:
    """The place along every axis that was not summed, but the channels'."""
    before = channels - sum(a < channels for a in summed)  # where the channels are by now
    return np.moveaxis(array, before, -1)[(place,) * (array.ndim - 1)]
