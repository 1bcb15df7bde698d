"""Mistakes in what a convolution's windows see: strides, dilation, groups, dropped borders."""

import itertools

import numpy as np

from compare.diagnosis.hypotheses.overlap import of_overlap
from compare.diagnosis.hypotheses.padding import of_padding, of_padding_value
from compare.diagnosis.hypotheses.rearrangement import borders, moved_by
from compare.diagnosis.hypotheses.window_geometry import landing, needed
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.convolution import Conv2DTranspose, Convolution, DepthwiseConv2D


def of_steps(c) -> list[Variant]:
    """Strides and dilation left out, or those of one axis taken for the other."""
    walk = c.default_walk()
    found = []
    for identifier, name in (("stride-ignored", "strides"), ("dilation-ignored", "dilation")):
        right, axes = tuple(getattr(walk, name)), range(len(walk.size))
        others = [other for other in dict.fromkeys([
            (1,) * len(right),
            *[tuple(right[i] if i == axis else 1 for i in axes) for axis in reversed(axes)],
            *[tuple(1 if i == axis else right[i] for i in axes) for axis in axes],
            right[::-1], *[(step,) * len(right) for step in right]])
            if other != right]
        for other in others:
            for recomputed in (False, True):
                def change(walk, name=name, other=other, recomputed=recomputed):
                    axes = range(len(walk.size))
                    before = [needed(walk, axis) // 2 == walk.before[axis] for axis in axes]
                    setattr(walk, name, other)
                    if recomputed:
                        walk.before = [needed(walk, axis) // 2 if before[axis]
                                       else walk.before[axis] for axis in axes]

                found.append(inside(identifier, f"{other} in place of {right}",
                                    lambda c, change=change: landing(c, change)))
    return found


def of_groups(c) -> list[Variant]:
    """Channels given to other filters than to those of their group."""
    groups = c.config.get("groups", 1)
    if groups == 1 or "kernel" not in c.weights or isinstance(c.layer, DepthwiseConv2D):
        return []
    held, filters = c.weights["kernel"].shape[-2:]
    f, j = np.arange(filters)[None], np.arange(held)[:, None]
    each, group = filters // groups, np.arange(filters)[None] // (filters // groups)
    ways = {"every filter sees the first group's channels": j + 0 * f,
            "filters are dealt out to the groups in turn": (f % groups) * held + j,
            "channels are dealt out to the groups in turn": j * groups + group,
            "filters and channels are dealt out in turn": j * groups + f % groups,
            "the groups' order is reversed": (groups - 1 - group) * held + j}
    found = [inside("groups-ignored", said, lambda c, table=table: regrouped(c, table))
             for said, table in ways.items()]

    def spread(c):
        c = c.bare() if c.tensor != "output" else c
        if c.tensor not in ("output", "input_gradient"):
            raise ValueError("Expected a result of the layer's own shape. Received: another")
        kernel = np.tile(c.weights["kernel"], (1,) * (c.weights["kernel"].ndim - 2) + (groups, 1))
        return c.weighing(kernel=kernel).configured(groups=1)

    return found + [inside("groups-ignored", "every filter sees all channels", spread)] * (each > 0)


def regrouped(c, table):
    """As one group with a kernel of all channels, in which table[j, f] says which one is the j-th
    of filter f's."""
    c = c.bare() if c.tensor != "output" else c
    kernel, groups = c.weights["kernel"], c.config["groups"]
    whole = np.zeros((*kernel.shape[:-2], kernel.shape[-2] * groups, kernel.shape[-1]),
                     kernel.dtype)
    filters = np.arange(kernel.shape[-1])
    whole[..., table, filters] = kernel
    c = c.weighing(kernel=whole).configured(groups=1)
    return c.moved(lambda g: g[..., table, filters]) if c.tensor == "kernel_gradient" else c


def of_dropped_windows(c) -> list[Variant]:
    """For a weight's gradient: windows at the border that are not counted."""
    if not c.tensor.endswith("kernel_gradient") and c.tensor != "bias_gradient":
        return []
    lay = c.layout()
    image = lay.image(c.value(c.dy))
    found = []
    for said, function in borders(image.shape):
        def change(c, function=function):
            c = c.bare()
            return c.changed(dy=c.exact(c.dy).rearranged(
                lambda d: lay.given(function(np.array(lay.image(d))))))

        found.append(inside("border-dropped", f"of the output's gradient, {said}", change))
    return found


def of_input_place(c) -> list[Variant]:
    """An input that is moved by a pixel before the windows go over it."""
    lay = c.layout()
    _, *sizes, _ = lay.image(c.x).shape
    axes = tuple(range(1, len(sizes) + 1))
    steps = [s for s in itertools.product((0, 1, -1), repeat=len(sizes))
             if any(s) and not any(step and n == 1 for step, n in zip(s, sizes))]
    found = []
    for step in steps:
        for around in (False, True):
            def change(c, step=step, around=around):
                def move(array, step):
                    image = moved_by(np.array(lay.image(array)), step, axes, around)
                    return lay.given(image)

                c = c.bare() if c.tensor != "output" else c
                if c.tensor == "input_gradient":  # goes back the way the input came
                    return c.moved(lambda a: move(a, tuple(-s for s in step)))
                return c.changed(x=move(c.x, step))

            said = "around the edge" if around else "zeros behind it"
            found.append(inside("shifted", f"the input by {step} pixels, {said}", change))
    return found


def of_settings(c) -> list[Variant]:
    """Settings ignored, so that the result has another shape."""
    config = c.config
    paddings = [p for p in c.layer.paddings if p != config["padding"]]
    found = [inside("padding-amount", f"'{p}' in place of '{config['padding']}'",
                    lambda c, p=p: c.configured(padding=p)) for p in paddings]
    for identifier, key in (("stride-ignored", "strides"), ("dilation-ignored", "dilation_rate")):
        given = tuple(config.get(key) or ())
        for other in dict.fromkeys([(1,) * len(given), given[::-1]]):
            if other and other != given:
                found.append(inside(identifier, f"{other} in place of {given}",
                                    lambda c, k=key, o=other: c.configured(**{k: o})))
    if c.tensor != "output":
        return []
    dilation = tuple(config.get("dilation_rate") or ())
    if dilation and max(dilation) == 1 and isinstance(c.layer, Convolution):
        for other in itertools.product((1, 2), repeat=len(dilation)):
            if max(other) > 1:
                found.append(inside("dilation-ignored", f"{other}, although none is asked for",
                                    lambda c, o=other: c.configured(dilation_rate=o)))
    return found


def of_windows(c) -> list[Variant]:
    """Everything about the windows of a convolution."""
    found = of_settings(c) + of_padding(c)
    if not isinstance(c.layer, Conv2DTranspose):
        found += of_padding_value(c)
    if isinstance(c.layer, DepthwiseConv2D) and c.tensor == "output":
        found.append(inside("axes-permuted", "channels in the order (multiplier, channel)",
                            _multiplier_first))
    return (found + of_steps(c) + of_groups(c) + of_dropped_windows(c) + of_overlap(c)
            + of_input_place(c))


def _multiplier_first(c):
    """Channel m C + c for channel c M + m."""
    lay = c.layout()
    channels, multiplier = c.weights["kernel"].shape[-2:]

    def turned(y):
        image = lay.image(y)
        apart = image.reshape(*image.shape[:-1], channels, multiplier)
        return lay.given(apart.swapaxes(-1, -2).reshape(image.shape))

    return c.moved(turned)
