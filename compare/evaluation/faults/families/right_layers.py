"""Right variants of layers: other formulas, other orders of summation, other products."""

import math

import numpy as np

from compare.evaluation.faults.families.making import At
from compare.evaluation.faults.fault import Variant
from compare.evaluation.faults.injection import (
    gradient,
    input_gradient,
    output,
    patched,
    remembering,
)
from compare.evaluation.faults.networks import around

DENSE = around("Dense", units=3)
CONV = around("Conv2D", filters=3, kernel_size=(2, 3))
AVERAGE = around("AveragePooling2D", pool_size=(2, 3), strides=(1, 2))
MAX = around("MaxPooling2D", pool_size=(2, 3), strides=(2, 2))
GLOBAL = around("GlobalAveragePooling2D")
NORM = around("BatchNormalization", momentum=0.9)
LAYER_NORM = around("LayerNormalization")
DROPOUT = around("Dropout", rate=0.3, batch=5)
GAUSSIAN = around("GaussianNoise", stddev=0.5)


# dense layers


def compensated(layer, y, x):
    """Kahan's summation over the inputs."""
    total, lost = np.zeros_like(y), np.zeros_like(y)
    for i in range(x.shape[-1]):
        term = x[..., i:i + 1] * layer.kernel[i] - lost
        grown = total + term
        lost = (grown - total) - term
        total = grown
    return total + layer.bias


def exactly_summed(layer, y, x):
    """Every output is rounded once, from the exact sum of its products and bias."""
    kernel, bias = layer.kernel.astype(np.float64), layer.bias.astype(np.float64)
    return np.array([[math.fsum([*(row * column), b]) for column, b in zip(kernel.T, bias)]
                     for row in x.astype(np.float64)])


def with_column_of_ones(layer, y, x):
    """The bias is one more row of the kernel."""
    wide = np.concatenate([x, np.ones_like(x[:, :1])], axis=1)
    return wide @ np.concatenate([layer.kernel, layer.bias[None]])


def backwards(layer, y, x):
    """Products are added from the last input to the first."""
    total = np.zeros_like(y)
    for i in reversed(range(x.shape[-1])):
        total = total + x[..., i:i + 1] * layer.kernel[i]
    return total + layer.bias


def one_by_one(layer, y, x):
    return np.stack([layer.kernel.T @ sample + layer.bias for sample in x])


# convolutions, for padding 'valid' and strides of 1


def windows(x, layer):
    """(N, OH, OW, C, kh, kw), a view."""
    return np.lib.stride_tricks.sliding_window_view(x, layer.kernel_size, axis=(1, 2))


def by_columns(layer, y, x):
    """Windows as rows (C, kw, kh) of a matrix, and the kernel in the same order."""
    rows = windows(x, layer).transpose(0, 1, 2, 3, 5, 4).reshape(y[..., 0].size, -1)
    kernel = layer.kernel.transpose(2, 1, 0, 3).reshape(rows.shape[1], -1)
    return (rows @ kernel).reshape(y.shape) + layer.bias


def tap_by_tap(layer, y, x):
    """For each pixel of the window one product of the whole, moved image."""
    total = np.zeros_like(y) + layer.bias
    for i in range(layer.kernel_size[0]):
        for j in range(layer.kernel_size[1]):
            total = total + x[:, i:i + y.shape[1], j:j + y.shape[2]] @ layer.kernel[i, j]
    return total


def contracted(layer, y, x):
    return np.einsum("nhwcij,ijcf->nhwf", windows(x, layer), layer.kernel) + layer.bias


def kernel_gradient(layer, g, dy):
    """Each entry a sum over samples and positions, in that order."""
    return np.einsum("nhwcij,nhwf->ijcf", windows(layer.seen, layer), dy)


def scattered(layer, dx, dy):
    """Each output's gradient is added where its window lay."""
    total = np.zeros_like(dx)
    kh, kw = layer.kernel_size
    for p in range(dy.shape[1]):
        for q in range(dy.shape[2]):
            total[:, p:p + kh, q:q + kw] += np.einsum("nf,ijcf->nijc", dy[:, p, q], layer.kernel)
    return total


# poolings


