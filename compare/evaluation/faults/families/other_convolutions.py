"""Faults of Conv1D, DepthwiseConv2D, SeparableConv2D and Conv2DTranspose."""

import numpy as np

from compare.evaluation.faults.families.convolution import WINDOWS, flipped, padded
from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import (
    brain,
    cousin,
    cropped,
    gradient,
    half,
    input_gradient,
    input_gradient_with,
    moved,
    output,
    output_with,
    rotated,
)
from compare.evaluation.faults.networks import around

OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
SEQUENCE = around("Conv1D", filters=3, kernel_size=3, padding="same")
CAUSAL = around("Conv1D", filters=3, kernel_size=3, padding="causal")
SPREAD = around("Conv1D", filters=3, kernel_size=2, dilation_rate=2, padding="same")
STEPS = around("Conv1D", filters=3, kernel_size=2, strides=2)
DEEP = around("DepthwiseConv2D", kernel_size=(3, 2), depth_multiplier=2, padding="same")
DEEP_SQUARE = around("DepthwiseConv2D", kernel_size=2)
APART = around("SeparableConv2D", filters=4, kernel_size=(2, 3), padding="same")
BACK = around("Conv2DTranspose", filters=3, kernel_size=(3, 2), strides=(2, 1))
BACK_SAME = around("Conv2DTranspose", filters=4, kernel_size=3, strides=2, padding="same")


def mirrored(kernel):
    """A kernel of sequences back to front."""
    return kernel[::-1]


def by_multiplier_first(layer, y, x):
    """Channel m C + c where c M + m belongs."""
    channels = x.shape[-1]
    return y.reshape(*y.shape[:-1], channels, -1).swapaxes(-1, -2).reshape(y.shape)


def last_patch(layer, y, x):
    """Where patches of the output overlap, the last one stands alone; for padding 'valid'."""
    wrong = np.zeros_like(y) + layer.bias
    (kh, kw), (sh, sw) = layer.kernel_size, layer.strides
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            patch = np.einsum("nc,ijfc->nijf", x[:, i, j], layer.kernel) + layer.bias
            wrong[:, i * sh:i * sh + kh, j * sw:j * sw + kw] = patch
    return wrong


def not_separable(layer, y, x):
    """Rectifies between its two halves."""
    between = np.maximum(layer.depthwise.multiply(layer._padded, layer.depthwise_kernel), 0)
    return layer.forth.multiply(layer.forth.lower(between), layer.pointwise_kernel) + layer.bias


def other_kernel(layer, name, rounded, x):
    other = cousin(layer, x.shape, activation=None)
    other.params[name][...] = rounded(layer.params[name])
    return other.affine(x)


def unpointed(layer, y, x):
    """Pointwise kernel read the other way round."""
    return other_kernel(layer, "pointwise_kernel", lambda k: k.swapaxes(2, 3), x)


