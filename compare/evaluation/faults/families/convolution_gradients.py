"""Faults of Conv2D on its way back: the input's gradient, the kernel's, the bias's."""

import numpy as np

from compare.evaluation.faults.families.convolution import (
    FAMILY,
    LAYER,
    SAME,
    SQUARE,
    WINDOWS,
    as_oihw,
    flipped,
)
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import (
    brain,
    gradient,
    half,
    input_gradient,
    input_gradient_with,
    moved,
    rotated,
)

DX, DK, DB = "input_gradient", "kernel_gradient", "bias_gradient"


def overwritten(layer, dx, dy):
    """The last of all windows over a pixel decides; for padding 'valid' and no dilation."""
    wrong = np.zeros_like(dx)
    (kh, kw), (sh, sw) = layer.kernel_size, layer.strides
    for i in range(dy.shape[1]):
        for j in range(dy.shape[2]):
            window = np.einsum("nf,ijcf->nijc", dy[:, i, j], layer.kernel)
            wrong[:, i * sh:i * sh + kh, j * sw:j * sw + kw] = window
    return wrong


def stepped(rate: float):
    """The kernel of a layer after a step along the gradient of this very batch."""
    return lambda layer: layer.kernel - layer.kernel.dtype.type(rate) * layer.grads["kernel"]


def of_upstream(change):
    """The kernel's gradient of another upstream gradient, change(dy)."""
    def kernel_gradient(layer, g, dy):
        grads = layer.grads
        type(layer).__mro__[1].affine_backward(layer, change(dy), False)
        changed, layer.grads = layer.grads["kernel"], grads
        return changed

    return gradient("kernel", kernel_gradient)


def first_sample(dy):
    """Zero but for the first sample."""
    alone = np.zeros_like(dy)
    alone[0] = dy[0]
    return alone


def without_border(image):
    """Zero on the border, one pixel wide."""
    image = image.copy()
    image[:, :1] = image[:, -1:] = 0
    image[:, :, :1] = image[:, :, -1:] = 0
    return image


def running_sum(layer, g, dy):
    """Added to what an earlier pass has left behind."""
    layer.left_over = g + getattr(layer, "left_over", 0)
    return layer.left_over


