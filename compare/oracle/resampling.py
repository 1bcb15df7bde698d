"""One axis of an image at another size, as a matrix of shares, and what float32 makes of it.

New pixel i of m, made of n, reads the old image at t = (i + 0.5) n / m - 0.5, the middle of the
first pixel being 0. Linear interpolation gives old pixel j the share max(0, 1 - |t - j|), with t
held between the outermost middles. TensorFlow computes n / m and t in float32, in every precision
(`resizing_in_float64`): with three roundings t is off by d <= 4 u (|t| + 0.5), and so is each
share, for 1 - |t - j| has a slope of 1. Where m / gcd(n, m) is a power of two nothing is rounded
and d is 0. Of images in float16 and bfloat16 it casts a result of float32, but adds up the gradient
in that precision.

The cubic's shares are Keys's (1981) with a = -1/2, which TensorFlow has in a table at 1024 places
between two pixels; the nearest of these is taken for t, pixels beyond the border get no share, and
the others' are divided by their sum s, which is 0.5 at least. What t is off by may lead to a
neighbouring place, where it is as near to that. With entries w of the table rounded once, the sum
of four within 9 u, and a division by way of a reciprocal, a share w / s is off by less than
u / s + (9 / s + 3) u |w / s|: by 4 u and 24 u |w / s|.

The nearest pixel is the one that floor((i + 0.5) n / m) names; where that lies on a border between
two, float32's rounding decides, and is part of what the layer is.
"""

import math
from typing import NamedTuple

import numpy as np

from compare.oracle.running_error import Bounded, Rounding

SINGLE = Rounding.of("float32")
# Between tl, tr, bl and br: tl + (tr - tl) * a, the same below, and the same between both; or a
# product with each of two rounded shares and two sums, along both axes.
FORTH, BACK = 10, 8
PLACES = 1024


class Shares(NamedTuple):
    """Each (new, old): the old pixels' shares, how far they can be off, and which may count."""

    exact: np.ndarray
    off: np.ndarray
    touched: np.ndarray


def shares(old: int, new: int, interpolation: str) -> Shares:
    """Of `old` pixels along an axis in each of `new` ones."""
    if old == new:
        return Shares(np.eye(old), np.zeros((old, old)), np.eye(old))
    if interpolation == "nearest":
        scale = np.float32(old) / np.float32(new)
        at = np.floor((np.arange(new).astype(np.float32) + np.float32(0.5)) * scale)
        chosen = (np.minimum(at, old - 1)[:, None] == np.arange(old)).astype(np.float64)
        return Shares(chosen, np.zeros(chosen.shape), chosen)
    if interpolation == "bicubic":
        return cubic_shares(old, new)
    at = (np.arange(new) + 0.5) * old / new - 0.5
    steps = new // math.gcd(old, new)
    exact = steps & (steps - 1) == 0 and max(old, new) < 2**11
    off = np.zeros(new) if exact else 4 * SINGLE.unit * (np.abs(at) + 0.5)
    distance = np.abs(np.clip(at, 0, old - 1)[:, None] - np.arange(old))
    touched = distance < 1 + off[:, None]
    return Shares(np.maximum(0.0, 1 - distance), off[:, None] * touched,
                  touched.astype(np.float64))


def cubic_shares(old: int, new: int) -> Shares:
    """Those of Keys's cubic at 1024 places between two pixels."""
    single = np.float32
    at = (np.arange(new).astype(single) + single(0.5)) * (single(old) / single(new)) - single(0.5)
    low = np.floor(at)
    place = ((at - low) * single(PLACES)).astype(np.float64)
    chosen = np.rint(place)
    exact, touched = keys(low + chosen / PLACES, old)
    # a fused multiplication and subtraction may round t otherwise
    doubt = PLACES * 4 * SINGLE.unit * (np.abs(at) + 0.5)
    either = np.abs(np.abs(place - chosen) - 0.5) <= doubt
    other, _ = keys(low + (chosen + np.where(place > chosen, 1, -1)) / PLACES, old)
    rounded = SINGLE.unit * (4 + 24 * np.abs(exact)) * touched
    off = np.abs(other - exact) * either[:, None] + rounded
    return Shares(exact, off, touched)


def keys(at: np.ndarray, old: int) -> tuple[np.ndarray, np.ndarray]:
    """(shares, which may be other than 0) of old pixels at these places, each (new, old)."""
    distance = np.abs(at[:, None] - np.arange(old))
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    shares = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
    return shares / shares.sum(axis=1, keepdims=True), (distance <= 2).astype(np.float64)


def along_both(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Images (N, H, W, C) by matrices (new H, H) and (new W, W)."""
    return np.asarray(np.einsum("ih,nhwc,jw->nijc", rows, x, columns, optimize=True))


def in_single(x: Bounded) -> Bounded:
    """Numbers that are kept, but read in float32."""
    if x.rounding.unit >= SINGLE.unit:
        return x
    size = np.abs(x.value) + x.bound
    return Bounded(x.value, x.rounding, x.bound + SINGLE.unit * size + SINGLE.tiny).flushed()


def resampled(x: Bounded, rows: Shares, columns: Shares, interpolation: str) -> Bounded:
    """Images (N, H, W, C) at another size."""
    value = along_both(x.value, rows.exact, columns.exact)
    if interpolation == "nearest":
        return x.rearranged(lambda a: along_both(a, rows.exact, columns.exact))
    size = np.abs(x.value) + x.bound
    most = [np.abs(each.exact) + each.off for each in (rows, columns)]
    off = (along_both(size, *most)
           - along_both(np.abs(x.value), np.abs(rows.exact), np.abs(columns.exact)))
    touched = along_both(size, rows.touched, columns.touched)
    if interpolation == "bicubic":  # a sum of products
        touched = along_both(size, *most)
    error = off + SINGLE.gamma(FORTH) * touched + 8 * SINGLE.tiny
    if x.rounding.unit > SINGLE.unit:  # the result is cast
        error = error + x.rounding.unit * (np.abs(value) + error) + x.rounding.tiny
    return Bounded(value, x.rounding, error).flushed()


def resampled_backward(dy: Bounded, rows: Shares, columns: Shares, interpolation: str) -> Bounded:
    """The gradient of `resampled`: each old pixel gets its share of all that read it."""
    def back(array: np.ndarray, h: np.ndarray, w: np.ndarray) -> np.ndarray:
        return along_both(array, h.T, w.T)

    low = dy.rounding.unit > SINGLE.unit  # in which TensorFlow adds up
    rounding = dy.rounding if interpolation == "nearest" or low else SINGLE
    value = back(dy.value, rows.exact, columns.exact)
    terms = back(dy.support(), rows.touched, columns.touched)
    size = np.abs(dy.value) + dy.bound
    magnitude = back(size, *(np.abs(each.exact) + each.off for each in (rows, columns)))
    off = magnitude - back(np.abs(dy.value), np.abs(rows.exact), np.abs(columns.exact))
    roundings = np.where(terms > 1, terms, 0) if interpolation == "nearest" else terms + BACK
    lost = np.where(roundings > 0, 4 * (terms + 1) * rounding.tiny, 0.0)
    return Bounded(value, dy.rounding, off + rounding.gamma(roundings) * magnitude + lost).flushed()
