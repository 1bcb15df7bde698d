"""Faults of Dense."""

import numpy as np

from compare.evaluation.faults.families.convolution_gradients import running_sum, stepped
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import (
    brain,
    gradient,
    half,
    input_gradient,
    input_gradient_with,
    output,
    output_with,
    rotated,
)
from compare.evaluation.faults.networks import around

FAMILY, LAYER = "Dense", "dense"
WIDE = around("Dense", units=3)  # 5 in, 3 out
SQUARE = around("Dense", units=5)
SEQUENCE = around("Dense", shape=(7, 3), units=3)  # on the last axis of (batch, 7, 4)
FLATTENED = around("Flatten")  # before the last Dense
FINE = around("Dense", units=3, dtype="float64")
OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"


def without_one_bias(layer, y, x):
    y = y.copy()
    y[..., 1] -= layer.bias[1]
    return y


def mean_sample(layer, y, x):
    """Every output is the mean of the batch's."""
    return np.broadcast_to(y.mean(axis=0, keepdims=True), y.shape)


def first_two_swapped(layer, y, x):
    return np.concatenate([y[1:2], y[:1], y[2:]])


def of_other_samples(layer, g, dy):
    """The kernel's gradient of each sample's upstream gradient and the input of the one before."""
    return rotated(layer._x).T @ dy


def rows_by_channel(kernel):
    """The rows of a kernel behind a Flatten of (6, 5, 4), stored channel by channel."""
    rows = np.arange(len(kernel)).reshape(6, 5, 4)
    return kernel[np.moveaxis(rows, -1, 0).ravel()]


TABLE = [
    ("kernel-transposed", "x @ kernel.T where x @ kernel belongs", SQUARE, OUT,
     "transposed-weights", output_with(kernel=lambda k: k.T)),
    ("kernel-read-as-rows", "a kernel stored as (out, in) is read as (in, out)", WIDE, OUT,
     "kernel-layout", output_with(kernel=lambda k: np.ravel(k.T).reshape(k.shape)),
     ("transposed-weights",)),
    ("bias-missing", "the bias is not added", WIDE, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("bias-doubled", "the bias is added twice", WIDE, OUT, "bias-doubled",
     output(lambda layer, y, x: y + layer.bias)),
    ("bias-misses-one-unit", "one unit has no bias", WIDE, OUT, "bias-missing",
     output(without_one_bias)),
    ("bias-subtracted", "the bias is taken away, not added", WIDE, OUT, "sign",
     output(lambda layer, y, x: y - 2 * layer.bias)),
    ("samples-swapped", "the outputs of the first two samples are mixed up", WIDE, OUT,
     "batch-mixed", output(first_two_swapped)),
    ("samples-rotated", "each output is that of the sample before", WIDE, OUT, "batch-mixed",
     output(lambda layer, y, x: rotated(y))),
    ("samples-averaged", "all outputs are the batch's mean", WIDE, OUT, "batch-mixed",
     output(mean_sample)),
    ("scaled-1e-3", "the output is larger by one part in a thousand", WIDE, OUT, "scale",
     output(lambda layer, y, x: y * 1.001)),
    ("doubled", "the output counts twice", WIDE, OUT, "scale",
     output(lambda layer, y, x: 2 * y)),
    ("scaled-1e-9", "in float64, the output is larger by one part in 10^9", FINE, OUT, "scale",
     output(lambda layer, y, x: y * (1 + 1e-9))),
    ("output-negated", "the output has the wrong sign", WIDE, OUT, "sign",
     output(lambda layer, y, x: -y)),
    ("bfloat16-output", "the output is rounded to bfloat16", WIDE, OUT, "low-precision",
     output(lambda layer, y, x: brain(y))),
    ("float16-kernel", "the kernel is kept in float16", WIDE, OUT, "low-precision",
     output_with(kernel=half)),
    ("axes-permuted", "the steps and the units of the output are swapped in memory", SEQUENCE, OUT,
     "axes-permuted", output(lambda layer, y, x: y.swapaxes(1, 2).reshape(y.shape))),
    ("dx-kernel-not-transposed", "dy @ kernel where dy @ kernel.T belongs", SQUARE, DX,
     "transposed-weights", input_gradient_with(kernel=lambda layer: layer.kernel.T)),
    ("dx-after-update", "the gradient goes back through weights that have made their step", WIDE,
     DX, "update-before-gradient", input_gradient_with(kernel=stepped(0.05))),
    ("dx-divided-by-batch", "the input gradient is divided by the batch once more", WIDE, DX,
     "scale", input_gradient(lambda layer, dx, dy: dx / len(dx))),
    ("dx-negated", "the input gradient has the wrong sign", WIDE, DX, "sign",
     input_gradient(lambda layer, dx, dy: -dx)),
    ("dx-missing", "no gradient goes back", WIDE, DX, "gradient-missing",
     input_gradient(lambda layer, dx, dy: 0 * dx)),
    ("dk-transposed", "the kernel's gradient is transposed", SQUARE, DK, "transposed-weights",
     gradient("kernel", lambda layer, g, dy: g.T)),
    ("dk-divided-by-batch", "the kernel's gradient is divided by the batch once more", WIDE, DK,
     "scale", gradient("kernel", lambda layer, g, dy: g / len(dy))),
    ("dk-times-batch", "the kernel's gradient is multiplied by the batch", WIDE, DK, "scale",
     gradient("kernel", lambda layer, g, dy: g * len(dy))),
    ("dk-times-rate", "the kernel's gradient has the learning rate in it already", WIDE, DK,
     "scale", gradient("kernel", lambda layer, g, dy: 0.05 * g)),
    ("dk-other-samples", "each gradient meets the input of the sample before", WIDE, DK,
     "batch-mixed", gradient("kernel", of_other_samples)),
    ("dk-accumulated", "the kernel's gradient is added to that of the pass before", WIDE, DK,
     "gradient-accumulated", gradient("kernel", running_sum)),
    ("dk-negated", "the kernel's gradient has the wrong sign", WIDE, DK, "sign",
     gradient("kernel", lambda layer, g, dy: -g)),
    ("db-missing", "the bias has no gradient", WIDE, DB, "bias-missing",
     gradient("bias", lambda layer, g, dy: 0 * g), ("gradient-missing",)),
    ("db-first-sample", "the bias's gradient is that of the first sample alone", WIDE, DB,
     "batch-mixed", gradient("bias", lambda layer, g, dy: dy[0])),
    ("db-mean", "the bias's gradient is a mean where a sum belongs", WIDE, DB, "scale",
     gradient("bias", lambda layer, g, dy: g / len(dy))),
]


# behind a Flatten; tensor and injection
BY_CHANNEL = [
    ("rows-by-channel", "the kernel's rows are in the order of an image flattened channel by "
     "channel", OUT, output_with(kernel=rows_by_channel)),
    ("dx-rows-by-channel", "on the way back the kernel's rows are in the order of an image "
     "flattened channel by channel", DX,
     input_gradient_with(kernel=lambda layer: rows_by_channel(layer.kernel))),
]


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single(FAMILY, f"{LAYER}-{name}", sentence, network, LAYER, tensor, cause, inject,
                     *also)
    for name, sentence, tensor, inject in BY_CHANNEL:
        yield single(FAMILY, f"{LAYER}-{name}", sentence, FLATTENED, "last", tensor,
                     "flatten-order", inject, ("kernel-layout",))
