"""Two faults at once: some cancel in the output, some hide behind each other, some do neither."""

import numpy as np

from compare.evaluation.faults.families.convolution import as_oihw, flipped
from compare.evaluation.faults.families.convolution_gradients import running_sum
from compare.evaluation.faults.families.dense import rows_by_channel
from compare.evaluation.faults.families.losses import next_class, slope, value
from compare.evaluation.faults.families.making import At
from compare.evaluation.faults.families.optimizers import gradients
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, Fault, Place
from compare.evaluation.faults.injection import (
    activation,
    brain,
    cousin,
    gradient,
    half,
    input_gradient,
    input_gradient_with,
    moved,
    output,
    output_with,
    patching,
    rotated,
)
from compare.evaluation.faults.networks import around, joined

OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
CONV = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
POINT = around("Conv2D", filters=3, kernel_size=1)
BARE = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same", use_bias=False)
BARE_DENSE = around("Dense", units=5, use_bias=False)
SQUARE = around("Conv2D", filters=4, kernel_size=3)
DENSE = around("Dense", units=5)
SOFTMAX = around("Softmax")
RELU = around("ReLU")
LEAKY = around("LeakyReLU", negative_slope=0.1)
FLATTEN = around("Flatten")
ADD = joined("Add")
SUBTRACT = joined("Subtract")
MULTIPLY = joined("Multiply")
AVERAGE = around("AveragePooling2D", pool_size=(2, 3), strides=(1, 2))
GLOBAL = around("GlobalAveragePooling2D", last={"use_bias": False})
PERMUTE = around("Permute", dims=(2, 1, 3))


def times(factor):
    return output(lambda layer, y, x: y * factor)


def kernel_times(factor):
    """The kernel is used with a factor."""
    return output_with(kernel=lambda k: k * k.dtype.type(factor))


def dx_times(factor):
    return input_gradient(lambda layer, dx, dy: dx * factor)


def weights_times(name, factor):
    return gradient(name, lambda layer, g, dy: g * factor)


def of_rotated(layer, y, x):
    """The output for the samples in the order that undoes `rotated`."""
    return cousin(layer, x.shape, activation=None).affine(np.roll(x, -1, axis=0))


def kernel_rows_rolled(kernel):
    """Input channels in another order: the last one first."""
    return np.roll(kernel, 1, axis=-2)


def channels_rolled_back(layer, y, x):
    return np.roll(y, 1, axis=-1)


def by_channel(layer, y, x):
    return np.moveaxis(x, -1, 1).reshape(y.shape)