TABLE = [
    # input gradient
    ("dx-kernel-flipped", "the gradient goes back through the flipped kernel", SAME, DX,
     "kernel-flipped", input_gradient_with(kernel=lambda layer: flipped(layer.kernel))),
    ("dx-channels-swapped", "the gradient goes back with the kernel's channels swapped", SQUARE,
     DX, "kernel-channels-swapped",
     input_gradient_with(kernel=lambda layer: layer.kernel.swapaxes(2, 3))),
    ("dx-kernel-transposed", "the gradient goes back with the kernel's rows and columns swapped",
     SQUARE, DX, "kernel-transposed",
     input_gradient_with(kernel=lambda layer: layer.kernel.swapaxes(0, 1))),
    ("dx-kernel-oihw", "on the way back the kernel is read as (out, in, height, width)", SAME, DX,
     "kernel-layout", input_gradient_with(kernel=lambda layer: as_oihw(layer.kernel))),
    ("dx-border-dropped", "pixels on the border get no gradient", SAME, DX, "border-dropped",
     input_gradient(lambda layer, dx, dy: without_border(dx))),
    ("dx-rolled", "the input gradient is shifted, and what leaves on one side comes in on the "
     "other", SAME, DX, "shifted",
     input_gradient(lambda layer, dx, dy: np.roll(dx, (1, -1), (1, 2)))),
    ("dx-overwritten", "where windows overlap, the last gradient stands for the sum", SQUARE, DX,
     "overlap-overwritten", input_gradient(overwritten)),
    ("dx-shifted", "the input gradient lies one column to the right", SAME, DX, "shifted",
     input_gradient(lambda layer, dx, dy: moved(dx, 1, 2)), WINDOWS),
    ("dx-divided-by-batch", "the input gradient is divided by the batch once more", SAME, DX,
     "scale", input_gradient(lambda layer, dx, dy: dx / len(dx))),
    ("dx-negated", "the input gradient has the wrong sign", SAME, DX, "sign",
     input_gradient(lambda layer, dx, dy: -dx)),
    ("dx-after-update", "the gradient goes back through weights that have made their step", SAME,
     DX, "update-before-gradient", input_gradient_with(kernel=stepped(0.05))),
    ("dx-samples-rotated", "each input gradient is that of the sample before", SAME, DX,
     "batch-mixed", input_gradient(lambda layer, dx, dy: rotated(dx))),
    ("dx-float16", "the input gradient is rounded to float16", SAME, DX, "low-precision",
     input_gradient(lambda layer, dx, dy: half(dx))),
    ("dx-transposed", "height and width of the input gradient are swapped in memory", SAME, DX,
     "axes-permuted",
     input_gradient(lambda layer, dx, dy: dx.swapaxes(1, 2).reshape(dx.shape))),
    # weight gradients
    ("dk-flipped", "the kernel's gradient is flipped on both axes", SAME, DK, "kernel-flipped",
     gradient("kernel", lambda layer, g, dy: flipped(g))),
    ("dk-transposed", "rows and columns of the kernel's gradient are swapped", SQUARE, DK,
     "kernel-transposed", gradient("kernel", lambda layer, g, dy: g.swapaxes(0, 1))),
    ("dk-channels-swapped", "input and output channels of the kernel's gradient are swapped",
     SQUARE, DK, "kernel-channels-swapped",
     gradient("kernel", lambda layer, g, dy: g.swapaxes(2, 3))),
    ("dk-oihw", "the kernel's gradient comes as (out, in, height, width)", SAME, DK,
     "kernel-layout", gradient("kernel", lambda layer, g, dy: as_oihw(g))),
    ("dk-divided-by-batch", "the kernel's gradient is divided by the batch once more", SAME, DK,
     "scale", gradient("kernel", lambda layer, g, dy: g / len(dy))),
    ("dk-mean-over-pixels", "the kernel's gradient is a mean over the output's pixels", SAME, DK,
     "scale", gradient("kernel", lambda layer, g, dy: g / (dy.shape[1] * dy.shape[2]))),
    ("dk-negated", "the kernel's gradient has the wrong sign", SAME, DK, "sign",
     gradient("kernel", lambda layer, g, dy: -g)),
    ("dk-first-sample", "the kernel's gradient is that of the first sample alone", SAME, DK,
     "batch-mixed", of_upstream(first_sample)),
    ("dk-border-dropped", "windows on the border do not count in the kernel's gradient", SAME, DK,
     "border-dropped", of_upstream(without_border)),
    ("dk-scaled-1e-3", "the kernel's gradient is larger by one part in a thousand", SAME, DK,
     "scale", gradient("kernel", lambda layer, g, dy: g * 1.001)),
    ("dk-bfloat16", "the kernel's gradient is rounded to bfloat16", SAME, DK, "low-precision",
     gradient("kernel", lambda layer, g, dy: brain(g))),
    ("dk-accumulated", "the kernel's gradient is added to that of the pass before", SAME, DK,
     "gradient-accumulated", gradient("kernel", running_sum)),
    ("db-missing", "the bias has no gradient", SAME, DB, "bias-missing",
     gradient("bias", lambda layer, g, dy: 0 * g), ("gradient-missing",)),
    ("db-mean", "the bias's gradient is a mean where a sum belongs", SAME, DB, "scale",
     gradient("bias", lambda layer, g, dy: g / (dy.size // g.size))),
    ("db-doubled", "the bias's gradient counts twice", SAME, DB, "bias-doubled",
     gradient("bias", lambda layer, g, dy: 2 * g), ("scale",)),
    ("db-one-pixel", "the bias's gradient is that of the first pixel", SAME, DB, "bias-untied",
     gradient("bias", lambda layer, g, dy: dy[:, 0, 0].sum(axis=0))),
    ("db-one-column", "the bias's gradient is that of the first column", SAME, DB, "bias-untied",
     gradient("bias", lambda layer, g, dy: dy[:, :, 0].sum(axis=(0, 1)))),
]


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single(FAMILY, f"{LAYER}-{name}", sentence, network, LAYER, tensor, cause, inject,
                     *also)
