"""Mistakes in pooling: another kind, ties, padding that is counted, overlapping windows."""

import numpy as np

from compare.diagnosis.hypotheses.padding import of_padding, padded
from compare.diagnosis.hypotheses.window_geometry import bounded_sum, landing, pixel_at
from compare.diagnosis.hypotheses.windows import of_settings, of_steps
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.global_pooling import GlobalPooling

KINDS = {"Max": ("Average", "the mean for the largest"),
         "Average": ("Max", "the largest for the mean")}


def of_kind(c) -> list[Variant]:
    """Maxima for means, means for maxima, or the smallest."""
    own = "Max" if "Max" in c.class_name else "Average"
    other, said = KINDS[own]
    found = [inside("pool-kind", said,
                    lambda c: c.changed(class_name=c.class_name.replace(own, other)))]

    def smallest(c):
        c = c.changed(class_name=c.class_name.replace("Average", "Max"), x=-c.x)
        return c.then(lambda r: -r) if c.tensor == "output" else c

    found.append(inside("pool-kind", "the smallest of each window", smallest))
    if own == "Average" and "Global" not in c.class_name:
        found.append(inside("pool-kind", "the sum for the mean", _summed))
    if own == "Max" and c.tensor == "output":
        found.append(inside("pool-kind", "the running maximum starts from 0",
                            lambda c: c.then(lambda r: r.clip(0.0, np.inf))))

        def middle(c):
            low = smallest(c)
            return c.then(lambda high: (high + low.evaluate()) * 0.5)

        found.append(inside("pool-kind", "the mean of the largest and the smallest", middle))
    return found


def _summed(c):
    """Sums in place of means, where windows lie on padding; else that is a factor."""
    area = float(np.prod(c.default_walk().kernel))
    return padded(c, "constant", 0.0).then(lambda r: r * area)


def of_pixels(c) -> list[Variant]:
    """An average over the channels, too; its gradient for one pixel of the window alone."""
    if "Average" not in c.class_name:
        return []
    if c.tensor == "output":
        axis = 1 if c.config.get("data_format") == "channels_first" else np.ndim(c.x) - 1

        def over_channels(r):
            mean = r.sum(axis=axis, keepdims=True) / float(r.shape[axis])
            return mean.rearranged(lambda a: np.repeat(a, r.shape[axis], axis=axis))

        return [inside("pool-kind", "the mean goes over the channels, too",
                       lambda c: c.then(over_channels))]
    if "Global" in c.class_name:
        return []
    return [inside("pool-kind", f"the window's {said} pixel gets the whole gradient",
                   lambda c, k=k: c.changed(own=lambda c: _one_pixel(c, k)))
            for said, k in (("first", 0), ("last", -1))]


def _one_pixel(c, k: int):
    oracle = c.oracle()
    oracle.forward(c.exact(c.x), {})
    walk, lay = oracle.walk, oracle.layout
    dy = lay.image(c.dy).astype(np.float64)
    out, pixels = walk.at(*walk.offsets()[k])
    dx, magnitude = np.zeros(oracle.x.shape), np.zeros(oracle.x.shape)
    np.add.at(dx, pixels, dy[out])
    np.add.at(magnitude, pixels, np.abs(dy[out]))
    return bounded_sum(lay.given(dx), lay.given(magnitude), walk.overlap(), c.rounding)


def of_pool_padding(c) -> list[Variant]:
    """What padding counts as."""
    if "Average" in c.class_name:
        return [inside("pool-average-padding", "padding counts as pixels of 0",
                       lambda c: padded(c, "constant", 0.0))]
    found = [inside("padding-value", "0 in place of minus infinity",
                    lambda c: padded(c, "constant", 0.0))]
    if c.tensor == "output":
        for mode in ("edge", "reflect", "wrap"):
            found.append(inside("padding-value", f"'{mode}' in place of minus infinity",
                                lambda c, mode=mode: padded(c, mode)))
    return found


def of_ties(c) -> list[Variant]:
    """Who gets a maximum's gradient where several tie for it."""
    if "Max" not in c.class_name or c.tensor != "input_gradient":
        return []
    whole = isinstance(c.layer, GlobalPooling)
    rules = {"first": "the first of them gets all of it", "last": "the last of them gets all of it",
             "each": "each of them gets all of it"}
    if not whole:
        rules["shared"] = "all of them share it equally"
        rules["columns"] = "the first of them column by column gets all of it"
        del rules["each" if c.layer.every_tie_wins else "first"]
    of = _global_ties if whole else _window_ties
    return [inside("pool-ties", said, lambda c, rule=rule: c.changed(own=lambda c: of(c, rule)))
            for rule, said in rules.items()]


def _shares(values, rule: str, kernel=None) -> np.ndarray:
    """How much of a gradient each of values (places, ...) gets."""
    tied = values == values.max(axis=0)
    if rule == "each":
        return tied.astype(float)
    if rule == "shared":
        return tied / tied.sum(axis=0)
    order = np.arange(len(values))
    if rule == "last":
        order = order[::-1]
    elif rule == "columns":
        order = order.reshape(kernel).T.reshape(-1)
    winner = order[tied[order].argmax(axis=0)]
    return (np.arange(len(values)).reshape(-1, *[1] * (values.ndim - 1)) == winner).astype(float)


def shares_along(x: np.ndarray, axes: tuple[int, ...], rule: str) -> np.ndarray:
    """How much of a gradient each number of an array gets, whose maxima go along some axes."""
    front = range(len(axes))
    moved = np.moveaxis(x, axes, front)
    share = _shares(moved.reshape(-1, *moved.shape[len(axes):]), rule).reshape(moved.shape)
    return np.moveaxis(share, front, axes)


