"""Faults of layers as first assignments have them: loops, slopes, sums, windows, constants."""

import numpy as np

from compare.evaluation.faults.families.convolution import computed_with
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.pooling import walk
from compare.evaluation.faults.injection import (
    activation,
    cousin,
    gradient,
    input_gradient,
    moved,
    output,
    output_with,
    patched,
    remembering,
)
from compare.evaluation.faults.networks import around
from scratch.activations import ACTIVATIONS

FAMILY = "Textbook layers"
OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
VALID = around("Conv2D", filters=3, kernel_size=(2, 3))
SAME = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
CONV1D = around("Conv1D", filters=3, kernel_size=2, padding="same")
MAX = around("MaxPooling2D", pool_size=(2, 3), strides=(2, 2))
MAX_SAME = around("MaxPooling2D", pool_size=(2, 3), strides=(1, 1), padding="same")
AVERAGE = around("AveragePooling2D", pool_size=(2, 3), strides=(2, 2))
AVERAGE_SAME = around("AveragePooling2D", pool_size=(2, 3), strides=(1, 1), padding="same")
DENSE = around("Dense", units=5)
DENSE_RELU = around("Dense", units=4, activation="relu")
DENSE_TANH = around("Dense", units=4, activation="tanh")
SOFTMAX = around("Softmax")
LEAKY = around("LeakyReLU", negative_slope=0.1)
DROPOUT = around("Dropout", rate=0.3, batch=5)


def layer_of(name: str):
    return around("Activation", activation=name)


def sigmoid(z):
    return ACTIVATIONS["sigmoid"].function(z)


# windows


def only_first_window(layer, y, x):
    """The loops return from within."""
    wrong = np.zeros_like(y)
    wrong[:, 0, 0] = y[:, 0, 0]
    return wrong


def only_first_row(layer, y, x):
    wrong = np.zeros_like(y)
    wrong[:, 0] = y[:, 0]
    return wrong


def always_first_window(layer, y, x):
    """The window never moves."""
    return np.broadcast_to(y[:, :1, :1], y.shape)


def last_windows_missing(layer, y, x):
    """range(rows - 1), range(columns - 1)."""
    wrong = np.zeros_like(y)
    wrong[:, :-1, :-1] = y[:, :-1, :-1]
    return wrong


def first_window_back(layer, dx, dy):
    wrong = np.zeros_like(dx)
    _, _, window, _ = next(walk(layer, dx.shape))
    here = (slice(None), *window)
    wrong[here] = dx[here]
    return wrong


def first_channel(kernel):
    """Only the first input channel counts."""
    wrong = np.zeros_like(kernel)
    wrong[..., 0, :] = kernel[..., 0, :]
    return wrong


def by_channel_first(kernel):
    """Windows laid out as (C, kh, kw) meet a kernel laid out as (kh, kw, C)."""
    kh, kw, channels, filters = kernel.shape
    return kernel.reshape(channels, kh, kw, filters).transpose(1, 2, 0, 3)


def bias_for_each_tap(layer, y, x):
    """The bias is added within the loop over the window's pixels."""
    return y + layer.bias * (np.prod(layer.kernel_size) - 1)


def of_moved_input(layer, g, dy):
    """The kernel's gradient is taken as if the padding stood on one side alone."""
    other = cousin(layer, layer.input_shape, activation=None)
    other.affine(np.ascontiguousarray(moved(layer.seen, 1, 1)))
    other.affine_backward(dy, False)
    return other.grads["kernel"]


def from_zero(layer, y, x):
    """The running maximum starts from 0."""
    return np.maximum(y, 0)


def to_the_maximum(layer, dx, dy):
    """An average's gradient goes to the window's largest output gradient alone, unshared."""
    wrong = np.zeros_like(dx)
    for i, j, (rows, columns), _ in walk(layer, dx.shape):
        wrong[:, rows.start, columns.start] += dy[:, i, j]
    return wrong


def spread_evenly(layer, dx, dy):
    wrong = np.zeros_like(dx)
    for i, j, window, _ in walk(layer, dx.shape):
        here = (slice(None), *window)
        wrong[here] += dy[:, i:i + 1, j:j + 1] / np.prod(layer.pool_size)
    return wrong


def size_swapped(layer, y, x):
    """Rows and columns of pool_size are exchanged."""
    other = cousin(layer, x.shape, pool_size=layer.pool_size[::-1])
    return other.forward(x)


def mean_over_channels(layer, y, x):
    """The window's mean over its channels, too."""
    return np.broadcast_to(y.mean(axis=-1, keepdims=True), y.shape)


# dense layers and activations


def product_of_means(layer, g, dy):
    """The mean input times the summed gradient, in place of the sum of products."""
    return np.outer(layer._x.mean(axis=0), dy.sum(axis=0))


