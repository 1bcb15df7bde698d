"""Right formulas that lose digits in float32: what is wrong with them is their rounding alone.

In float64 each is as good as Keras's own formula is in float32, where they leave fewer digits than
any rounding of the result explains: nearly equal numbers are subtracted, or a small number is added
to a large one. Those that lose none are right variants, see `right_activations.py`.
"""

import math

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.right_activations import function, layer_of, sigmoid, slope
from compare.evaluation.faults.injection import output
from compare.evaluation.faults.networks import around

FAMILY = "Lost digits"
OUT, DX = "output", "input_gradient"
CONV = around("Conv2D", filters=3, kernel_size=(2, 3))
AVERAGE = around("AveragePooling2D", pool_size=(2, 3), strides=(1, 2))

error_function = np.vectorize(math.erf, otypes=[np.float64])


def by_fourier(layer, y, x):
    """A product of spectra; the kernel is turned, as Keras correlates."""
    shape = tuple(n + k - 1 for n, k in zip(x.shape[1:3], layer.kernel_size))
    image = np.fft.rfft2(x.astype(np.float64), shape, axes=(1, 2))
    kernel = np.fft.rfft2(layer.kernel[::-1, ::-1].astype(np.float64), shape, axes=(0, 1))
    whole = np.fft.irfft2(np.einsum("nhwc,hwcf->nhwf", image, kernel), shape, axes=(1, 2))
    top, left = (k - 1 for k in layer.kernel_size)
    return whole[:, top:top + y.shape[1], left:left + y.shape[2]] + layer.bias


def by_fourier_in_own_precision(layer, y, x):
    """Spectra in the layer's own precision, in which small outputs lose digits."""
    from numpy import complex64, complex128

    shape = tuple(n + k - 1 for n, k in zip(x.shape[1:3], layer.kernel_size))
    narrow = complex64 if x.dtype == np.float32 else complex128
    image = np.fft.rfft2(x, shape, axes=(1, 2)).astype(narrow)
    kernel = np.fft.rfft2(layer.kernel[::-1, ::-1], shape, axes=(0, 1)).astype(narrow)
    product = np.einsum("nhwc,hwcf->nhwf", image, kernel)
    whole = np.fft.irfft2(product, shape, axes=(1, 2)).astype(x.dtype)
    top, left = (k - 1 for k in layer.kernel_size)
    return whole[:, top:top + y.shape[1], left:left + y.shape[2]] + layer.bias


def by_cumulative_sums(layer, y, x):
    """Differences of an image's running sums."""
    sums = np.zeros((len(x), x.shape[1] + 1, x.shape[2] + 1, x.shape[3]), x.dtype)
    sums[:, 1:, 1:] = x.cumsum(axis=1).cumsum(axis=2)
    h, w = layer.pool_size
    every = sums[:, h:, w:] - sums[:, :-h, w:] - sums[:, h:, :-w] + sums[:, :-h, :-w]
    return every[:, ::layer.strides[0], ::layer.strides[1]] / (h * w)


# identifier, sentence, network, layer, tensor, injection
TABLE = [
    ("softplus-of-magnitude", "max(z, 0) + log(1 + e^-|z|)", layer_of("softplus"), "activation",
     OUT, function(lambda z: np.maximum(z, 0) + np.log(1 + np.exp(-np.abs(z))))),
    ("tanh-of-sigmoid", "2 sigmoid(2 z) - 1", layer_of("tanh"), "activation", OUT,
     function(lambda z: 2 * sigmoid(2 * z) - 1)),
    ("gelu-of-erf", "z / 2 (1 + erf(z / sqrt(2)))", layer_of("gelu"), "activation", OUT,
     function(lambda z: z / 2 * (1 + error_function(z / np.sqrt(2)).astype(z.dtype)))),
    ("log-sigmoid-of-sigmoid", "log(sigmoid(z))", layer_of("log_sigmoid"), "activation", OUT,
     function(lambda z: np.log(sigmoid(z)))),
    ("log-sigmoid-plain", "-log(1 + e^-z)", layer_of("log_sigmoid"), "activation", OUT,
     function(lambda z: -np.log(1 + np.exp(-z)))),
    ("sigmoid-of-tanh", "(1 + tanh(z / 2)) / 2", layer_of("sigmoid"), "activation", OUT,
     function(lambda z: (1 + np.tanh(z / 2)) / 2)),
    ("softsign-slope-of-output", "a slope of (1 - |y|)^2", layer_of("softsign"), "activation", DX,
     slope(lambda z, y: np.square(1 - np.abs(y)))),
    ("conv2d-fourier", "by FFT in float64", CONV, "conv2d", OUT, output(by_fourier)),
    ("conv2d-fourier-own-precision", "by FFT in the layer's precision", CONV, "conv2d", OUT,
     output(by_fourier_in_own_precision)),
    ("average-pooling-cumulative", "differences of running sums", AVERAGE, "average_pooling2d", OUT,
     output(by_cumulative_sums)),
]


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, inject in TABLE:
        yield single(FAMILY, f"digits-{name}", sentence, network, layer, tensor, "cancellation",
                     inject)
