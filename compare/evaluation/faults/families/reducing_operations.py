"""Faults of operations between layers that make one number of many: sums, means, extremes,
variances, lengths."""

import numpy as np

from compare.evaluation.faults.families.making import of_operations
from compare.evaluation.faults.injection import input_gradient, output, patched
from compare.evaluation.faults.networks import around

OUT, DX = "output", "input_gradient"
AXIS, OTHER, SPREAD = "axis-other", "reduction-other", "gradient-not-spread"
ROOT = "variance-for-deviation"


def reducing(kind, axis, **settings):
    """The reduction of images whose width is the number of their channels."""
    return around(f"{kind}Operation", batch=3, channels=5, axis=axis, **settings)


SUM, MEAN = reducing("Sum", [1, 2]), reducing("Mean", [1, 2], keepdims=True)
SUM_OF_ROWS, MEAN_OF_ROWS = reducing("Sum", 2), reducing("Mean", 2)
MAX, MIN = reducing("Max", 2), reducing("Min", 2)
# a rectifier before it makes many zeros of which some tie
TIED = around("MaxOperation", batch=3, between=[("ReluOperation", {})], axis=2)
VAR, STD = reducing("Var", [1, 2]), reducing("Std", 2, keepdims=True)
NORM, NORM_OF_CHANNELS = reducing("Norm", 2), reducing("Norm", -1, keepdims=True)
NORMALIZE = reducing("Normalize", -1)


def kept(layer, x):
    """The axes that are reduced, from the front."""
    return layer._axes(x.ndim)


def by(function):
    """The numbers are put together by another function of (numbers, axis, keepdims)."""
    return output(lambda layer, y, x: function(
        x, axis=kept(layer, x), keepdims=True).reshape(y.shape))


def along(axis, function):
    return output(lambda layer, y, x: function(x, axis=axis).reshape(y.shape))


def back(change):
    """The gradient is change(layer, dx, dy), of a dy whose reduced axes have stayed."""
    return input_gradient(lambda layer, dx, dy: change(layer, dx, layer._kept(dy, dx.ndim)))


def spread(layer, dx, dy):
    return np.broadcast_to(dy, dx.shape)


def first_alone(layer, dx, dy):
    """The first number of each sum gets all of the gradient."""
    made = np.zeros_like(dx)
    part = tuple(slice(1) if i in kept(layer, dx) else slice(None) for i in range(dx.ndim))
    made[part] = dx[part]
    return made


def spread_along(axis):
    """The gradient reaches the numbers along another axis."""
    return input_gradient(lambda layer, dx, dy: dx.swapaxes(2, axis))


def largest(layer, dx, dy):
    """The largest numbers share the gradient."""
    won = layer._x == layer._x.max(2, keepdims=True)
    return won * dy / won.sum(2, keepdims=True)


def euclidean(x, axis, keepdims=False):
    return np.sqrt(np.square(x).sum(axis=axis, keepdims=keepdims))


def ties(rule):
    """Who gets the gradient of a maximum that several numbers hold."""
    def changed(self, right, dy, wants_input_gradient=True):
        right(dy, wants_input_gradient)
        won = self._x == self._y
        if rule == "first":
            won = won & (won.cumsum(axis=2) == 1)
        return won * self._kept(dy, won.ndim)

    return lambda layer: patched(layer, backward=changed)


def uncentred(layer):
    """The gradient of a variance is taken at the numbers, not at their distances from the mean."""
    def forward(self, right, x, training=False):
        y = right(x, training)
        self._away = x
        return y

    patched(layer, forward=forward)


