"""Faults of Conv2D on its way forward: kernel, bias, windows, precision."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import (
    brain,
    cousin,
    cropped,
    half,
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


def windows(before: tuple, strides=None, dilation_rate=None):
    """The output of windows that start elsewhere, or go on by other steps; zeros lie around.

    Args:
        before: rows and columns before the image at which the first window starts; less than zero
            inside of it.
        strides, dilation_rate: (rows, columns) where they are not the layer's own.
    """
    def change(layer, y, x):
        steps, gaps = strides or layer.strides, dilation_rate or layer.dilation_rate
        sizes = [(n - 1) * step + (k - 1) * gap + 1 for n, step, k, gap
                 in zip(y.shape[1:3], steps, layer.kernel_size, gaps)]
        wide = np.pad(x, [(0, 0), *((size + abs(skip),) * 2 for size, skip
                                    in zip(sizes, before)), (0, 0)])
        rows, columns = (slice(size + abs(skip) - skip, 2 * size + abs(skip) - skip)
                         for size, skip in zip(sizes, before))
        part = wide[:, rows, columns]
        return cousin(layer, part.shape, padding="valid", strides=steps, dilation_rate=gaps,
                      activation=None).affine(part)

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


def groups_summed(layer, y, x):
    """All filters read the sum of the groups' channels."""
    parts = x.reshape(*x.shape[:3], layer.groups, -1).sum(axis=3)
    return cousin(layer, x.shape, activation=None).affine(np.tile(parts, layer.groups))


def one_off(share: float):
    """A kernel of which one weight is larger by that share."""
    def change(kernel):
        kernel = kernel.copy()
        kernel[0, 1, -1, 2] *= kernel.dtype.type(1 + share)
        return kernel

    return change


def not_a_number(layer, y, x):
    y = y.copy()
    y[-1, 0, -1, 0] = np.nan
    return y


def last_column_zero(layer, y, x):
    y = y.copy()
    y[:, :, -1] = 0
    return y


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


OUT = "output"
TABLE = [
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
     output_with(kernel=one_off(1e-4))),
    ("bias-missing", "the bias is not added", SAME, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("bias-doubled", "the bias is added twice", SAME, OUT, "bias-doubled",
     output(lambda layer, y, x: y + layer.bias)),
    ("bias-untied", "each position has a bias of its own", SAME, OUT, "bias-untied",
     output(by_position)),
    ("padding-before", "the odd column of padding stands before the image", SAME, OUT,
     "padding-side", windows(before=(1, 1)), WINDOWS),
    ("padding-all-before", "all of the padding stands before the image", SAME, OUT,
     "padding-side", windows(before=(2, 1)), WINDOWS),
    ("padding-symmetric", "pads by half the kernel on both sides whatever the stride", STRIDED,
     OUT, "padding-side", windows(before=(1, 0)), WINDOWS),
    ("padding-of-whole-kernel", "pads by the kernel's size in place of half of it", SAME, OUT,
     "padding-amount", windows(before=(3, 2)), WINDOWS),
    ("padding-edge", "pads with the nearest pixel", SAME, OUT, "padding-value", padded("edge")),
    ("padding-reflect", "pads with the mirrored image", SAME, OUT, "padding-value",
     padded("reflect")),
    ("padding-ones", "pads with ones", SAME, OUT, "padding-value",
     padded("constant", constant_values=1)),
    ("stride-offset", "strides start at the second row", VALID, OUT, "stride-offset",
     windows(before=(-1, 0)), WINDOWS),
    ("stride-ignored", "goes on by one row in place of two, and stops early", VALID, OUT,
     "stride-ignored", computed_with(strides=1)),
    ("strides-swapped", "the strides of rows and columns are swapped", VALID, OUT,
     "stride-ignored", windows(before=(0, 0), strides=(1, 2))),
    ("dilation-ignored", "reads neighbouring pixels in place of distant ones", DILATED, OUT,
     "dilation-ignored", computed_with(dilation_rate=1)),
    ("dilation-one-for-both", "the dilation of the rows counts for the columns, too", DILATED, OUT,
     "dilation-ignored", computed_with(dilation_rate=2)),
    ("groups-ignored", "all filters read the first group's channels", GROUPED, OUT,
     "groups-ignored", output(first_group)),
    ("groups-summed", "all filters read the channels of all groups, added up", GROUPED, OUT,
     "groups-ignored", output(groups_summed)),
    ("output-transposed", "height and width of the output are swapped in memory", SAME, OUT,
     "axes-permuted", output(lambda layer, y, x: y.swapaxes(1, 2).reshape(y.shape))),
    ("output-upside-down", "the rows of the output come from the last to the first", SAME, OUT,
     "axes-permuted", output(lambda layer, y, x: y[:, ::-1])),
    ("output-rolled", "the output is shifted, and what leaves on one side comes in on the other",
     SAME, OUT, "shifted", output(lambda layer, y, x: np.roll(y, 1, axis=2))),
    ("input-shifted", "reads its input one column too far left, and loses the last one", SAME, OUT,
     "shifted", output(lambda layer, y, x: cousin(
         layer, x.shape, activation=None).affine(moved(x, 1, 2))), WINDOWS),
    ("output-shifted", "the output lies one row too low", SAME, OUT, "shifted",
     output(lambda layer, y, x: moved(y, 1, 1))),
    ("samples-rotated", "each output is that of the sample before", SAME, OUT, "batch-mixed",
     output(lambda layer, y, x: rotated(y))),
    ("samples-reversed", "the outputs come from the last sample to the first", SAME, OUT,
     "batch-mixed", output(lambda layer, y, x: y[::-1])),
    ("last-column-dropped", "the last column of the output stays zero", SAME, OUT,
     "border-dropped", output(last_column_zero)),
    ("scaled-1e-3", "the output is larger by one part in a thousand", SAME, OUT, "scale",
     output(lambda layer, y, x: y * 1.001)),
    ("output-negated", "the output has the wrong sign", SAME, OUT, "sign",
     output(lambda layer, y, x: -y)),
    ("float16-output", "the output is rounded to float16 on the way", SAME, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("float16-input", "the input is rounded to float16", SAME, OUT, "low-precision",
     output(lambda layer, y, x: cousin(layer, x.shape, activation=None).affine(half(x)))),
    ("bfloat16-inside", "input and kernel are rounded to bfloat16", SAME, OUT, "low-precision",
     output(lambda layer, y, x: cousin_with(layer, x, brain))),
    ("one-nan", "one output is no number", SAME, OUT, "nan", output(not_a_number)),
    ("state-leak", "a work buffer is not cleared between calls", SAME, OUT, "state-leak",
     output(leaking)),
    ("input-modified", "centres its input in place", SAME, "input", "input-modified",
     lambda layer: patched(layer, affine=modifying)),
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
