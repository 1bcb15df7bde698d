"""Faults of layers that multiply and add given numbers, resize images or repeat vectors."""

import numpy as np

from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import cousin, half, input_gradient, moved, output, patched
from compare.evaluation.faults.networks import VECTOR, around

OUT, DX = "output", "input_gradient"
RESCALING = around("Rescaling", scale=1 / 127.5, offset=-1.0)
STATISTICS = around("Normalization")
INVERTED = around("Normalization", invert=True)
REPEATED = around("RepeatVector", shape=VECTOR, n=3)
CROP = around("CenterCrop", height=3, width=2)
RESIZED = around("Resizing", height=9, width=7)
NEAREST = around("Resizing", height=9, width=7, interpolation="nearest")


def offset_first(layer, y, x):
    return (x + layer._cast("offset")) * layer._cast("scale")


def variance_for_deviation(layer, y, x):
    return (x - layer._statistic("mean")) / layer._statistic("variance")


def epsilon_added(layer, y, x):
    deviation = np.sqrt(layer._statistic("variance") + x.dtype.type(1e-3))
    return (x - layer._statistic("mean")) / deviation


def by_own_moments(layer, y, x):
    """The batch's own statistics in place of those that were adapted."""
    axes = layer._reduced
    return (x - x.mean(axis=axes, keepdims=True)) / x.std(axis=axes, keepdims=True)


def not_inverted(layer, y, x):
    return (x - layer._statistic("mean")) / layer._deviation()


def as_steps(layer, y, x):
    """Each number n times in a row, not the vector."""
    return np.repeat(x, layer.n, axis=1).reshape(y.shape)


def top_left(layer, y, x):
    return x[:, :layer.height, :layer.width]


def corners(layer, y, x):
    """The outermost pixels stay where they are: "align corners"."""
    for axis, new in ((1, layer.height), (2, layer.width)):
        at = np.linspace(0, x.shape[axis] - 1, new)
        low = np.minimum(at.astype(int), x.shape[axis] - 2)
        share = (at - low).reshape(-1, *(1,) * (3 - axis)).astype(x.dtype)
        x = x.take(low, axis) * (1 - share) + x.take(low + 1, axis) * share
    return x


def not_centred(layer, y, x):
    """Reads at i * size / new: without half a pixel."""
    for axis, new in ((1, layer.height), (2, layer.width)):
        size = x.shape[axis]
        at = np.minimum(np.arange(new) * size / new, size - 1)
        low = np.floor(at).astype(int)
        share = (at - low).reshape(-1, *(1,) * (3 - axis)).astype(x.dtype)
        x = x.take(low, axis) * (1 - share) + x.take(np.minimum(low + 1, size - 1), axis) * share
    return x


def nearest(layer, y, x):
    return cousin(layer, x.shape, interpolation="nearest").forward(x)


def floored(layer, y, x):
    """Pixel floor(i * size / new), which is not the nearest one."""
    for axis, new in ((1, layer.height), (2, layer.width)):
        x = x.take(np.arange(new) * x.shape[axis] // new, axis)
    return x


def back_by_nearest(layer, dx, dy):
    other = cousin(layer, dx.shape, interpolation="nearest")
    other.forward(np.zeros_like(dx))
    return other.backward(dy)


def overwritten(self, right, dy, wants_input_gradient=True):
    """The last of a pixel's copies is kept."""
    rows, columns = (resampling.taps[0][0] for resampling in self._resampled)
    dx = np.zeros((len(dy), *self.input_shape[1:]), dy.dtype)
    dx[:, rows[:, None], columns] = dy
    return dx


SCALING, SCORE = "Rescaling", "Normalization"
TABLE = [
    (SCALING, "offset-first", "adds the offset before it multiplies", RESCALING, OUT,
     "given-numbers", output(offset_first)),
    (SCALING, "offset-missing", "the offset is not added", RESCALING, OUT, "given-numbers",
     output(lambda layer, y, x: x * layer._cast("scale"))),
    (SCALING, "by-255", "divides by 255 in place of 127.5", RESCALING, OUT, "given-numbers",
     output(lambda layer, y, x: x / 255 + layer._cast("offset"))),
    (SCALING, "float16", "the output is rounded to float16", RESCALING, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    (SCALING, "dx-not-scaled", "the gradient passes as it comes", RESCALING, DX, "scale",
     input_gradient(lambda layer, dx, dy: dy)),
    (SCORE, "variance", "divides by the variance, not by its root", STATISTICS, OUT,
     "variance-for-deviation", output(variance_for_deviation)),
    (SCORE, "epsilon", "adds 0.001 to the variance", STATISTICS, OUT, "epsilon",
     output(epsilon_added)),
    (SCORE, "own-moments", "takes the statistics of the batch", STATISTICS, OUT,
     "moving-statistics", output(by_own_moments)),
    (SCORE, "not-inverted", "normalizes where it should go back", INVERTED, OUT, "given-numbers",
     output(not_inverted)),
    (SCORE, "dx-multiplied", "the gradient is multiplied by the deviation", STATISTICS, DX,
     "given-numbers", input_gradient(lambda layer, dx, dy: dy * layer._deviation())),
    ("RepeatVector", "numbers-repeated", "repeats each number, not the vector", REPEATED, OUT,
     "axes-permuted", output(as_steps)),
    ("RepeatVector", "dx-mean", "the gradient is the mean of the copies'", REPEATED, DX, "scale",
     input_gradient(lambda layer, dx, dy: dx / layer.n)),
    ("RepeatVector", "dx-first", "the gradient is the first copy's", REPEATED, DX, UNKNOWN,
     input_gradient(lambda layer, dx, dy: dy[:, 0])),
    ("CenterCrop", "top-left", "cuts out the upper left corner", CROP, OUT, "shifted",
     output(top_left), ("shifted", "padding-side")),
    ("CenterCrop", "dx-shifted", "the gradient is put back one row too high", CROP, DX, "shifted",
     input_gradient(lambda layer, dx, dy: moved(dx, -1, 1)), ("padding-side",)),
    ("Resizing", "align-corners", "keeps the outermost pixels in their places", RESIZED, OUT,
     "interpolation", output(corners)),
    ("Resizing", "not-centred", "reads without half a pixel", RESIZED, OUT, "interpolation",
     output(not_centred)),
    ("Resizing", "nearest", "takes the nearest pixel", RESIZED, OUT, "interpolation",
     output(nearest)),
    ("Resizing", "dx-nearest", "the gradient goes to the nearest pixel", RESIZED, DX,
     "interpolation", input_gradient(back_by_nearest)),
    ("Resizing", "floored", "rounds down where the nearest pixel is asked for", NEAREST, OUT,
     "interpolation", output(floored)),
    ("Resizing", "dx-overwritten", "copies' gradients replace each other", NEAREST, DX,
     UNKNOWN, lambda layer: patched(layer, backward=overwritten)),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
