"""Faults of the convolutions of sequences that Conv1D is not: depthwise, separable, transposed."""

from compare.evaluation.faults.families.convolution import WINDOWS
from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.families.other_convolutions import by_multiplier_first, mirrored
from compare.evaluation.faults.injection import (
    gradient,
    input_gradient,
    input_gradient_with,
    moved,
    output,
    output_with,
)
from compare.evaluation.faults.networks import around

OUT, DX, DK = "output", "input_gradient", "kernel_gradient"
DEEP = around("DepthwiseConv1D", kernel_size=3, depth_multiplier=2, padding="same")
APART = around("SeparableConv1D", filters=5, kernel_size=3, padding="same")
BACK = around("Conv1DTranspose", filters=3, kernel_size=4, strides=3, padding="same")

# class, name, sentence, network, tensor, cause, injection, causes that are the same
TABLE = [
    ("DepthwiseConv1D", "kernel-flipped", "the kernel is back to front", DEEP, OUT,
     "kernel-flipped", output_with(kernel=mirrored)),
    ("DepthwiseConv1D", "multiplier-first", "the outputs of one channel do not lie side by side",
     DEEP, OUT, "axes-permuted", output(by_multiplier_first),
     ("kernel-layout", "kernel-channels-swapped")),
    ("DepthwiseConv1D", "dx-kernel-flipped", "the gradient goes back through the mirrored kernel",
     DEEP, DX, "kernel-flipped", input_gradient_with(kernel=lambda layer: mirrored(layer.kernel))),
    ("DepthwiseConv1D", "dk-mean", "the kernel's gradient is a mean over the steps", DEEP, DK,
     "scale", gradient("kernel", lambda layer, g, dy: g / dy.shape[1])),
    ("SeparableConv1D", "depthwise-flipped", "the depthwise kernel is back to front", APART, OUT,
     "kernel-flipped", output_with(depthwise_kernel=mirrored)),
    ("SeparableConv1D", "bias-doubled", "the bias is added twice", APART, OUT, "bias-doubled",
     output(lambda layer, y, x: y + layer.bias)),
    ("SeparableConv1D", "dx-shifted", "the input gradient lies one step too late", APART, DX,
     "shifted", input_gradient(lambda layer, dx, dy: moved(dx, 1, 1)), WINDOWS),
    ("SeparableConv1D", "pointwise-gradient-negated", "the pointwise kernel's gradient has the "
     "wrong sign", APART, "pointwise_kernel_gradient", "sign",
     gradient("pointwise_kernel", lambda layer, g, dy: -g)),
    ("Conv1DTranspose", "kernel-flipped", "the kernel is back to front", BACK, OUT,
     "kernel-flipped", output_with(kernel=mirrored)),
    ("Conv1DTranspose", "cropped-before", "the ends are cut off one step too early", BACK, OUT,
     "padding-side", output(lambda layer, y, x: moved(y - layer.bias, 1, 1) + layer.bias),
     (*WINDOWS, "border-dropped")),
    ("Conv1DTranspose", "dx-kernel-flipped", "the gradient comes back through the mirrored kernel",
     BACK, DX, "kernel-flipped", input_gradient_with(kernel=lambda layer: mirrored(layer.kernel))),
    ("Conv1DTranspose", "dk-mean", "the kernel's gradient is divided by the batch once more", BACK,
     DK, "scale", gradient("kernel", lambda layer, g, dy: g / len(dy))),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