# class, name, sentence, network, tensor, cause, injection, causes that are the same
TABLE = [
    ("Conv1D", "kernel-flipped", "the kernel runs back to front", SEQUENCE, OUT, "kernel-flipped",
     output_with(kernel=mirrored)),
    ("Conv1D", "causal-as-same", "pads on both sides where it may only look back", CAUSAL, OUT,
     "padding-side", output(lambda layer, y, x: cousin(layer, x.shape, padding="same",
                                                       activation=None).affine(x)), WINDOWS),
    ("Conv1D", "dilation-ignored", "reads neighbours in place of distant steps", SPREAD, OUT,
     "dilation-ignored", output(lambda layer, y, x: cousin(
         layer, x.shape, dilation_rate=1, activation=None).affine(x))),
    ("Conv1D", "stride-ignored", "goes on by one step in place of two", STEPS, OUT,
     "stride-ignored", output(lambda layer, y, x: cropped(cousin(
         layer, x.shape, strides=1, activation=None).affine(x), y.shape))),
    ("Conv1D", "bias-missing", "the bias is not added", SEQUENCE, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("Conv1D", "output-shifted", "the output comes one step late", SEQUENCE, OUT, "shifted",
     output(lambda layer, y, x: moved(y, 1, 1))),
    ("Conv1D", "dx-kernel-flipped", "the gradient goes back through the mirrored kernel", SEQUENCE,
     DX, "kernel-flipped", input_gradient_with(kernel=lambda layer: mirrored(layer.kernel))),
    ("Conv1D", "dx-shifted", "the input gradient lies one step too early", CAUSAL, DX, "shifted",
     input_gradient(lambda layer, dx, dy: moved(dx, -1, 1)), WINDOWS),
    ("Conv1D", "dk-divided-by-steps", "the kernel's gradient is a mean over the steps", SEQUENCE,
     DK, "scale", gradient("kernel", lambda layer, g, dy: g / dy.shape[1])),
    ("Conv1D", "dk-flipped", "the kernel's gradient is back to front", SEQUENCE, DK,
     "kernel-flipped", gradient("kernel", lambda layer, g, dy: mirrored(g))),
    ("Conv1D", "db-missing", "the bias has no gradient", SEQUENCE, DB, "bias-missing",
     gradient("bias", lambda layer, g, dy: 0 * g), ("gradient-missing",)),
    ("DepthwiseConv2D", "kernel-flipped", "the kernel is flipped on both axes", DEEP, OUT,
     "kernel-flipped", output_with(kernel=flipped)),
    ("DepthwiseConv2D", "kernel-transposed", "rows and columns of the kernel are swapped",
     DEEP_SQUARE, OUT, "kernel-transposed", output_with(kernel=lambda k: k.swapaxes(0, 1))),
    ("DepthwiseConv2D", "multiplier-first", "the outputs of one channel do not lie side by side",
     DEEP, OUT, "axes-permuted", output(by_multiplier_first), ("kernel-layout",
                                                               "kernel-channels-swapped")),
    ("DepthwiseConv2D", "bias-doubled", "the bias is added twice", DEEP, OUT, "bias-doubled",
     output(lambda layer, y, x: y + layer.bias)),
    ("DepthwiseConv2D", "padding-edge", "pads with the nearest pixel", DEEP, OUT, "padding-value",
     padded("edge")),
    ("DepthwiseConv2D", "dx-kernel-flipped", "the gradient goes back through the flipped kernel",
     DEEP, DX, "kernel-flipped", input_gradient_with(kernel=lambda layer: flipped(layer.kernel))),
    ("DepthwiseConv2D", "dx-samples-rotated", "each input gradient is that of the sample before",
     DEEP, DX, "batch-mixed", input_gradient(lambda layer, dx, dy: rotated(dx))),
    ("DepthwiseConv2D", "dk-divided-by-batch", "the kernel's gradient is divided by the batch "
     "once more", DEEP, DK, "scale", gradient("kernel", lambda layer, g, dy: g / len(dy))),
    ("DepthwiseConv2D", "dk-flipped", "the kernel's gradient is flipped", DEEP, DK,
     "kernel-flipped", gradient("kernel", lambda layer, g, dy: flipped(g))),
    ("SeparableConv2D", "depthwise-flipped", "the depthwise kernel is flipped", APART, OUT,
     "kernel-flipped", output_with(depthwise_kernel=flipped)),
    ("SeparableConv2D", "pointwise-transposed", "the pointwise kernel is transposed", APART, OUT,
     "kernel-channels-swapped", output(unpointed), ("transposed-weights", "kernel-transposed",
                                                    "kernel-layout")),
    ("SeparableConv2D", "rectified-between", "rectifies between the two convolutions", APART, OUT,
     UNKNOWN, output(not_separable)),
    ("SeparableConv2D", "bias-missing", "the bias is not added", APART, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("SeparableConv2D", "dx-depthwise-flipped", "the gradient goes back through the flipped "
     "depthwise kernel", APART, DX, "kernel-flipped",
     input_gradient_with(depthwise_kernel=lambda layer: flipped(layer.depthwise_kernel))),
    ("SeparableConv2D", "dx-float16", "the input gradient is rounded to float16", APART, DX,
     "low-precision", input_gradient(lambda layer, dx, dy: half(dx))),
    ("SeparableConv2D", "depthwise-gradient-flipped", "the depthwise kernel's gradient is flipped",
     APART, "depthwise_kernel_gradient", "kernel-flipped",
     gradient("depthwise_kernel", lambda layer, g, dy: flipped(g))),
    ("SeparableConv2D", "pointwise-gradient-scaled", "the pointwise kernel's gradient is a mean "
     "over the pixels", APART, "pointwise_kernel_gradient", "scale",
     gradient("pointwise_kernel", lambda layer, g, dy: g / (dy.shape[1] * dy.shape[2]))),
    ("SeparableConv2D", "pointwise-gradient-transposed", "the pointwise kernel's gradient is "
     "transposed", APART, "pointwise_kernel_gradient", "kernel-channels-swapped",
     gradient("pointwise_kernel", lambda layer, g, dy: g.swapaxes(2, 3)),
     ("transposed-weights", "kernel-layout")),
    ("Conv2DTranspose", "kernel-flipped", "the kernel is flipped on both axes", BACK, OUT,
     "kernel-flipped", output_with(kernel=flipped)),
    ("Conv2DTranspose", "overwritten", "where patches overlap, the last one stands for the sum",
     BACK, OUT, "overlap-overwritten", output(last_patch)),
    ("Conv2DTranspose", "channels-swapped", "the kernel is read as (kh, kw, in, out)", BACK_SAME,
     OUT, "kernel-channels-swapped", output_with(kernel=lambda k: k.swapaxes(2, 3))),
    ("Conv2DTranspose", "cropped-before", "the border is cut off at the other side", BACK_SAME,
     OUT, "padding-side", output(lambda layer, y, x: moved(y - layer.bias, 1, 1) + layer.bias),
     (*WINDOWS, "border-dropped")),
    ("Conv2DTranspose", "bias-missing", "the bias is not added", BACK, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("Conv2DTranspose", "dx-kernel-flipped", "the gradient comes back through the flipped kernel",
     BACK, DX, "kernel-flipped", input_gradient_with(kernel=lambda layer: flipped(layer.kernel))),
    ("Conv2DTranspose", "dk-channels-swapped", "channels of the kernel's gradient are swapped",
     BACK_SAME, DK, "kernel-channels-swapped",
     gradient("kernel", lambda layer, g, dy: g.swapaxes(2, 3))),
    ("Conv2DTranspose", "db-mean", "the bias's gradient is a mean where a sum belongs", BACK, DB,
     "scale", gradient("bias", lambda layer, g, dy: g / (dy.size // g.size))),
    ("Conv2DTranspose", "dx-bfloat16", "the input gradient is rounded to bfloat16", BACK, DX,
     "low-precision", input_gradient(lambda layer, dx, dy: brain(dx))),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