TABLE = [
    ("Sum", "mean", "the mean in place of the sum", SUM, OUT, "scale", by(np.mean), (OTHER,)),
    ("Sum", "axis", "the sum over the channels, not the columns", SUM_OF_ROWS, OUT, AXIS,
     along(3, np.sum)),
    ("Sum", "dx-mean", "the gradient is divided as a mean's", SUM, DX, "scale",
     input_gradient(lambda layer, dx, dy: dx / 30)),
    ("Sum", "dx-first", "the first number alone gets the gradient", SUM, DX, SPREAD,
     input_gradient(first_alone)),
    ("Mean", "sum", "the sum in place of the mean", MEAN, OUT, "scale", by(np.sum), (OTHER,)),
    ("Mean", "one-axis", "divides by one axis's length alone", MEAN, OUT, "scale",
     output(lambda layer, y, x: y * 5)),
    ("Mean", "axis", "the mean over the channels, not the columns", MEAN_OF_ROWS, OUT, AXIS,
     along(3, np.mean)),
    ("Mean", "median", "the median in place of the mean", MEAN_OF_ROWS, OUT, OTHER, by(np.median)),
    ("Mean", "nonzero", "divides by how many numbers are above zero", MEAN_OF_ROWS, OUT, OTHER,
     output(lambda layer, y, x: x.sum(2) / np.maximum((x > 0).sum(2), 1))),
    ("Mean", "dx-not-divided", "the gradient is not divided by the number", MEAN, DX, "scale",
     back(spread)),
    ("Mean", "dx-batch", "the gradient is divided by the batch's size", MEAN, DX, "scale",
     back(lambda layer, dx, dy: spread(layer, dx, dy) / len(dy))),
    ("Mean", "dx-axis", "the gradient reaches the channels, not the columns", MEAN_OF_ROWS, DX,
     AXIS, spread_along(3), ("axes-permuted",)),
    ("Max", "min", "the smallest in place of the largest", MAX, OUT, OTHER, by(np.min)),
    ("Max", "mean", "the mean in place of the largest", MAX, OUT, OTHER, by(np.mean)),
    ("Max", "magnitude", "the largest magnitude in place of the largest number", MAX, OUT, OTHER,
     output(lambda layer, y, x: np.abs(x).max(2))),
    ("Max", "axis", "the largest of the channels, not of the columns", MAX, OUT, AXIS,
     along(3, np.max)),
    ("Max", "dx-everywhere", "all numbers get the gradient, not the largest", MAX, DX,
     "mask-missing", back(spread)),
    ("Max", "dx-ties-first", "the first that ties gets all of the gradient", TIED, DX, "pool-ties",
     ties("first")),
    ("Max", "dx-ties-all", "all that tie get all of the gradient", TIED, DX, "pool-ties",
     ties("all")),
    ("Min", "max", "the largest in place of the smallest", MIN, OUT, OTHER, by(np.max)),
    ("Min", "sign", "the largest of the negatives", MIN, OUT, "sign",
     output(lambda layer, y, x: -y)),
    ("Min", "dx-sign", "the gradient of the negative", MIN, DX, "sign",
     input_gradient(lambda layer, dx, dy: -dx)),
    ("Min", "dx-largest", "the largest gets the gradient", MIN, DX, OTHER,
     back(largest)),
    ("Var", "unbiased", "divided by n - 1", VAR, OUT, "scale",
     output(lambda layer, y, x: y * 30 / 29), (OTHER,)),
    ("Var", "uncentred", "the mean is not taken off", VAR, OUT, "mean-missing",
     by(lambda x, axis, keepdims: np.square(x).mean(axis=axis, keepdims=keepdims)), (OTHER,)),
    ("Var", "deviation", "the root of the variance", VAR, OUT, ROOT,
     output(lambda layer, y, x: np.sqrt(y))),
    ("Var", "absolute", "the mean distance from the mean", VAR, OUT, OTHER,
     by(lambda x, axis, keepdims: np.abs(x - x.mean(axis=axis, keepdims=True)).mean(
         axis=axis, keepdims=keepdims))),
    ("Var", "dx-without-two", "the gradient lacks the 2 of the square", VAR, DX, "scale",
     input_gradient(lambda layer, dx, dy: dx / 2)),
    ("Var", "dx-uncentred", "the gradient is that of a mean of squares", VAR, DX, "mean-missing",
     uncentred, (OTHER,)),
    ("Std", "variance", "the variance, not its root", STD, OUT, ROOT,
     output(lambda layer, y, x: np.square(y))),
    ("Std", "epsilon", "1e-3 is added under the root", STD, OUT, "epsilon",
     output(lambda layer, y, x: np.sqrt(np.square(y) + 1e-3))),
    ("Std", "unbiased", "divided by n - 1", STD, OUT, "scale",
     output(lambda layer, y, x: y * np.sqrt(5 / 4)), (OTHER,)),
    ("Std", "dx-variance", "the gradient of the variance", STD, DX, ROOT,
     input_gradient(lambda layer, dx, dy: dy * 2 * layer._away / 5)),
    ("Norm", "squared", "the sum of the squares, not its root", NORM, OUT, "norm-other",
     output(lambda layer, y, x: np.square(y))),
    ("Norm", "absolute", "the sum of magnitudes", NORM, OUT, "norm-other",
     output(lambda layer, y, x: np.abs(x).sum(2))),
    ("Norm", "mean", "the root of the mean of the squares", NORM, OUT, "scale",
     output(lambda layer, y, x: y / np.sqrt(5)), ("norm-other",)),
    ("Norm", "axis", "of the columns, not the channels", NORM_OF_CHANNELS, OUT, AXIS,
     along(2, euclidean), ("norm-other",)),
    ("Norm", "dx-not-divided", "the gradient is not divided by the length", NORM, DX, "norm-other",
     back(lambda layer, dx, dy: layer._x * dy)),
    ("Norm", "dx-squared", "the gradient is divided by the squared length", NORM, DX, "norm-other",
     back(lambda layer, dx, dy: layer._x * dy / np.square(
         euclidean(layer._x, 2, True)))),
    ("Normalize", "absolute", "divided by the sum of magnitudes", NORMALIZE, OUT, "norm-other",
     output(lambda layer, y, x: x / np.abs(x).sum(-1, keepdims=True))),
    ("Normalize", "axis", "vectors along the columns are made one long", NORMALIZE, OUT,
     "normalization-axes", output(lambda layer, y, x: x / euclidean(x, 2, True)), (AXIS,)),
    ("Normalize", "dx-constant", "the length counts as a constant", NORMALIZE, DX, "norm-other",
     input_gradient(lambda layer, dx, dy: dy * layer._made.inverse)),
]


def faults():
    """All of them."""
    return of_operations(TABLE)
