"""Images read at other places, with a bound on what float32 may do to the places and the pixels.

Row i and column j of what comes out is read at column a0 j + a1 i + a2 and row b0 j + b1 i + b2.
TensorFlow works these places out in float32, whatever the images are, and mixes pixels in float32,
so float32 is what is audited here. A place may be off by its error e. What is read there:

- Bilinear interpolation is continuous and changes along an axis no faster than neighbouring pixels
  differ, so the result may be off by e times the largest difference around the place, for each
  axis, and by the roundings of the mixing.
- The nearest pixel jumps where a place lies halfway between two. Where e reaches across such a
  place, either pixel may have been read: the bound is the difference between them.
- So does TensorFlow's 'wrap', at which the image's other end follows its last pixel: there both
  sides are looked at likewise.
- Places that nobody knows to a quarter of a pixel may be read anywhere: the bound is the range of
  the image's values.

Whole numbers, and parts by powers of two down to 1/256, are exact in every order of adding up.
"""

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import numpy as np

from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")
MARGIN = 4  # pixels around an image: places beyond it are read in the two next to it
QUARTER = 0.25
FINEST = 256.0  # of a pixel, are the parts in which sums are exact, up to
EXACT = 2.0**15
MIXING = 6  # roundings: a weight, its product and the sum, twice


class Filling(NamedTuple):
    """How pixels are read.

    Attributes:
        interpolation, mode, value: Keras's interpolation, fill_mode and fill_value.
        bring: a function (place, size) that brings places back into the image; None for that of the
            mode.
        whole: a function of places for the nearest whole ones; None for TensorFlow's.
    """

    interpolation: str
    mode: str
    value: float
    bring: Callable[[np.ndarray, int], np.ndarray] | None = None
    whole: Callable[[np.ndarray], np.ndarray] | None = None


class Axis(NamedTuple):
    """Where something is read along an axis, in its own pixels.

    Attributes:
        place: in the image, or up to two pixels beyond it with 'constant'.
        reach: how far away it may have been read, (N, H, W).
    """

    place: np.ndarray
    reach: np.ndarray


def places(matrices: Bounded, height: int, width: int) -> tuple[Bounded, Bounded]:
    """(columns, rows), (N, H, W) each, for matrices (N, 2, 3)."""
    grid = np.stack(np.broadcast_arrays(np.arange(width), np.arange(height)[:, None], 1.0))
    found = []
    for line in (0, 1):
        factors = matrices.value[:, line, :, None, None]
        terms = factors * grid
        passed_on = (matrices.bound[:, line, :, None, None] * grid).sum(axis=1)
        # a product with 0 or 1 is no rounding, nor is a sum with 0
        products = ((terms != 0) & (np.abs(factors) != 1) & (grid != 1)).any(axis=1)
        sums = np.maximum((terms != 0).sum(axis=1) - 1, 0)
        size = np.abs(terms).sum(axis=1)
        error = passed_on + FLOAT32.gamma(products + sums) * (size + passed_on)
        fine = (terms * FINEST == np.round(terms * FINEST)).all(axis=1) & (size < EXACT)
        found.append(Bounded(terms.sum(axis=1), FLOAT32,
                             np.where(fine & (passed_on == 0), 0.0, error)))
    return found[0], found[1]


def read(images: Bounded, columns: Bounded, rows: Bounded, filling: Filling) -> Bounded:
    """The images (N, H, W, C) read at these places, (N, H, W) each."""
    nearest = filling.interpolation == "nearest"
    images = images if nearest else images.flushed()
    window = Window(images, filling)
    sides = [_sides(place, size, filling, nearest)
             for place, size in zip((rows, columns), images.shape[1:3])]
    look = window.nearest if nearest else window.mixed
    found = (look(row, column) for row in sides[0] for column in sides[1])
    value, error = first = next(found)
    if not images.rounding.bounds:
        return Bounded(value, images.rounding)
    for other, off in chain([first], found):
        with np.errstate(invalid="ignore"):
            error = np.maximum(error, np.abs(other - value) + off)
    unknown = np.maximum(rows.bound, columns.bound) >= QUARTER
    error = np.where(unknown[..., None], window.range + np.abs(error), error)
    return Bounded(value, images.rounding, error)


def _sides(place: Bounded, size: int, filling: Filling, nearest: bool) -> list[Axis]:
    """Where it is read along one axis, and if that may jump, where it may be read besides."""
    mapping = FLOAT32.unit * 3 * (np.abs(place.value) + 2 * size)  # three sums of float32
    known = (place.bound == 0) & (2 * place.value == np.round(2 * place.value))
    inside = (place.value - place.bound >= 0) & (place.value + place.bound <= size - 1)
    mapping = np.where(known | inside | (filling.mode in ("constant", "nearest")), 0.0, mapping)
    error = np.minimum(place.bound + mapping, QUARTER)  # of what is beyond, see `read`
    jumps = (nearest or filling.mode == "wrap") and error.any()
    shifts = (0, -1, 1) if jumps else (0,)
    # from either side of a jump it is as far as what is not known is wide
    reach = 0 * error if nearest else 2 * error if jumps else error
    bring = filling.bring or (lambda at, size: within(at, size, filling.mode))
    return [Axis(bring(place.value + shift * error, size), reach) for shift in shifts]