def pooled(reduce):
    """reduce(windows (N, OH, OW, C, h, w)) of a pooling with padding 'valid'."""
    def change(layer, y, x):
        every = np.lib.stride_tricks.sliding_window_view(x, layer.pool_size, axis=(1, 2))
        return reduce(every[:, ::layer.strides[0], ::layer.strides[1]])

    return output(change)


def as_product(layer, y, x):
    pixels = x.shape[1] * x.shape[2]
    return np.full((1, pixels), 1 / pixels, x.dtype) @ x.reshape(len(x), pixels, -1)


# normalizations


def normalized(moments):
    """In training by moments(x, axes), which are kept with size 1."""
    def forward(self, right, x, training=False):
        y = right(x, training)
        if "moving_mean" in self.params and not training:
            return y
        mean, variance = moments(x, self._axes)
        return self._normalize(x - mean.astype(x.dtype), variance.astype(x.dtype))

    return lambda layer: patched(layer, forward=forward)


def in_float64(x, axes):
    wide = x.astype(np.float64)
    return wide.mean(axis=axes, keepdims=True), wide.var(axis=axes, keepdims=True)


def two_passes(x, axes):
    mean = x.mean(axis=axes, keepdims=True)
    return mean, np.square(x - mean).mean(axis=axes, keepdims=True)


def one_pass(x, axes):
    """Welford's recurrence along the axes, one number after the other."""
    kept = [n if i not in axes else 1 for i, n in enumerate(x.shape)]
    order = [*axes, *(i for i in range(x.ndim) if i not in axes)]
    rows = x.transpose(order).reshape(int(np.prod([x.shape[i] for i in axes])), -1)
    mean, squares = np.zeros_like(rows[0]), np.zeros_like(rows[0])
    for count, row in enumerate(rows, start=1):
        delta = row - mean
        mean = mean + delta / x.dtype.type(count)
        squares = squares + delta * (row - mean)
    return mean.reshape(kept), (squares / x.dtype.type(len(rows))).reshape(kept)


def folded(self, right, x, training=False):
    """At inference one product and one sum: x (gamma / d) + (beta - mean gamma / d)."""
    y = right(x, training)
    if training:
        return y
    held = {name: w.reshape(self._broadcast) for name, w in self.params.items()}
    factor = held["gamma"] / np.sqrt(held["moving_variance"] + x.dtype.type(self.epsilon))
    return x * factor + (held["beta"] - held["moving_mean"] * factor)


def divided(self, right, centred, variance):
    """(x - mean) / deviation in place of a product with its inverse."""
    deviation = np.sqrt(variance + centred.dtype.type(self.epsilon))
    self._inverse, self._normal = 1 / deviation, centred / deviation
    return (self._normal * self.params["gamma"].reshape(self._broadcast)
            + self.params["beta"].reshape(self._broadcast))


