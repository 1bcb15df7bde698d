"""Faults of precision: fewer bits on the way, sums in short numbers, states that are rounded."""

import numpy as np

from compare.evaluation.faults.families.convolution import cousin_with
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import trained_by
from compare.evaluation.faults.fault import LOSS, OPTIMIZER
from compare.evaluation.faults.injection import (
    activation,
    brain,
    gradient,
    half,
    input_gradient,
    output,
    patched,
)
from compare.evaluation.faults.networks import around
from scratch.activations import softmax

OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
DENSE = around("Dense", units=3)
FINE = around("Dense", units=3, dtype="float64")
CONV = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
GLOBAL = around("GlobalAveragePooling2D")
POOL = around("AveragePooling2D", pool_size=(2, 3), strides=(1, 2))
NORM = around("BatchNormalization", momentum=0.9)
LAYER_NORM = around("LayerNormalization")
SOFTMAX = around("Softmax")
SGD = trained_by("SGD")


def ten_bits(a):
    """Rounded to TF32: a float32 that keeps 10 bits of its mantissa, to nearest, ties to even."""
    bits = a.astype(np.float32).view(np.uint32)
    bits = (bits + np.uint32(0xFFF) + ((bits >> 13) & 1)) & np.uint32(0xFFFFE000)
    return bits.view(np.float32).astype(a.dtype)


def eight_bits(a):
    """256 steps from the least to the largest number."""
    low, step = a.min(), (a.max() - a.min()) / 255
    return (np.round((a - low) / step) * step + low).astype(a.dtype)


def products(rounded):
    """A dense layer's output from rounded numbers, summed up as it should be."""
    return output(lambda layer, y, x: rounded(x) @ rounded(layer.kernel) + layer.bias)


def summed_in_half(layer, y, x):
    """Products that are added up one after the other in float16."""
    total = np.zeros(y.shape, np.float16)
    for i in range(x.shape[-1]):
        total += (x[..., i:i + 1] * layer.kernel[i]).astype(np.float16)
    return total.astype(y.dtype) + layer.bias


def sample_by_sample(layer, g, dy):
    """Gradients of samples, added up in bfloat16."""
    total = np.zeros_like(g)
    for x, each in zip(layer._x, dy):
        total = brain(total + np.outer(x, each))
    return total


def mean_in_half(layer, y, x):
    return x.astype(np.float16).mean(axis=(1, 2), dtype=np.float16)


def moments_in_half(self, right, centred, variance):
    return right(half(centred), half(variance))


def loss_in_half(self, right, y_true, y_pred, from_logits=None, sample_weight=None):
    value = right(y_true, y_pred, from_logits, sample_weight)
    return value.dtype.type(np.float16(value))


def weights_in_half(self, right, given, variables):
    right(given, variables)
    for variable in variables:
        variable[...] = half(variable)


def rate_in_half(self, right, gradient, variable, rate, position):
    right(gradient, variable, rate.dtype.type(np.float16(rate)), position)


# identifier, sentence, network, layer, tensor, injection
TABLE = [
    ("dense-tf32", "products of numbers with 10 bits of mantissa (TF32)", DENSE, "dense", OUT,
     products(ten_bits)),
    ("conv2d-tf32", "a convolution of numbers with 10 bits of mantissa (TF32)", CONV, "conv2d",
     OUT, output(lambda layer, y, x: cousin_with(layer, x, ten_bits))),
    ("dense-dx-tf32", "an input gradient of numbers with 10 bits of mantissa (TF32)", DENSE,
     "dense", DX, input_gradient(lambda layer, dx, dy: ten_bits(dy) @ ten_bits(layer.kernel).T)),
    ("dense-sums-float16", "products are added up in float16", DENSE, "dense", OUT,
     output(summed_in_half)),
    ("dense-eight-bits", "the kernel is kept in 8 bits", DENSE, "dense", OUT,
     output(lambda layer, y, x: x @ eight_bits(layer.kernel) + layer.bias)),
    ("dense-dk-sums-bfloat16", "gradients of samples are added up in bfloat16", DENSE, "dense",
     DK, gradient("kernel", sample_by_sample)),
    ("dense-db-sums-float16", "the bias's gradient is added up in float16", DENSE, "dense", DB,
     gradient("bias", lambda layer, g, dy: dy.astype(np.float16).sum(axis=0, dtype=np.float16))),
    ("dense-float32-in-float64", "a float64 layer multiplies in float32", FINE, "dense", OUT,
     products(lambda a: a.astype(np.float32))),
    ("global-mean-float16", "a mean is added up in float16", GLOBAL, "global_average_pooling2d",
     OUT, output(mean_in_half)),
    ("average-bfloat16", "averages are rounded to bfloat16", POOL, "average_pooling2d", OUT,
     output(lambda layer, y, x: brain(y))),
    ("batch-moments-float16", "moments are taken in float16", NORM, "batch_normalization", OUT,
     lambda layer: patched(layer, _normalize=moments_in_half)),
    ("layer-moments-float16", "moments are taken in float16", LAYER_NORM, "layer_normalization",
     OUT, lambda layer: patched(layer, _normalize=moments_in_half)),
    ("softmax-bfloat16-inside", "a softmax of inputs that are rounded to bfloat16", SOFTMAX,
     "softmax", OUT, activation(lambda z, right: softmax(brain(z)))),
    ("loss-float16", "the loss is rounded to float16", DENSE, LOSS, "value",
     lambda loss: patched(loss, forward=loss_in_half)),
    ("weights-float16", "weights are stored in float16 after each step", SGD, OPTIMIZER, "",
     lambda optimizer: patched(optimizer, apply=weights_in_half)),
    ("rate-float16", "the rate is a float16", SGD, OPTIMIZER, "",
     lambda optimizer: patched(optimizer, update_step=rate_in_half)),
]
PHASES = {LOSS: "loss", OPTIMIZER: "update"}


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, inject in TABLE:
        also = ("scale",) if name == "rate-float16" else ()
        yield single("Precision", f"precision-{name}", sentence, network, layer, tensor,
                     "low-precision", inject, also, PHASES.get(layer))