MISSING = ("scale", "gradient-missing")
# identifier, sentence, network, two of (layer, tensor, cause, injection, causes that are the same),
# whether they cancel in the output
TABLE = [
    # that leave the network's output as it is
    ("doubled-then-halved", "outputs are doubled and the next kernel used halved", BARE,
     ("front", OUT, "scale", times(2)), ("conv2d", OUT, "scale", kernel_times(0.5)), True),
    ("thousand-and-one", "outputs grow by 1e-3 and the next kernel shrinks by as much", BARE,
     ("front", OUT, "scale", times(1.001)), ("conv2d", OUT, "scale", kernel_times(1 / 1.001)),
     True),
    ("negated-twice", "outputs are negated and so is the next kernel", BARE_DENSE,
     ("front", OUT, "sign", output(lambda layer, y, x: -y)),
     ("dense", OUT, "sign", kernel_times(-1)), True),
    ("samples-rotated-and-back", "samples are rotated, and rotated back by the next layer", DENSE,
     ("front", OUT, "batch-mixed", output(lambda layer, y, x: rotated(y))),
     ("dense", OUT, "batch-mixed", output(of_rotated)), True),
    ("channels-rolled-and-back", "channels are rolled, and so is the next kernel's input", CONV,
     ("front", OUT, "axes-permuted", output(channels_rolled_back), ("batch-mixed", "shifted")),
     ("conv2d", OUT, "kernel-channels-swapped", output_with(kernel=kernel_rows_rolled)), True),
    ("flattened-by-channel", "flattened channel by channel, and the dense kernel's rows likewise",
     FLATTEN, ("flatten", OUT, "flatten-order", output(by_channel), ("axes-permuted",)),
     ("last", OUT, "flatten-order", output_with(kernel=rows_by_channel), ("kernel-layout",)), True),
    ("negated-then-subtracted", "one summand is negated, and the sum made a difference", ADD,
     ("other", OUT, "sign", output(lambda layer, y, x: -y)),
     ("add", OUT, "merge-other", output(lambda layer, y, x: x[0] - x[1]), ("sign",)), True),
    ("negated-then-added", "one input is negated, and the difference made a sum", SUBTRACT,
     ("other", OUT, "sign", output(lambda layer, y, x: -y)),
     ("subtract", OUT, "merge-other", output(lambda layer, y, x: x[0] + x[1])), True),
    ("factors-doubled-halved", "one factor is doubled and the product halved", MULTIPLY,
     ("other", OUT, "scale", times(2)), ("multiply", OUT, "scale", times(0.5)), True),
    ("pooled-sum-then-divided", "a pooling sums, and the next kernel is divided", GLOBAL,
     ("global_average_pooling2d", OUT, "scale", times(30)),
     ("last", OUT, "scale", kernel_times(1 / 30)), True),
    ("quadrupled-then-quartered", "outputs are multiplied by 4, and divided when permuted", PERMUTE,
     ("front", OUT, "scale", times(4)), ("permute", OUT, "scale", times(0.25)), True),
    ("bias-moved-on", "a bias is left out before a rectifier-free layer, which adds it", POINT,
     ("front", OUT, "bias-missing", output(lambda layer, y, x: y - layer.bias)),
     ("conv2d", DB, "bias-missing", weights_times("bias", 0), MISSING), False),
    # that cancel in a gradient
    ("gradient-doubled-then-halved", "a gradient is doubled and halved by the layer before", CONV,
     ("conv2d", DX, "scale", dx_times(2)), ("front", DK, "scale", weights_times("kernel", 0.5)),
     False),
    ("loss-sum-rate-small", "the loss's gradient is a sum and the step divided by the batch",
     DENSE, (LOSS, "gradient", "loss-sum-for-mean", slope(lambda n: n), ("scale",)),
     (OPTIMIZER, "", "scale", gradients(lambda g: g / 4)), False),
    ("uphill-twice", "the loss's gradient is negated and the step goes uphill", DENSE,
     (LOSS, "gradient", "sign", slope(lambda n: -1)),
     (OPTIMIZER, "", "update-sign", gradients(lambda g: -g)), False),
    ("dense-gradients-negated", "a layer's gradients are both negated", DENSE,
     ("dense", DX, "sign", dx_times(-1)), ("front", DK, "sign", weights_times("kernel", -1)),
     False),
    # in one layer
    ("conv2d-flipped-no-bias", "the kernel is flipped and the bias left out", CONV,
     ("conv2d", OUT, "kernel-flipped", output_with(kernel=flipped)),
     ("conv2d", OUT, "bias-missing", output(lambda layer, y, x: y - layer.bias)), False),
    ("conv2d-oihw-doubled", "the kernel is read as (out, in, h, w) and the output doubled", CONV,
     ("conv2d", OUT, "kernel-layout", output_with(kernel=as_oihw)),
     ("conv2d", OUT, "scale", times(2)), False),
    ("conv2d-flipped-shifted", "the kernel is flipped and the output one row too low", CONV,
     ("conv2d", OUT, "kernel-flipped", output_with(kernel=flipped)),
     ("conv2d", OUT, "shifted", output(lambda layer, y, x: moved(y, 1, 1))), False),
    ("conv2d-flipped-both-ways", "the kernel is flipped forward and back", CONV,
     ("conv2d", OUT, "kernel-flipped", output_with(kernel=flipped)),
     ("conv2d", DX, "kernel-flipped",
      input_gradient_with(kernel=lambda layer: flipped(layer.kernel))), False),
    ("conv2d-dk-flipped-mean", "the kernel's gradient is flipped and divided by the batch", CONV,
     ("conv2d", DK, "kernel-flipped", gradient("kernel", lambda layer, g, dy: flipped(g))),
     ("conv2d", DK, "scale", weights_times("kernel", 0.25)), False),
    ("dense-transposed-no-bias", "the kernel is transposed and the bias left out", DENSE,
     ("dense", OUT, "transposed-weights", output_with(kernel=lambda k: k.T)),
     ("dense", OUT, "bias-missing", output(lambda layer, y, x: y - layer.bias)), False),
    ("dense-dk-transposed-negated", "the kernel's gradient is transposed and negated", DENSE,
     ("dense", DK, "transposed-weights", gradient("kernel", lambda layer, g, dy: g.T)),
     ("dense", DK, "sign", weights_times("kernel", -1)), False),
    ("average-sum-both-ways", "a pooling sums, and its gradient is not divided", AVERAGE,
     ("average_pooling2d", OUT, "scale", times(6)),
     ("average_pooling2d", DX, "scale", dx_times(6)), False),
    # in two layers
    ("flipped-and-accumulated", "a kernel is flipped; another's gradient is not cleared", SQUARE,
     ("conv2d", OUT, "kernel-flipped", output_with(kernel=flipped)),
     ("last", DK, "gradient-accumulated", gradient("kernel", running_sum)), False),
    ("bias-gradient-missing-twice", "neither of two biases has a gradient", DENSE,
     ("dense", DB, "bias-missing", weights_times("bias", 0), MISSING),
     ("last", DB, "bias-missing", weights_times("bias", 0), MISSING), False),
    ("small-scale-and-bfloat16", "one output grows by 1e-3, another is rounded to bfloat16", DENSE,
     ("front", OUT, "scale", times(1.001)),
     ("dense", OUT, "low-precision", output(lambda layer, y, x: brain(y))), False),
    ("bfloat16-twice", "two outputs are rounded to bfloat16", DENSE,
     ("front", OUT, "low-precision", output(lambda layer, y, x: brain(y))),
     ("dense", OUT, "low-precision", output(lambda layer, y, x: brain(y))), False),
    ("float16-gradients", "two kernels' gradients are rounded to float16", DENSE,
     ("dense", DK, "low-precision", gradient("kernel", lambda layer, g, dy: half(g))),
     ("last", DK, "low-precision", gradient("kernel", lambda layer, g, dy: half(g))), False),
    ("leak-and-no-bias-gradient", "a slope is another one, and a bias has no gradient", LEAKY,
     ("leaky_re_lu", OUT, "activation-other",
      activation(lambda z, right: np.where(z > 0, z, 0.2 * z))),
     ("last", DB, "bias-missing", weights_times("bias", 0), MISSING), False),
    ("mask-and-scale", "a mask is missing, and the gradient behind it halved", RELU,
     ("re_lu", DX, "mask-missing", activation(slope=lambda dy, z, y: dy), ("activation-missing",)),
     ("last", DX, "scale", dx_times(0.5)), False),
    ("softmax-jacobian-and-scale", "a Jacobian is missing, and a loss's value a sum", SOFTMAX,
     ("softmax", DX, "softmax-jacobian-missing", activation(slope=lambda dy, z, y: dy),
      ("activation-missing", "mask-missing")),
     (LOSS, "value", "loss-sum-for-mean", value(lambda n: n), ("scale",)), False),
    ("labels-and-rate", "classes are counted from 1, and the rate is off by 1e-3", DENSE,
     (LOSS, "value", "labels-shifted", patching(rows=next_class)),
     (OPTIMIZER, "", "scale", gradients(lambda g: g * 1.001), ("optimizer-setting",)), False),
    ("loss-value-and-kernel", "the loss's value is a sum, and a kernel's gradient transposed",
     DENSE, (LOSS, "value", "loss-sum-for-mean", value(lambda n: n), ("scale",)),
     ("dense", DK, "transposed-weights", gradient("kernel", lambda layer, g, dy: g.T)), False),
]


def faults():
    """All of them."""
    for name, sentence, network, one, other, cancels in TABLE:
        places = tuple(Place(layer, tensor, cause, *also)
                       for layer, tensor, cause, _, *also in (one, other))

        def inject(model, parts=(one, other)):
            for part in parts:
                At(part[0], part[3])(model)

        yield Fault(f"pair-{name}", "Pairs", sentence, "two", places, network, inject,
                    cancels=cancels)