def within(place: np.ndarray, size: int, mode: str) -> np.ndarray:
    """Places of an axis, those beyond the image brought back; by TensorFlow's `MapCoordinate`
    (tensorflow/core/kernels/image/image_ops.h)."""
    last = size - 1
    if mode == "constant":
        part = place - np.floor(place)  # further away all that is read is the fill value
        return np.where(place < -2, part - 2, np.where(place > size + 1, size + part, place))
    if mode == "reflect":
        # (d c b a | a b c d | d c b a), over and over: -1/2 lies at an edge
        round_trip = np.mod(place + 0.5, 2 * size)
        place = np.minimum(round_trip, 2 * size - round_trip) - 0.5
    elif mode == "wrap" and last > 0:
        times = np.floor(np.abs(place) / last)
        place = np.where(place < 0, place + size * (times + 1),
                         np.where(place > last, place - size * times, place))
    return np.asarray(np.clip(place, 0, last))


def away(place: np.ndarray) -> np.ndarray:
    """The nearest whole numbers, of two that are as near the one that is further from 0."""
    return np.asarray(np.copysign(np.floor(np.abs(place) + 0.5), place))


class Window:
    """Some images with pixels around them, and what is next to each place."""

    def __init__(self, images: Bounded, filling: Filling) -> None:
        around = ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
        self.rounding, self.filling = images.rounding, filling
        if filling.mode == "constant":
            self.value = np.pad(images.value, around, constant_values=filling.value)
            self.bound = np.pad(images.bound, around)
        else:
            self.value = np.pad(images.value, around, mode="edge")
            self.bound = np.pad(images.bound, around, mode="edge")
        self.range = np.ptp(self.value, axis=(1, 2), keepdims=True) + self.bound.max(
            axis=(1, 2), keepdims=True)
        self.fits = (self.value.astype(np.float32) == self.value).all()
        self.steep: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def at(self, array: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Of an array such as `value` what stands at whole rows and columns, (N, H, W, C)."""
        samples = np.arange(len(array))[:, None, None]
        return np.asarray(array[samples, rows.astype(int) + MARGIN, columns.astype(int) + MARGIN])

    def nearest(self, row: Axis, column: Axis) -> tuple[np.ndarray, np.ndarray]:
        """(the nearest pixel, its error)."""
        at = [(self.filling.whole or away)(axis.place) for axis in (row, column)]
        return self.at(self.value, *at), self.at(self.bound, *at)

    def mixed(self, row: Axis, column: Axis) -> tuple[np.ndarray, np.ndarray]:
        """(the bilinear mixture of four pixels, its error)."""
        top, left = np.floor(row.place), np.floor(column.place)
        down, right = (row.place - top)[..., None], (column.place - left)[..., None]

        def mixture(array: np.ndarray) -> np.ndarray:
            made = np.zeros((*top.shape, array.shape[-1]))
            for i, weight in ((0, 1 - down), (1, down)):
                for j, share in ((0, 1 - right), (1, right)):
                    made += weight * share * self.at(array, top + i, left + j)
            return made

        value = mixture(self.value)
        if not self.rounding.bounds:
            return value, np.zeros(value.shape)
        off = [axis.reach[..., None] for axis in (row, column)]
        whole = (down == 0) & (right == 0) & (off[0] == 0) & (off[1] == 0)
        error = mixture(self.bound)
        if off[0].any() or off[1].any():
            along_rows, along_columns, errors = self._steepness()
            moved = off[0] * self.at(along_rows, top, left) \
                + off[1] * self.at(along_columns, top, left) + self.at(errors, top, left)
            error = np.where((off[0] == 0) & (off[1] == 0), error, moved)
        size = mixture(np.abs(self.value))
        error = error + np.where(
            whole, 0.0, FLOAT32.gamma(MIXING) * (size + error) + 8 * FLOAT32.tiny)
        if not self.fits:  # pixels of float64, which are cast first
            error = error + 2 * FLOAT32.unit * size
        return value, error

    def _steepness(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The largest difference between neighbours along rows' axis and along columns' within a
        pixel of the four between which a place lies, and the largest error of a pixel there."""
        if self.steep is None:
            found = []
            for axis in (1, 2):
                steps = np.abs(np.diff(self.value, axis=axis, append=np.take(
                    self.value, [-1], axis)))
                found.append(_largest_around(_largest_around(steps, axis, 1), 3 - axis, 2))
            self.steep = found[0], found[1], _largest_around(
                _largest_around(self.bound, 1, 2), 2, 2)
        return self.steep


def _largest_around(array: np.ndarray, axis: int, on: int) -> np.ndarray:
    """At each place the largest number from the one before it up to `on` further along an axis; at
    the ends, which nobody reads, those from the other end among them."""
    return np.asarray(np.maximum.reduce([np.roll(array, -step, axis)
                                         for step in range(-1, on + 1)]))