def last_of_batch(layer, g, dy):
    """= where += belongs."""
    return np.outer(layer._x[-1], dy[-1])


def of_own_output(layer, g, dy):
    """The layer's output stands where its input belongs."""
    return (layer._x @ layer.kernel + layer.bias).T @ dy


def unsloped_weights(self, right, dy, wants_input_gradient=True):
    """Gradients of weights without the activation's slope, the input's with it."""
    self.affine_backward(dy, False)
    grads = dict(self.grads)
    dx = right(dy, wants_input_gradient)
    self.grads = grads
    return dx


def bias_behind(self, right, x, training=False):
    y = right(x, training)
    self._y = self.activation.function(self._z - self.bias) + self.bias
    return self._y.astype(y.dtype)


def slope(change):
    """The activation's gradient is dy times change(z, y)."""
    return activation(slope=lambda dy, z, y: dy * change(z, y))


def function(change):
    return activation(lambda z, right: change(z))


def erf_to_seven_digits(x):
    """Abramowitz and Stegun, formula 7.1.26."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (
        -1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1 - series * np.exp(-x * x))


def short_selu(z):
    return 1.05 * np.where(z > 0, z, 1.67 * np.expm1(np.minimum(z, 0)))


def jacobian_plus(dy, z, y):
    return y * (dy + (dy * y).sum(axis=-1, keepdims=True))


def jacobian_over_batch(dy, z, y):
    return y * (dy - (dy * y).sum(axis=0, keepdims=True))


# identifier, sentence, network, layer, tensor, cause, injection, causes that are the same
TABLE = [
    ("conv2d-only-first-window", "only the first window is computed", VALID, "conv2d", OUT,
     "windows-dropped", output(only_first_window), ("border-dropped",)),
    ("conv2d-only-first-row", "the loop over rows returns after the first", VALID, "conv2d", OUT,
     "windows-dropped", output(only_first_row), ("border-dropped",)),
    ("conv2d-always-first-window", "every output is that of the first window", VALID, "conv2d",
     OUT, "windows-dropped", output(always_first_window)),
    ("conv2d-last-windows-missing", "the loops end one row and one column early", VALID,
     "conv2d", OUT, "border-dropped", output(last_windows_missing), ("windows-dropped",)),
    ("conv2d-first-channel", "only the first channel is read", VALID, "conv2d", OUT,
     "channels-dropped", output_with(kernel=first_channel)),
    ("conv2d-windows-by-channel", "windows are laid out by channel, the kernel is not", VALID,
     "conv2d", OUT, "kernel-layout", output_with(kernel=by_channel_first)),
    ("conv2d-bias-for-each-tap", "the bias is added once for each pixel of the window", VALID,
     "conv2d", OUT, "bias-doubled", output(bias_for_each_tap)),
    ("conv2d-dilated-unasked", "reads every second pixel of a row", SAME, "conv2d", OUT,
     "dilation-ignored", computed_with(dilation_rate=(2, 1))),
    ("conv2d-dk-of-moved-input", "the kernel's gradient sees the input one row lower", SAME,
     "conv2d", DK, "padding-side",
     remembering(gradient("kernel", of_moved_input)), ("shifted", "padding-amount")),
    ("conv1d-time-reversed", "the output runs backwards in time", CONV1D, "conv1d", OUT,
     "axes-permuted", output(lambda layer, y, x: y[:, ::-1])),
    ("conv2d-relu-inside", "a rectifier that nobody asked for", SAME, "conv2d", OUT,
     "activation-other", output(lambda layer, y, x: np.maximum(y, 0)), ("activation-twice",)),
    ("max-pooling-from-zero", "the running maximum starts from 0", MAX, "max_pooling2d", OUT,
     "padding-value", output(from_zero), ("pool-kind",)),
    ("max-pooling-first-window-back", "the gradient's loop returns after the first window", MAX,
     "max_pooling2d", DX, "windows-dropped", input_gradient(first_window_back),
     ("border-dropped",)),
    ("max-pooling-spread", "the gradient is shared by the whole window", MAX, "max_pooling2d",
     DX, "pool-kind", input_gradient(spread_evenly)),
    ("max-pooling-size-swapped", "rows and columns of the pool are exchanged", MAX_SAME,
     "max_pooling2d", OUT, "pool-size", output(size_swapped)),
    ("average-pooling-size-swapped", "rows and columns of the pool are exchanged", AVERAGE_SAME,
     "average_pooling2d", OUT, "pool-size", output(size_swapped)),
    ("average-pooling-first-pixel-back", "the whole gradient goes to the window's first pixel",
     AVERAGE, "average_pooling2d", DX, "pool-kind", input_gradient(to_the_maximum)),
    ("average-pooling-over-channels", "the mean goes over the channels, too", AVERAGE,
     "average_pooling2d", OUT, "pool-kind", output(mean_over_channels), ("axes-permuted",)),
    ("dense-dk-of-means", "the mean input times the summed gradient", DENSE, "dense", DK,
     "batch-mixed", gradient("kernel", product_of_means)),
    ("dense-dk-last-sample", "the loop over samples overwrites in place of adding", DENSE,
     "dense", DK, "batch-mixed", gradient("kernel", last_of_batch), ("overlap-overwritten",)),
    ("dense-dk-of-own-output", "the output stands where the input belongs", DENSE, "dense", DK,
     "gradient-wrong-input", gradient("kernel", of_own_output)),
    ("dense-db-first-sample", "the bias's gradient is the first sample's", DENSE, "dense", DB,
     "batch-mixed", gradient("bias", lambda layer, g, dy: dy[0])),
    ("dense-dk-unsloped", "the weights' gradients lack the activation's slope", DENSE_TANH,
     "dense", DK, "activation-missing",
     lambda layer: patched(layer, backward=unsloped_weights), ("mask-missing",)),
    ("dense-bias-behind", "the bias is added behind the activation", DENSE_RELU, "dense", OUT,
     "bias-after-activation", lambda layer: patched(layer, forward=bias_behind)),
    ("sigmoid-slope-of-output", "the sigmoid is applied to its output for the slope",
     layer_of("sigmoid"), "activation", DX, "activation-twice",
     slope(lambda z, y: sigmoid(y) * (1 - sigmoid(y))), ("mask-wrong-tensor",)),
    ("sigmoid-slope-of-input", "z (1 - z) where y (1 - y) belongs", layer_of("sigmoid"),
     "activation", DX, "mask-wrong-tensor", slope(lambda z, y: z * (1 - z))),
    ("tanh-slope-unsquared", "1 - y where 1 - y^2 belongs", layer_of("tanh"), "activation", DX,
     "activation-other", slope(lambda z, y: 1 - y)),
    ("tanh-slope-of-input", "1 - z^2 where 1 - y^2 belongs", layer_of("tanh"), "activation", DX,
     "mask-wrong-tensor", slope(lambda z, y: 1 - z * z)),
    ("silu-slope-as-sigmoid", "the product rule's second half is forgotten", layer_of("silu"),
     "activation", DX, "activation-other", slope(lambda z, y: sigmoid(z))),
    ("gelu-quick", "z times the sigmoid of 1.702 z", layer_of("gelu"), "activation", OUT,
     "activation-other", function(lambda z: z * sigmoid(1.702 * z))),
    ("gelu-seven-digits", "an error function that is right to seven digits", layer_of("gelu"),
     "activation", OUT, "activation-other",
     function(lambda z: 0.5 * z * (1 + erf_to_seven_digits(z / np.sqrt(2)))), ("low-precision",)),
    ("selu-short-constants", "1.05 and 1.67 for selu's constants", layer_of("selu"), "activation",
     OUT, "activation-other", function(short_selu)),
    ("tanh-stretched", "1.7159 tanh(2 z / 3)", layer_of("tanh"), "activation", OUT,
     "activation-other", function(lambda z: 1.7159 * np.tanh(2 * z / 3))),
    ("silu-hard", "the hard sigmoid in place of the smooth one", layer_of("silu"), "activation",
     OUT, "activation-other", function(ACTIVATIONS["hard_silu"].function)),
    ("mish-of-sigmoid", "z tanh(sigmoid(z)), softplus mistaken", layer_of("mish"), "activation",
     OUT, "activation-other", function(lambda z: z * np.tanh(sigmoid(z)))),
    ("leaky-relu-dx-inverted", "what is positive passes back a tenth, what is negative all",
     LEAKY, "leaky_re_lu", DX, "mask-inverted", slope(lambda z, y: np.where(z > 0, 0.1, 1))),
    ("softmax-dx-plus", "the sum is added in place of subtracted", SOFTMAX, "softmax", DX,
     "softmax-jacobian-missing", activation(slope=jacobian_plus)),
    ("softmax-dx-over-batch", "the sum goes over the samples", SOFTMAX, "softmax", DX,
     "softmax-axis", activation(slope=jacobian_over_batch), ("softmax-jacobian-missing",)),
    ("dropout-dx-scaled-twice", "the gradient is divided by the kept share once more", DROPOUT,
     "dropout", DX, "scale", lambda layer: patched(
         layer, combine_backward=lambda self, right, dy, noise: right(dy, noise) / 0.7)),
]


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, cause, inject, *also in TABLE:
        yield single(FAMILY, f"textbook-{name}", sentence, network, layer, tensor, cause, inject,
                     *also)
