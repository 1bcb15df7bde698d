"""Faults of layers that turn, move, zoom and shear images, with the draws given."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.injection import patching
from compare.evaluation.faults.networks import around
from scratch.affine_transform import inverse, nearest, places, transformed

OUT, DX, NOISE = "output", "input_gradient", "noise"
TURN = around("RandomRotation", factor=0.4, batch=5)
TURN_FILLED = around("RandomRotation", factor=(0.05, 0.4), fill_mode="constant", fill_value=0.75,
                     interpolation="nearest", batch=5)
MOVE = around("RandomTranslation", height_factor=0.6, width_factor=(-0.7, 0.4),
              fill_mode="constant", fill_value=0.5, batch=5)
MOVE_WRAPPED = around("RandomTranslation", height_factor=0.8, width_factor=0.7, fill_mode="wrap",
                      interpolation="nearest", batch=5)
ZOOM = around("RandomZoom", height_factor=(-0.5, 0.6), width_factor=(-0.4, 0.9), batch=5)
ZOOM_ALIKE = around("RandomZoom", height_factor=0.5, fill_mode="nearest", batch=5)
SHEAR = around("RandomShear", x_factor=(0.2, 0.9), y_factor=(0.1, 0.6), fill_mode="nearest",
               batch=5)


def matrices(change):
    """The matrices (N, 2, 3) are change(right, draws, height, width)."""
    return patching(matrices=lambda self, right, *given: change(right, *given))


def draws(change):
    """The draws of each image, (draws, N), are change(draws)."""
    return matrices(lambda right, drawn, *size: right(change(drawn), *size))


def noise(change):
    """What is drawn for a batch, (N, 1, 1, draws), is change(noise, rng)."""
    return patching(draw=lambda self, right, rng, shape: np.asarray(
        change(right(rng, shape), rng), self.dtype))


def about(point):
    """Images are transformed about another point, of which `point` gives one number, given a size.
    """
    def change(right, drawn, height, width):
        made = right(drawn, height, width).astype(np.float64)
        at = np.array([point(width), point(height)])
        made[..., 2] = at - made[..., :2] @ at
        return made.astype(np.float32)

    return matrices(change)


def reading(**settings):
    """Images are read with another fill_mode, interpolation or fill_value."""
    def read(self, right, x, matrix, fill_value):
        given = {"interpolation": self.interpolation, "fill_mode": self.fill_mode,
                 "fill_value": fill_value} | settings
        return transformed(x, matrix, **given)

    return patching(_read=read)


def pixels(bring):
    """The nearest pixels are read, at places that a function (place, size) brings into the image.
    """
    def read(self, right, x, matrix, fill_value):
        columns, rows = places(matrix, *x.shape[1:3])
        samples = np.arange(len(x))[:, None, None]
        return x[samples, bring(rows, x.shape[1]).astype(int),
                 bring(columns, x.shape[2]).astype(int)]

    return patching(_read=read)


def mirrored(place, size):
    period = 2 * size - 2
    there = np.mod(nearest(place), period)
    return np.minimum(there, period - there)


def derivative(self, right, dy, noise):
    """Each pixel's gradient goes to those of which it was mixed."""
    height, width = dy.shape[1:3]
    dx = np.zeros_like(dy)
    for pixel in np.ndindex(height, width):
        one = np.zeros((len(dy), height, width, 1), dy.dtype)
        one[:, pixel[0], pixel[1]] = 1
        shares = self._read(one, self._matrices, 0.0)  # of that pixel in each of what came out
        dx[:, pixel[0], pixel[1]] = (shares * dy).sum(axis=(1, 2))
    return dx


def by_the_matrix_itself(self, right, dy, noise):
    return self._read(dy, self._matrices, 0.0)


def filled_gradient(self, right, dy, noise):
    return self._read(dy, inverse(self._matrices), self.fill_value)


def passed_on(self, right, dy, noise):
    return dy


def own_draw_for_width(drawn, rng):
    drawn[..., 1] = drawn[rng.permutation(len(drawn)), ..., 0]
    return drawn


