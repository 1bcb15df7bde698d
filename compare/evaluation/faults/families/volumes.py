"""Faults of layers with three spatial axes: convolutions, poolings, borders, upsampling."""

import itertools

import numpy as np

from compare.evaluation.faults.families.convolution import WINDOWS
from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.families.pooling import pooled_by, sum_of_window
from compare.evaluation.faults.injection import (
    cousin,
    cropped,
    gradient,
    input_gradient,
    input_gradient_with,
    moved,
    output,
    output_with,
    rotated,
)
from compare.evaluation.faults.networks import around
from scratch.layers import AveragePooling3D

OUT, DX, DK, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
SAME = around("Conv3D", filters=3, kernel_size=(2, 3, 1), padding="same")
VALID = around("Conv3D", filters=3, kernel_size=(2, 1, 2), strides=(1, 2, 1))
GROUPED = around("Conv3D", filters=4, kernel_size=(2, 1, 2), groups=2)
BACK = around("Conv3DTranspose", filters=3, kernel_size=(2, 3, 1), strides=(1, 2, 1))
MAX = around("MaxPooling3D", pool_size=(2, 1, 3), strides=(1, 2, 2), padding="same")
AVERAGE = around("AveragePooling3D", pool_size=(2, 3, 1), strides=(1, 2, 1))
GLOBAL = around("GlobalAveragePooling3D")
PADDING = around("ZeroPadding3D", padding=((1, 0), (0, 2), (1, 1)))
CROPPING = around("Cropping3D", cropping=((0, 1), (2, 0), (1, 0)))
LARGER = around("UpSampling3D", size=(2, 1, 3))


def flipped(kernel):
    return kernel[::-1, ::-1, ::-1]


def without_stride(layer, y, x):
    """Goes on by one voxel in every direction."""
    return cropped(cousin(layer, x.shape, strides=1, activation=None).affine(x), y.shape)


def first_of_ties(layer, dx, dy):
    """As in images: of numbers that tie for the largest only the first gets the gradient."""
    x, wrong = layer._steps[0][1], np.zeros_like(dx)
    walks = layer.walks(dx.shape)
    x = x[:, :, :, walks[2].before:walks[2].before + dx.shape[3]]  # padded along the last axis
    for window in itertools.product(*[range(walk.outputs) for walk in walks]):
        seen = []  # the window's voxels, row-major
        for place in itertools.product(*[range(walk.kernel) for walk in walks]):
            at = tuple(w * walk.stride + k - walk.before
                       for w, walk, k in zip(window, walks, place))
            if all(0 <= i < walk.size for i, walk in zip(at, walks)):
                seen.append((slice(None), *at))
        winner = np.stack([x[at] for at in seen]).argmax(axis=0)
        for k, at in enumerate(seen):
            wrong[at] += (winner == k) * dy[(slice(None), *window)]
    return wrong


def tiled(layer, y, x):
    return np.tile(x, (1, *layer.size, 1))


def other_side(layer, y, x):
    widths = [pair[::-1] for pair in layer.widths(x.ndim)]
    return np.pad(x, widths)


def other_side_cut(layer, y, x):
    widths = layer.widths(x.ndim)
    return x[tuple(slice(after, n - before) for n, (before, after) in zip(x.shape, widths))]


# class, name, sentence, network, tensor, cause, injection, causes that are the same
TABLE = [
    ("Conv3D", "kernel-flipped", "the kernel is flipped on all axes", SAME, OUT, "kernel-flipped",
     output_with(kernel=flipped)),
    ("Conv3D", "planes-flipped", "the kernel is flipped along its planes", SAME, OUT,
     "kernel-flipped", output_with(kernel=lambda k: k[::-1]), ("shifted", *WINDOWS)),
    ("Conv3D", "stride-ignored", "goes on by one voxel in place of two", VALID, OUT,
     "stride-ignored", output(without_stride)),
    ("Conv3D", "groups-reversed", "each group of filters sees the other group's channels", GROUPED,
     OUT, "groups-ignored", output(lambda layer, y, x: layer.__class__.__mro__[1].affine(
         layer, np.concatenate([x[..., 2:], x[..., :2]], axis=-1)))),
    ("Conv3D", "bias-missing", "the bias is not added", SAME, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("Conv3D", "output-shifted", "the output lies one plane too deep", SAME, OUT, "shifted",
     output(lambda layer, y, x: moved(y, 1, 1))),
    ("Conv3D", "dx-kernel-flipped", "the gradient goes back through the flipped kernel", SAME, DX,
     "kernel-flipped", input_gradient_with(kernel=lambda layer: flipped(layer.kernel))),
    ("Conv3D", "dx-samples-rotated", "each input gradient is that of the sample before", SAME, DX,
     "batch-mixed", input_gradient(lambda layer, dx, dy: rotated(dx))),
    ("Conv3D", "dk-mean", "the kernel's gradient is divided by the batch once more", SAME, DK,
     "scale", gradient("kernel", lambda layer, g, dy: g / len(dy))),
    ("Conv3D", "db-missing", "the bias has no gradient", SAME, DB, "bias-missing",
     gradient("bias", lambda layer, g, dy: 0 * g), ("gradient-missing",)),
    ("Conv3DTranspose", "kernel-flipped", "the kernel is flipped on all axes", BACK, OUT,
     "kernel-flipped", output_with(kernel=flipped)),
    ("Conv3DTranspose", "bias-missing", "the bias is not added", BACK, OUT, "bias-missing",
     output(lambda layer, y, x: y - layer.bias)),
    ("Conv3DTranspose", "dx-kernel-flipped", "the gradient comes back through the flipped kernel",
     BACK, DX, "kernel-flipped", input_gradient_with(kernel=lambda layer: flipped(layer.kernel))),
    ("MaxPooling3D", "average", "the mean of a window in place of its largest number", MAX, OUT,
     "pool-kind", pooled_by(AveragePooling3D)),
    ("MaxPooling3D", "ties-first", "of numbers that tie the first one alone gets the gradient", MAX,
     DX, "pool-ties", input_gradient(first_of_ties)),
    ("AveragePooling3D", "sum", "the sum of a window in place of its mean", AVERAGE, OUT, "scale",
     output(sum_of_window)),
    ("AveragePooling3D", "dx-not-divided", "each voxel gets the whole gradient of its window",
     AVERAGE, DX, "scale", input_gradient(lambda layer, dx, dy: dx * np.prod(layer.pool_size))),
    ("GlobalAveragePooling3D", "maximum", "the largest number in place of the mean", GLOBAL, OUT,
     "pool-kind", output(lambda layer, y, x: x.max(axis=(1, 2, 3)))),
    ("GlobalAveragePooling3D", "dx-not-divided", "each voxel gets the whole gradient", GLOBAL, DX,
     "scale", input_gradient(lambda layer, dx, dy: dx * np.prod(dx.shape[1:4]))),
    ("ZeroPadding3D", "other-side", "the border's two sides are swapped", PADDING, OUT,
     "padding-side", output(other_side), WINDOWS),
    ("Cropping3D", "other-side", "cuts off the other sides", CROPPING, OUT, "padding-side",
     output(other_side_cut), (*WINDOWS, "border-dropped")),
    ("UpSampling3D", "tiled", "repeats the volume in place of its voxels", LARGER, OUT,
     "axes-permuted", output(tiled), ("flatten-order",)),
    ("UpSampling3D", "dx-first-copy", "only the first copy sends its gradient back", LARGER, DX,
     "overlap-overwritten", input_gradient(lambda layer, dx, dy: dy[:, ::2, :, ::3])),
]


def faults():
    """All of them."""
    return of_layers(TABLE)