def all_in_one(layer, dx, dy):
    """inverse / n (n dn - sum dn - normal sum(dn normal)), as courses derive it."""
    dn = dy * layer.params["gamma"].reshape(layer._broadcast)
    n = dn.dtype.type(dn.size // layer._inverse.size)
    return layer._inverse / n * (n * dn - dn.sum(layer._axes, keepdims=True) - layer._normal * (
        dn * layer._normal).sum(layer._axes, keepdims=True))


# noise


def kept_by_binomial(self, right, rng, shape):
    kept = rng.binomial(1, 1 - self.rate, shape)
    return np.where(kept, self.dtype.type(1 / (1 - self.rate)), self.dtype.type(0))


def divided_where_kept(self, right, x, noise):
    kept = noise != 0
    rate_kept = 1 / np.where(kept, noise, x.dtype.type(1))
    return np.where(kept, x / rate_kept, x.dtype.type(0))


def box_muller(self, right, rng, shape):
    radius = np.sqrt(-2 * np.log1p(-rng.random(shape)))
    return self.stddev * radius * np.cos(2 * np.pi * rng.random(shape))


# identifier, sentence, network, layer, injection
TABLE = [
    ("dense-einsum", "a sum over indices by einsum", DENSE, "dense",
     output(lambda layer, y, x: np.einsum("ni,iu->nu", x, layer.kernel) + layer.bias)),
    ("dense-kahan", "Kahan's compensated sums", DENSE, "dense", output(compensated)),
    ("dense-exact-sums", "every output rounded once from its exact sum", DENSE, "dense",
     output(exactly_summed)),
    ("dense-column-of-ones", "the bias as one more row of the kernel", DENSE, "dense",
     output(with_column_of_ones)),
    ("dense-backwards", "products added from the last to the first", DENSE, "dense",
     output(backwards)),
    ("dense-one-by-one", "each sample by itself", DENSE, "dense", output(one_by_one)),
    ("dense-float64-product", "a product in float64, rounded once", DENSE, "dense",
     output(lambda layer, y, x: x.astype(np.float64) @ layer.kernel.astype(np.float64)
            + layer.bias)),
    ("dense-dk-outer-products", "the kernel's gradient as a sum of outer products", DENSE,
     "dense", gradient("kernel", lambda layer, g, dy: sum(
         np.outer(x, each) for x, each in zip(layer._x, dy)))),
    ("dense-dx-einsum", "the input gradient by einsum", DENSE, "dense",
     input_gradient(lambda layer, dx, dy: np.einsum("nu,iu->ni", dy, layer.kernel))),
    ("conv2d-columns-first", "im2col in the order channel, column, row", CONV, "conv2d",
     output(by_columns)),
    ("conv2d-tap-by-tap", "one product for each pixel of the window", CONV, "conv2d",
     output(tap_by_tap)),
    ("conv2d-einsum", "einsum over a view of all windows", CONV, "conv2d", output(contracted)),
    ("conv2d-dk-einsum", "the kernel's gradient by einsum", CONV, "conv2d",
     remembering(gradient("kernel", kernel_gradient))),
    ("conv2d-dx-scattered", "col2im: each window's gradient is added where it lay", CONV,
     "conv2d", input_gradient(scattered)),
    ("average-pooling-mean", "numpy's mean of each window", AVERAGE, "average_pooling2d",
     pooled(lambda w: w.mean(axis=(4, 5)))),
    ("average-pooling-kernel", "a product with 1 / n for each pixel", AVERAGE,
     "average_pooling2d",
     pooled(lambda w: (w * w.dtype.type(1 / (w.shape[4] * w.shape[5]))).sum(axis=(4, 5)))),
    ("max-pooling-sorted", "the last of each window's sorted numbers", MAX, "max_pooling2d",
     pooled(lambda w: np.sort(w.reshape(*w.shape[:4], -1), axis=-1)[..., -1])),
    ("global-mean-product", "a product with 1 / n", GLOBAL, "global_average_pooling2d",
     output(lambda layer, y, x: as_product(layer, y, x).reshape(y.shape))),
    ("batch-two-passes", "numpy's means, the variance from the deviations", NORM,
     "batch_normalization", normalized(two_passes)),
    ("batch-welford", "Welford's recurrence", NORM, "batch_normalization", normalized(one_pass)),
    ("batch-moments-float64", "moments in float64", NORM, "batch_normalization",
     normalized(in_float64)),
    ("batch-folded", "at inference a single product and sum", NORM, "batch_normalization",
     lambda layer: patched(layer, forward=folded)),
    ("batch-divided", "a quotient in place of a product with the inverse", NORM,
     "batch_normalization", lambda layer: patched(layer, _normalize=divided)),
    ("batch-dx-all-in-one", "the input gradient in one formula", NORM, "batch_normalization",
     input_gradient(all_in_one)),
    ("layer-two-passes", "numpy's means, the variance from the deviations", LAYER_NORM,
     "layer_normalization", normalized(two_passes)),
    ("layer-moments-float64", "moments in float64", LAYER_NORM, "layer_normalization",
     normalized(in_float64)),
    ("dropout-binomial", "kept by a binomial draw", DROPOUT, "dropout",
     lambda layer: patched(layer, draw=kept_by_binomial)),
    ("dropout-divided", "what is kept is divided by 1 - rate", DROPOUT, "dropout",
     lambda layer: patched(layer, combine=divided_where_kept,
                           combine_backward=divided_where_kept)),
    ("noise-box-muller", "normal numbers of uniform ones", GAUSSIAN, "gaussian_noise",
     lambda layer: patched(layer, draw=box_muller)),
]


def variants():
    """All of them."""
    for name, sentence, network, layer, inject in TABLE:
        yield Variant(f"right-{name}", "Right layers", sentence, network, At(layer, inject))
