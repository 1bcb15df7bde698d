"""Faults of Conv2D: kernel, bias, windows, precision, and each of its gradients."""

import numpy as np

from compare.evaluation.faults.families.making import single
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
    patched,
    rotated,
)
from compare.evaluation.faults.networks import around

FAMILY, LAYER = "Conv2D", "conv2d"
SAME = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
SQUARE = around("Conv2D", filters=4, kernel_size=3)
STRIDED = around("Conv2D", filters=3, kernel_size=(3, 2), strides=(2, 1), padding="same")
VALID = around("Conv2D", filters=3, kernel_size=(2, 3), strides=(2, 1))
DILATED = around("Conv2D", filters=3, kernel_size=(2, 3), dilation_rate=(2, 1), padding="same")
GROUPED = around("Conv2D", filters=4, kernel_size=(2, 3), groups=2)

WINDOWS = ("padding-side", "padding-amount", "shifted", "stride-offset")


def flipped(kernel):
    return kernel[::-1, ::-1]


def as_oihw(kernel):
    """What memory written in the order (F, C, kh, kw) is when it is read as (kh, kw, C, F)."""
    return kernel.transpose(3, 2, 0, 1).reshape(kernel.shape)


def padded(mode: str, **settings):
    """The output for a border of other numbers than zero."""
    def change(layer, y, x):
        borders = [(0, 0)]
        for size, kernel, stride in zip(x.shape[1:3], layer.kernel_size, layer.strides):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            borders.append((total // 2, total - total // 2))
        wide = np.pad(x, [*borders, (0, 0)], mode=mode, **settings)
        return cousin(layer, wide.shape, padding="valid", activation=None).affine(wide)

    return output(change)


def computed_with(**changes):
    """The output of a layer with other arguments, of which the beginning is taken."""
    return output(lambda layer, y, x: cropped(
        cousin(layer, x.shape, activation=None, **changes).affine(x), y.shape))


def by_position(layer, y, x):
    """Adds more of the bias the further down and to the right."""
    rows, columns = np.indices(y.shape[1:3])
    return y + layer.bias * (rows + 2 * columns)[..., None] / 8


def first_group(layer, y, x):
    """All filters read the first group's channels."""
    channels = x.shape[-1] // layer.groups
    return layer.correlate(np.concatenate([x[..., :channels]] * layer.groups, axis=-1)) + layer.bias


def one_off(kernel):
    kernel = kernel.copy()
    kernel[0, 1, -1, 2] *= kernel.dtype.type(1 + 1e-4)
    return kernel


def not_a_number(layer, y, x):
    y = y.copy()
    y[-1, 0, -1, 0] = np.nan
    return y


def last_column_zero(layer, y, x):
    y = y.copy()
    y[:, :, -1] = 0
    return y


def overwritten(layer, dx, dy):
    """The last of all windows over a pixel decides; for padding 'valid' and no dilation."""
    wrong = np.zeros_like(dx)
    (kh, kw), (sh, sw) = layer.kernel_size, layer.strides
    for i in range(dy.shape[1]):
        for j in range(dy.shape[2]):
            window = np.einsum("nf,ijcf->nijc", dy[:, i, j], layer.kernel)
            wrong[:, i * sh:i * sh + kh, j * sw:j * sw + kw] = window
    return wrong


def stepped(layer):
    """The kernel after a step along the gradient of this very batch."""
    return layer.kernel - layer.kernel.dtype.type(0.05) * layer.grads["kernel"]


def first_sample(layer, g, dy):
    """The gradient of the first sample alone."""
    alone = np.zeros_like(dy)
    alone[0] = dy[0]
    type(layer).__mro__[1].affine_backward(layer, alone, False)
    return layer.grads["kernel"]


def running_sum(layer, g, dy):
    """Added to what an earlier pass has left behind."""
    layer.left_over = g + getattr(layer, "left_over", 0)
    return layer.left_over


def leaking(layer, y, x):
    """A buffer that is not cleared: some of the last output of this shape stays in it."""
    before = getattr(layer, "left_over", None)
    layer.left_over = y.copy()
    return y + before / 8 if before is not None and before.shape == y.shape else y


def modifying(layer, right, x):
    """Centres its input in place, puts out what is right."""
    y = right(x)
    x -= x.mean()
    return y


OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
TABLE = [
    # forward
    ("kernel-flipped", "convolves where Keras correlates: the kernel is flipped on both axes",
     SAME, OUT, "kernel-flipped", output_with(kernel=flipped)),
    ("kernel-rows-flipped", "the kernel is upside down", SAME, OUT, "kernel-flipped",
     output_with(kernel=lambda k: k[::-1])),
    ("kernel-transposed", "rows and columns of a square kernel are swapped", SQUARE, OUT,
     "kernel-transposed", output_with(kernel=lambda k: k.swapaxes(0, 1))),
    ("kernel-channels-swapped", "the kernel's input and output channels are swapped", SQUARE, OUT,
     "kernel-channels-swapped", output_with(kernel=lambda k: k.swapaxes(2, 3))),
    ("kernel-oihw", "a kernel stored as (out, in, height, width) is read as Keras's", SAME, OUT,
     "kernel-layout", output_with(kernel=as_oihw)),
    ("one-weight-off", "one weight is off by one part in ten thousand", SAME, OUT, UNKNOWN,
     output_with(kernel=one_off)),
    ("bias-missing", "the bias is not added", SAME, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("bias-doubled", "the bias is added twice", SAME, OUT, "bias-doubled",
     output(lambda layer, y, x: y + layer.bias)),
    ("bias-untied", "each position has a bias of its own", SAME, OUT, "bias-untied",
     output(by_position)),
    ("padding-before", "the odd column of padding stands before the image", SAME, OUT,
     "padding-side", output(lambda layer, y, x: layer.correlate(moved(x, 1, 2)) + layer.bias),
     WINDOWS),
    ("padding-symmetric", "pads by half the kernel on both sides whatever the stride", STRIDED,
     OUT, "padding-amount",
     output(lambda layer, y, x: layer.correlate(moved(x, 1, 1)) + layer.bias), WINDOWS),
    ("padding-edge", "pads with the nearest pixel", SAME, OUT, "padding-value", padded("edge")),
    ("padding-reflect", "pads with the mirrored image", SAME, OUT, "padding-value",
     padded("reflect")),
    ("padding-ones", "pads with ones", SAME, OUT, "padding-value",
     padded("constant", constant_values=1)),
    ("stride-offset", "strides start at the second row", VALID, OUT, "stride-offset",
     output(lambda layer, y, x: layer.correlate(moved(x, -1, 1)) + layer.bias), WINDOWS),
    ("stride-ignored", "goes on by one row in place of two, and stops early", VALID, OUT,
     "stride-ignored", computed_with(strides=1)),
    ("dilation-ignored", "reads neighbouring pixels in place of distant ones", DILATED, OUT,
     "dilation-ignored", computed_with(dilation_rate=1)),
    ("groups-ignored", "all filters read the first group's channels", GROUPED, OUT,
     "groups-ignored", output(first_group)),
    ("output-transposed", "height and width of the output are swapped in memory", SAME, OUT,
     "axes-permuted", output(lambda layer, y, x: y.swapaxes(1, 2).reshape(y.shape))),
    ("output-shifted", "the output lies one row too low", SAME, OUT, "shifted",
     output(lambda layer, y, x: moved(y, 1, 1))),
    ("samples-rotated", "each output is that of the sample before", SAME, OUT, "batch-mixed",
     output(lambda layer, y, x: rotated(y))),
    ("last-column-dropped", "the last column of the output stays zero", SAME, OUT,
     "border-dropped", output(last_column_zero)),
    ("scaled-1e-3", "the output is larger by one part in a thousand", SAME, OUT, "scale",
     output(lambda layer, y, x: y * 1.001)),
    ("output-negated", "the output has the wrong sign", SAME, OUT, "sign",
     output(lambda layer, y, x: -y)),
    ("float16-output", "the output is rounded to float16 on the way", SAME, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("bfloat16-inside", "input and kernel are rounded to bfloat16", SAME, OUT, "low-precision",
     output(lambda layer, y, x: cousin_with(layer, x, brain))),
    ("one-nan", "one output is no number", SAME, OUT, "nan", output(not_a_number)),
    ("state-leak", "a work buffer is not cleared between calls", SAME, OUT, "state-leak",
     output(leaking)),
    ("input-modified", "centres its input in place", SAME, "input", "input-modified",
     lambda layer: patched(layer, affine=modifying)),
    # input gradient
    ("dx-kernel-flipped", "the gradient goes back through the flipped kernel", SAME, DX,
     "kernel-flipped", input_gradient_with(kernel=lambda layer: flipped(layer.kernel))),
    ("dx-channels-swapped", "the gradient goes back with the kernel's channels swapped", SQUARE,
     DX, "kernel-channels-swapped",
     input_gradient_with(kernel=lambda layer: layer.kernel.swapaxes(2, 3))),
    ("dx-overwritten", "where windows overlap, the last gradient stands for the sum", SQUARE, DX,
     "overlap-overwritten", input_gradient(overwritten)),
    ("dx-shifted", "the input gradient lies one column to the right", SAME, DX, "shifted",
     input_gradient(lambda layer, dx, dy: moved(dx, 1, 2)), WINDOWS),
    ("dx-divided-by-batch", "the input gradient is divided by the batch once more", SAME, DX,
     "scale", input_gradient(lambda layer, dx, dy: dx / len(dx))),
    ("dx-negated", "the input gradient has the wrong sign", SAME, DX, "sign",
     input_gradient(lambda layer, dx, dy: -dx)),
    ("dx-after-update", "the gradient goes back through weights that have made their step", SAME,
     DX, "update-before-gradient", input_gradient_with(kernel=stepped)),
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
     "batch-mixed", gradient("kernel", first_sample)),
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
]


def cousin_with(layer, x, rounded):
    """The output of the layer from rounded numbers."""
    other = cousin(layer, x.shape, activation=None)
    other.kernel[...] = rounded(layer.kernel)
    return other.affine(rounded(x))


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single(FAMILY, f"{LAYER}-{name}", sentence, network, LAYER, tensor, cause, inject,
                     *also)
