"""Mistakes of layers that turn, move, zoom and shear images, whose draws are known."""

import numpy as np

from compare.diagnosis.hypotheses.augmentation import drawn
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.affine_images import FLOAT32, away, within
from compare.oracle.inverse_transformation import inverse
from compare.oracle.layers.transformed_images import (
    RandomRotation,
    RandomShear,
    RandomZoom,
    TransformedImages,
)
from compare.oracle.running_error import Bounded

MODES = ("reflect", "wrap", "constant", "nearest")
ROUNDINGS = 8  # granted to a place about another point


def of_places(c) -> list[Variant]:
    """Draws that are not used, or for other images; another point, unit or order of the axes; the
    inverse; what lies beyond the image, and between its pixels; and another gradient."""
    if not isinstance(c.layer, TransformedImages) or "noise" not in c.weights or not c.training:
        return []
    return (_of_draws(c) + _of_directions(c) + _of_points(c) + _of_filling(c)
            + _of_interpolation(c) + (_of_gradients(c) if c.tensor == "input_gradient" else []))


def _of_draws(c) -> list[Variant]:
    found = [inside("mask-missing", "no draw is used", lambda c: c.changed(training=False)),
             drawn("mask-wrong-tensor", "another image's draw",
                   lambda noise: np.roll(noise, 1, axis=0)),
             drawn("mask-wrong-tensor", "the first image's draw for all",
                   lambda noise: np.broadcast_to(noise[:1], noise.shape))]
    if c.weights["noise"].shape[-1] == 2:
        found += [drawn("axes-permuted", "the two draws are exchanged",
                        lambda noise: noise[..., ::-1]),
                  *[drawn("mask-wrong-tensor", f"draw {i} for both axes",
                          lambda noise, i=i: noise[..., [i, i]]) for i in (0, 1)]]
    return found


def _of_directions(c) -> list[Variant]:
    found = [inside("transformation-inverted", "by the inverse of the matrix", lambda c: c.hooked(
        forth=lambda layer, right, *given: inverse(right(*given))))]
    if isinstance(c.layer, RandomShear):
        found += [drawn("sign", "both shears are taken the other way", lambda noise: -noise),
                  *[drawn("sign", f"shear {i} is taken the other way", lambda noise, i=i:
                          noise * np.where(np.arange(2) == i, -1, 1)) for i in (0, 1)]]
    if isinstance(c.layer, RandomRotation):
        found += [drawn("angle-unit", said, change) for said, change in UNITS.items()]
    return found


UNITS = {
    "degrees in the place of radians": np.degrees,
    "degrees turned into radians twice": np.radians,
    "parts of a turn in the place of degrees": lambda noise: noise / 360,
    "twice the angle": lambda noise: noise * 2,
    "half the angle": lambda noise: noise / 2,
}


def _of_points(c) -> list[Variant]:
    found = []
    if isinstance(c.layer, (RandomRotation, RandomZoom)):
        found.append(inside("axes-permuted", "height and width are exchanged", lambda c: c.hooked(
            matrix=lambda layer, right, draws, height, width: right(draws, width, height))))
    if isinstance(c.layer, (RandomRotation, RandomZoom, RandomShear)):
        found += [inside("transformation-center", f"about {said}", lambda c, at=at: c.hooked(
            forth=lambda layer, right, draws, height, width: _about(
                right(draws, height, width), at(width), at(height))))
            for said, at in POINTS.items()]
    return found