TABLE = [
    ("RandomRotation", "clockwise", "turns the other way", TURN, OUT, "transformation-inverted",
     draws(lambda angle: -angle)),
    ("RandomRotation", "radians", "takes degrees for radians", TURN, OUT, "angle-unit",
     draws(np.degrees)),
    ("RandomRotation", "turns", "takes degrees for parts of a turn already", TURN, OUT,
     "angle-unit", draws(lambda angle: angle / 360)),
    ("RandomRotation", "about-half", "turns about (W / 2, H / 2)", TURN, OUT,
     "transformation-center", about(lambda n: n / 2)),
    ("RandomRotation", "about-corner", "turns about the first pixel", TURN_FILLED, OUT,
     "transformation-center", about(lambda n: 0)),
    ("RandomRotation", "sizes-swapped", "exchanges height and width", TURN, OUT, "axes-permuted",
     matrices(lambda right, drawn, height, width: right(drawn, width, height)),
     ("transformation-center",)),
    ("RandomRotation", "one-for-all", "turns all images by the first one's angle", TURN, OUT,
     "mask-wrong-tensor", draws(lambda angle: np.repeat(angle[:, :1], angle.shape[1], 1))),
    ("RandomRotation", "other-image", "uses another image's angle", TURN_FILLED, OUT,
     "mask-wrong-tensor", draws(lambda angle: np.roll(angle, 1, axis=1))),
    ("RandomRotation", "nearest", "reads the nearest pixel", TURN, OUT, "interpolation",
     reading(interpolation="nearest")),
    ("RandomRotation", "zero-beyond", "puts 0 beyond the image", TURN_FILLED, OUT, "fill-mode",
     reading(fill_value=0.0)),
    ("RandomRotation", "never", "turns nothing", TURN, OUT, "mask-missing",
     patching(_read=lambda self, right, x, *given: x)),
    ("RandomRotation", "dx-not-back", "turns the gradient the same way as the image", TURN, DX,
     "transformation-inverted", patching(combine_backward=by_the_matrix_itself)),
    ("RandomRotation", "dx-derivative", "sends each gradient to the pixels that were mixed", TURN,
     DX, "transformation-gradient", patching(combine_backward=derivative)),
    ("RandomRotation", "dx-stays", "the gradient is not turned back", TURN_FILLED, DX,
     "mask-missing", patching(combine_backward=passed_on)),
    ("RandomRotation", "half-range", "draws half turns where whole ones are meant", TURN, NOISE,
     "noise-distribution", noise(lambda drawn, rng: drawn / 2)),
    ("RandomRotation", "drawn-once", "draws one angle for a batch", TURN, NOISE,
     "noise-not-independent", noise(lambda drawn, rng: 0 * drawn + drawn[:1])),
    ("RandomTranslation", "inverted", "moves the other way", MOVE, OUT, "transformation-inverted",
     draws(lambda drawn: -drawn)),
    ("RandomTranslation", "axes-swapped", "moves down by what is meant for the right", MOVE, OUT,
     "axes-permuted", draws(lambda drawn: drawn[::-1])),
    ("RandomTranslation", "zero-beyond", "puts 0 beyond the image", MOVE, OUT, "fill-mode",
     reading(fill_value=0.0)),
    ("RandomTranslation", "reflects", "reflects where a constant belongs", MOVE, OUT, "fill-mode",
     reading(fill_mode="reflect")),
    ("RandomTranslation", "whole-pixels", "moves by whole pixels alone", MOVE, OUT,
     "interpolation", reading(interpolation="nearest")),
    ("RandomTranslation", "dx-filled", "the fill value stands in the gradient, too", MOVE, DX,
     "fill-mode", patching(combine_backward=filled_gradient)),
    ("RandomTranslation", "modulo", "wraps by the image's size", MOVE_WRAPPED, OUT, "fill-mode",
     pixels(lambda place, size: np.mod(nearest(place), size))),
    ("RandomTranslation", "mirrored", "does not repeat the outermost pixel", MOVE_WRAPPED, OUT,
     "fill-mode", pixels(mirrored)),
    ("RandomTranslation", "of-other-side", "draws parts of the height for the width", MOVE, NOISE,
     "noise-distribution", noise(lambda drawn, rng: drawn * np.array([1.2, 1.0]))),
    ("RandomZoom", "inverted", "zooms in where it should zoom out", ZOOM, OUT,
     "transformation-inverted", draws(lambda drawn: 1 / drawn)),
    ("RandomZoom", "axes-swapped", "zooms the height by the width's factor", ZOOM, OUT,
     "axes-permuted", draws(lambda drawn: drawn[::-1])),
    ("RandomZoom", "one-for-both", "zooms the width by the height's factor, too", ZOOM, OUT,
     "mask-wrong-tensor", draws(lambda drawn: drawn[[0, 0]])),
    ("RandomZoom", "about-corner", "zooms about the first pixel", ZOOM, OUT,
     "transformation-center", about(lambda n: 0)),
    ("RandomZoom", "about-half", "zooms about (W / 2, H / 2)", ZOOM_ALIKE, OUT,
     "transformation-center", about(lambda n: n / 2)),
    ("RandomZoom", "reflects", "reflects where the last pixel should be repeated", ZOOM_ALIKE, OUT,
     "fill-mode", reading(fill_mode="reflect")),
    ("RandomZoom", "dx-not-back", "zooms the gradient as it zoomed the image", ZOOM, DX,
     "transformation-inverted", patching(combine_backward=by_the_matrix_itself)),
    ("RandomZoom", "width-by-itself", "draws for the width, too, where one draw serves both",
     ZOOM_ALIKE, NOISE, "noise-distribution", noise(own_draw_for_width),
     ("noise-not-independent",)),
    ("RandomZoom", "around-zero", "draws without the 1", ZOOM, NOISE, "noise-distribution",
     noise(lambda drawn, rng: drawn - 1)),
    ("RandomShear", "about-middle", "shears about the middle", SHEAR, OUT, "transformation-center",
     about(lambda n: (n - 1) / 2)),
    ("RandomShear", "other-way", "shears the other way", SHEAR, OUT, "sign",
     draws(lambda drawn: -drawn)),
    ("RandomShear", "axes-swapped", "shears rows by what is meant for columns", SHEAR, OUT,
     "axes-permuted", draws(lambda drawn: drawn[::-1])),
    ("RandomShear", "never-turned", "never shears the other way", SHEAR, NOISE,
     "noise-distribution", noise(lambda drawn, rng: np.abs(drawn))),
    ("RandomShear", "turned-apart", "turns each of the two shears by a draw of its own", SHEAR,
     NOISE, "noise-distribution", noise(lambda drawn, rng: np.abs(drawn) * np.where(
         rng.random(drawn.shape) > 0.5, -1, 1)), ("noise-not-independent",)),
]


def faults():
    """All of them."""
    return of_layers(TABLE, "Augmentation")
