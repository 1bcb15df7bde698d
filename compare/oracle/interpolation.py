"""Interpolation between the pixels of an image, with a bound on what float32 may do to it.

Output pixel o of an axis made `factor` times as long lies at (o + 1/2) / factor - 1/2 among the
input's pixels, and is a sum of those near it, each times a weight that depends on its distance.
The weights are worked out in float32 themselves, in one of several ways; `Bounded` arithmetic says
how far they may be off. TensorFlow's kernels compute in float32 whatever the layer's precision, so
float32 is what is audited here; but for float16 and bfloat16 they add up gradients in these.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from compare.oracle.running_error import LIBRARY_ULPS, Bounded, Rounding

FLOAT32 = Rounding.of("float32")
ENTRIES = 1024  # of the table that TensorFlow looks the cubic up in, for each pixel
STEEPEST_CUBIC = 25 / 18  # the cubic's largest slope, at a distance of 5/9
STEEPEST_LANCZOS = 2.0  # above 1.38 (1 + 1 / radius): sinc is at most 1, its slope 1.38

# An element of the result meets, besides its additions: a cast, two factors, and the subtraction
# and addition that go with each where a + (b - a) w is computed for (1 - w) a + w b.
ROUNDINGS = 8


class Weights(NamedTuple):
    """Of one axis, each (outputs, inputs).

    Attributes:
        value: the weights.
        error: how far those that are used may be off.
        magnitude: what stands for |weight| in a bound on rounding: more than that, where terms that
            cancel are added up.
    """

    value: np.ndarray
    error: np.ndarray
    magnitude: np.ndarray

    @property
    def turned(self) -> "Weights":
        """Those of the way back."""
        return Weights(*[array.T for array in self])

    @property
    def largest(self) -> np.ndarray:
        return np.asarray(np.abs(self.value) + self.error)


def weights(size: int, factor: int, kind: str) -> Weights:
    """Of an axis of so many pixels, made `factor` times as long."""
    number = np.arange(size * factor)
    # a scale, or its reciprocal, or that of the reciprocal, rounded each time
    scale = Bounded(1 / factor, FLOAT32, 3 * FLOAT32.unit / factor)
    place = Bounded(number + 0.5, FLOAT32) * scale - 0.5
    return KINDS[kind](place, size)


def bilinear(place: Bounded, size: int) -> Weights:
    """1 - d up to d = 1; places beyond the border are taken for the border."""
    place = place.clip(0, size - 1)
    distance = np.abs(np.arange(size) - place.value[:, None])
    # an error of the place may bring in the pixel on the other side
    near = distance <= 1 + place.bound[:, None]
    error = np.where(near, place.bound[:, None] + 2 * FLOAT32.unit, 0.0)
    return Weights(np.maximum(1 - distance, 0), error, 2.0 * near)


def bicubic(place: Bounded, size: int) -> Weights:
    """Keys's cubic with a = -1/2 at the nearest entry of the table; weights add up to 1."""
    before = np.floor(place.value)
    entry = (place.value - before) * ENTRIES
    # as near to the middle between two entries as the place may be off: either of them
    open_ = np.abs(entry - np.floor(entry) - 0.5) <= place.bound * ENTRIES
    at = before + np.rint(entry) / ENTRIES
    d = np.abs(np.arange(size) - at[:, None])
    exact, near = Bounded(d, FLOAT32), d <= 1
    inner = (exact * 1.5 - 2.5) * exact * exact + 1.0
    outer = ((exact * -0.5 + 2.5) * exact - 4.0) * exact + 2.0
    value = np.where(near, inner.value, np.where(d < 2, outer.value, 0.0))
    error = np.where(near, inner.bound, np.where(d < 2, outer.bound, 0.0))
    error = error + np.where(open_[:, None] & (d < 2.5), STEEPEST_CUBIC / ENTRIES, 0.0)
    return normalized(Bounded(value, FLOAT32, error))


def lanczos(radius: int) -> Callable[[Bounded, int], Weights]:
    """sinc(d) sinc(d / radius) up to d = radius; weights add up to 1."""
    def of(place: Bounded, size: int) -> Weights:
        inputs = np.broadcast_to(np.arange(size), (len(place.value), size))
        sample = (place + 0.5).reshape(-1, 1).rearranged(lambda a: np.broadcast_to(a, inputs.shape))
        apart = Bounded(inputs + 0.5, FLOAT32) - sample
        d = np.abs(apart.value)
        pi = Bounded(np.full(d.shape, np.pi), FLOAT32, np.full(d.shape, np.pi * FLOAT32.unit))
        angle = Bounded(d, FLOAT32) * pi
        found = sine(angle) * sine(angle / float(radius)) * float(radius) / (angle * angle)
        moved = STEEPEST_LANCZOS * apart.bound
        middle = d <= 1e-3  # where the formula would be 0 / 0, and the weight is 1
        error = np.where(middle, FLOAT32.unit, found.bound + moved)
        return normalized(Bounded(np.where(middle, 1.0, np.where(d <= radius, found.value, 0.0)),
                                  FLOAT32, np.where(d <= radius + apart.bound, error, 0.0)))

    return of


def sine(angle: Bounded) -> Bounded:
    """With as many roundings as the library's exp and log are granted."""
    return angle.through(np.sin, lambda low, high: np.ones_like(low), 2 * LIBRARY_ULPS)


def normalized(raw: Bounded) -> Weights:
    """Each row divided by its sum, or multiplied by the reciprocal of that."""
    total = raw.sum(axis=1, keepdims=True).rearranged(lambda a: np.broadcast_to(a, raw.shape))
    found = raw / total
    error = np.where(raw.support() > 0, found.bound, 0.0)
    return Weights(found.value, error, np.abs(found.value) + error)


KINDS: dict[str, Callable[[Bounded, int], Weights]] = {
    "bilinear": bilinear, "bicubic": bicubic, "lanczos3": lanczos(3), "lanczos5": lanczos(5)}


def resampled(rows: Weights, columns: Weights, x: Bounded, back: bool = False) -> Bounded:
    """rows @ x @ columns.T for images (N, H, W, C), in any order of the axes and of the sums.

    Args:
        back: whether it is a gradient, which TensorFlow adds up in float16 or bfloat16 where it is
            of these; an output is then cast to it.
    """
    x = x.flushed()
    size = np.abs(x.value) + x.bound
    value = along(rows.value, columns.value, x.value)
    passed_on = (along(rows.largest, columns.largest, size)
                 - along(np.abs(rows.value), np.abs(columns.value), np.abs(x.value)))
    magnitude = along(rows.magnitude, columns.magnitude, size)
    x.rounding.watch(magnitude)
    terms = np.outer(*[(each.largest > 0).sum(axis=1) for each in (rows, columns)])[..., None]
    roundings = terms + ROUNDINGS
    passed_on = passed_on + 4 * roundings * FLOAT32.tiny  # products and partial sums, flushed
    low = x.rounding.unit > FLOAT32.unit
    summed = x.rounding if low and back else FLOAT32
    error = passed_on + summed.gamma(roundings) * (magnitude + passed_on)
    if low:
        error = error + x.rounding.unit * (np.abs(value) + error) + roundings * x.rounding.tiny
    return Bounded(value, x.rounding, error).flushed()


def along(rows: np.ndarray, columns: np.ndarray, images: np.ndarray) -> np.ndarray:
    """(P, H), (Q, W), (N, H, W, C) -> (N, P, Q, C)."""
    return np.asarray(np.einsum("ph,nhqc->npqc", rows, np.einsum("qw,nhwc->nhqc", columns, images)))