POINTS = {
    "(W / 2, H / 2)": lambda size: size / 2,
    "the first pixel": lambda size: 0.0,
    "the middle": lambda size: (size - 1) / 2,
    "the pixel before the middle": lambda size: float((size - 1) // 2),
    "the pixel behind the middle": lambda size: float(size // 2),
}


def _about(matrices: Bounded, x: float, y: float) -> Bounded:
    """The same about another point."""
    value, error = matrices.value.copy(), matrices.bound.copy()
    point = np.array([x, y])
    value[..., 2] = point - value[..., :2] @ point
    size = point + np.abs(value[..., :2]) @ point
    error[..., 2] = error[..., :2] @ point + FLOAT32.gamma(ROUNDINGS) * size
    return Bounded(value, FLOAT32, error)


def _filled(identifier: str, detail: str, **fields) -> Variant:
    return inside(identifier, detail, lambda c: c.hooked(
        filling=lambda layer, right, value: right(value)._replace(**fields)))


def _of_filling(c) -> list[Variant]:
    own, value = c.config["fill_mode"], c.config["fill_value"]
    found = [inside("fill-mode", f"{mode!r} in place of {own!r}",
                    lambda c, m=mode: c.configured(fill_mode=m)) for mode in MODES if mode != own]
    found += [_filled("fill-mode", said, bring=bring, mode="reflect" if own == "constant" else own)
              for said, bring in BROUGHT.items()]
    if own == "constant":
        found += [inside("fill-mode", f"{other:g} in place of {value:g}",
                         lambda c, v=other: c.configured(fill_value=v))
                  for other in (0.0, 1.0) if other != value]
        found.append(inside("fill-mode", "the fill value stands in the gradient, too",
                            lambda c: c.hooked(read=lambda layer, right, x, matrices, fill: right(
                                x, matrices, layer.config["fill_value"]))))
    return found


def _mirrored(place: np.ndarray, size: int) -> np.ndarray:
    """(d c b | a b c d | c b a): the outermost pixel is not repeated."""
    period = max(2 * size - 2, 1)
    there = np.mod(place, period)
    return np.clip(np.minimum(there, period - there), 0, size - 1)


BROUGHT = {
    "the outermost pixel is not repeated": _mirrored,
    "the outermost pixel is not repeated, after rounding":
        lambda place, size: _mirrored(away(place), size),
    "wrapped by the image's size": lambda place, size: np.clip(np.mod(place, size), 0, size - 1),
    "wrapped by the image's size after rounding":
        lambda place, size: np.mod(np.floor(place + 0.5), size),
}


def _of_interpolation(c) -> list[Variant]:
    kinds = ("nearest", "bilinear")
    own = c.config["interpolation"]
    found = [inside("interpolation", f"{kind!r} in place of {own!r}",
                    lambda c, kind=kind: c.configured(interpolation=kind))
             for kind in kinds if kind != own]
    return found + [_filled("interpolation", said, whole=whole, interpolation="nearest")
                    for said, whole in (("rounded down", np.floor), ("rounded up", np.ceil),
                                        ("rounded to even", np.rint),
                                        ("halves rounded up", lambda at: np.floor(at + 0.5)))]


def _of_gradients(c) -> list[Variant]:
    return [inside("transformation-inverted", "the gradient is read by the matrix itself",
                   lambda c: c.hooked(back=lambda layer, right, matrices: matrices)),
            inside("transformation-gradient", "", lambda c: c.changed(own=_derivative))]


def _derivative(c) -> Bounded:
    """The gradient of each pixel is added to those of which it was mixed."""
    oracle = c.oracle()
    oracle.forward(c.exact(c.x), {name: c.exact(w) for name, w in c.weights.items()})
    first = oracle.image_axes == (2, 3)
    dy = np.asarray(c.value(c.dy), np.float64)
    dy = np.moveaxis(dy, 1, -1) if first else dy
    filling = oracle.filling(0.0)
    sizes = dy.shape[1:3]
    columns, rows = oracle.places(oracle.matrices, *sizes)
    around = [_neighbours(place, size, filling) for place, size in zip((rows, columns), sizes)]
    value, error = np.zeros(dy.shape), np.zeros(dy.shape)
    samples = np.broadcast_to(np.arange(len(dy))[:, None, None], dy.shape[:3])
    for i, share, off in around[0]:
        for j, part, away_by in around[1]:
            there = (0 <= i) & (i < sizes[0]) & (0 <= j) & (j < sizes[1])
            where = samples[there], i[there], j[there]
            weight, wrong = share * part, off + away_by + FLOAT32.gamma(ROUNDINGS)
            np.add.at(value, where, (weight[..., None] * dy)[there])
            np.add.at(error, where, (wrong[..., None] * np.abs(dy))[there])
    made = Bounded(value, c.rounding, error)
    return made.rearranged(lambda a: np.moveaxis(a, -1, 1)) if first else made


def _neighbours(place: Bounded, size: int, filling) -> list[tuple]:
    """(pixels, their weights, how far these may be off) of all that is near each place."""
    at = within(place.value, size, filling.mode)
    off = np.minimum(place.bound * 2 + FLOAT32.gamma(4) * (size + np.abs(place.value)), 1)
    if filling.interpolation == "nearest":
        other = away(within(place.value + off, size, filling.mode))
        before = away(within(place.value - off, size, filling.mode))
        unsure = (other != before).astype(float)
        return [(away(at).astype(int), np.ones(at.shape), unsure),
                (other.astype(int), np.zeros(at.shape), unsure),
                (before.astype(int), np.zeros(at.shape), unsure)]
    low = np.floor(at)
    weights = {0: 1 - (at - low), 1: at - low}
    return [((low + step).astype(int), weights.get(step, np.zeros(at.shape)), off)
            for step in (-1, 0, 1, 2)]