def _window_ties(c, rule: str):
    oracle = c.oracle()
    oracle.forward(c.exact(c.x), {})
    walk, lay = oracle.walk, oracle.layout
    dy = lay.image(c.dy).astype(np.float64)
    share = _shares(oracle.values, rule, walk.kernel)
    dx, magnitude = np.zeros(oracle.x.shape), np.zeros(oracle.x.shape)
    for k, offset in enumerate(walk.offsets()):
        out, pixels = walk.at(*offset)
        dx[pixels] += (share[k] * dy)[out]
        magnitude[pixels] += np.abs(share[k] * dy)[out]
    terms = walk.overlap() + (2 if rule == "shared" else 0)
    return bounded_sum(lay.given(dx), lay.given(magnitude), terms if terms > 1 else 0, c.rounding)


def _global_ties(c, rule: str):
    oracle = c.oracle()
    oracle.forward(c.exact(c.x), {})
    dy = oracle.taken(c.exact(c.dy)).value
    share = shares_along(np.asarray(c.x, np.float64), oracle.axes, rule)
    return bounded_sum(share * dy, np.abs(share * dy), 0, c.rounding)


def of_pool_overlap(c) -> list[Variant]:
    """Where windows overlap, the last one's gradient in place of the sum."""
    if c.tensor != "input_gradient" or c.default_walk().overlap() == 1:
        return []
    ways = {"pixels": "the last window's share of a pixel stands alone",
            "windows": "the last window overwrites all its pixels",
            "offset": "that of the window's last pixel stands alone"}
    return [inside("overlap-overwritten", said, lambda c, way=way: c.changed(
        own=lambda c: _overwritten(c, way))) for way, said in ways.items()]


def _overwritten(c, way: str):
    oracle = c.oracle()
    oracle.forward(c.exact(c.x), {})
    walk, lay = oracle.walk, oracle.layout
    dy = lay.image(c.dy).astype(np.float64)
    if "Max" in c.class_name:
        share = _shares(oracle.values, "each" if oracle.every_tie_wins else "first", walk.kernel)
    else:
        share = np.broadcast_to(1 / oracle.pixels, (len(walk.offsets()), *dy.shape))
    dx = np.zeros(oracle.x.shape)
    if way == "offset":
        for k, offset in enumerate(walk.offsets()):
            out, pixels = walk.at(*offset)
            dx[pixels] = (share[k] * dy)[out]
    for window in np.ndindex(*walk.outputs) if way != "offset" else ():
        out = (slice(None), *window)
        for k, offset in enumerate(walk.offsets()):
            pixel = pixel_at(walk, window, offset)
            if pixel is not None:
                here, put = (slice(None), *pixel), share[k][out] * dy[out]
                dx[here] = np.where(share[k][out] != 0, put, dx[here]) if way == "pixels" else put
    return bounded_sum(lay.given(dx), np.abs(lay.given(dx)), 2, c.rounding)


def of_pools(c) -> list[Variant]:
    """Everything about pooling over windows, over whole images, or of the largest along axes."""
    if isinstance(c.layer, GlobalPooling) and "Global" not in c.class_name:
        return of_ties(c)
    if "Global" in c.class_name:
        return of_kind(c) + of_pixels(c) + of_ties(c) + of_shorter(c)
    return (of_settings(c) + of_kind(c) + of_pixels(c) + of_pool_padding(c) + of_ties(c)
            + of_pool_overlap(c) + of_padding(c) + of_steps(c) + _of_size(c))


def of_shorter(c) -> list[Variant]:
    """A global pooling that leaves out the first or the last row, column or step."""
    if c.tensor != "output":
        return []
    found = []
    for axis in c.oracle().axes:
        for said, part in (("last", slice(-1)), ("first", slice(1, None))):
            cut = (slice(None),) * axis + (part,)
            found.append(inside("border-dropped", f"the {said} along axis {axis} is left out",
                                lambda c, cut=cut: c.changed(x=np.asarray(c.x)[cut])))
            if "Average" in c.class_name:
                found.append(inside(
                    "border-dropped", f"the {said} along axis {axis} is left out, and counted",
                    lambda c, cut=cut, axis=axis: c.changed(x=np.asarray(c.x)[cut]).then(
                        lambda r: r * (1 - 1 / np.shape(c.x)[axis]))))
    return found


def _of_size(c) -> list[Variant]:
    """A pool of another size, with the same outputs."""
    size = tuple(c.default_walk().kernel)
    found = []
    others = {tuple(n + step * (i == axis) for i, n in enumerate(size))
              for axis in range(len(size)) for step in (1, -1)}
    others |= {tuple(n + step for n in size) for step in (1, -1, 2)}
    for other in {size[::-1], *others} - {size}:
        if min(other) < 1:
            continue

        def change(c, other=other):
            def widen(walk):
                walk.kernel = other

            return landing(c, widen)

        said = f"windows of {other} in place of {size}"
        found.append(inside("pool-size", said, change))
        found += _earlier(other, said)
        if len(c.config.get("pool_size") or ()) == 2:
            found.append(inside("pool-size", said, lambda c, o=other: c.configured(pool_size=o)))
    return sorted(found, key=lambda variant: variant[:2])


def _earlier(size: tuple, said: str) -> list[Variant]:
    """Windows of that size that begin some pixels before those of Keras's: padding=1 in PyTorch."""
    def change(c, pixels: int):
        def widen(walk):
            walk.kernel = size
            walk.before = [before + pixels for before in walk.before]

        return landing(c, widen)

    return [inside("pool-size", f"{said}, from {pixels} pixel{'s' * (pixels > 1)} further before",
                   lambda c, pixels=pixels: change(c, pixels)) for pixels in (1, 2)
            if pixels < max(size)]
