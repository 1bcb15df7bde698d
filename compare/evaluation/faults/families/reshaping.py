"""Faults of layers that only move numbers: Flatten, Reshape, Permute, borders, upsampling."""

import numpy as np

from compare.evaluation.faults.families.convolution import WINDOWS, modifying
from compare.evaluation.faults.families.making import of_layers
from compare.evaluation.faults.injection import input_gradient, moved, output, patched, rotated
from compare.evaluation.faults.networks import around

OUT, DX = "output", "input_gradient"
FLATTEN = around("Flatten")
RESHAPE = around("Reshape", target_shape=(3, -1))
PERMUTE = around("Permute", dims=(2, 3, 1))
PADDING = around("ZeroPadding2D", padding=((1, 0), (0, 2)))
CROPPING = around("Cropping2D", cropping=((0, 1), (2, 0)))
UPSAMPLING = around("UpSampling2D", size=(2, 3))
UPSAMPLING_1D = around("UpSampling1D", size=3)
PADDING_1D = around("ZeroPadding1D", padding=(2, 1))


def by_channel(layer, y, x):
    return np.moveaxis(x, -1, 1).reshape(y.shape)


def by_channel_back(layer, dx, dy):
    n, height, width, channels = dx.shape
    return np.moveaxis(dy.reshape(n, channels, height, width), 1, -1)


def fortran(layer, y, x):
    return np.stack([sample.reshape(y.shape[1:], order="F") for sample in x])


def fortran_back(layer, dx, dy):
    return np.stack([sample.reshape(dx.shape[1:], order="F") for sample in dy])


def inverse_order(layer, y, x):
    return x.transpose(np.argsort((0, *layer.dims))).reshape(y.shape)


def same_order_back(layer, dx, dy):
    return dy.transpose(0, *layer.dims).reshape(dx.shape)


def nearest_pixel(layer, y, x):
    return np.pad(x, layer.widths(x.ndim), mode="edge")


def other_side(layer, y, x):
    return np.pad(x, [widths[::-1] for widths in layer.widths(x.ndim)])


def other_side_cut(layer, y, x):
    widths = [pair[::-1] for pair in layer.widths(x.ndim)]
    return x[tuple(slice(a, n - b) for n, (a, b) in zip(x.shape, widths))]


def tiled(layer, y, x):
    return np.tile(x, (1, *layer.size, 1))


def mean_back(layer, dx, dy):
    return dx / (dy.size // dx.size)


def first_copy(layer, dx, dy):
    rows, columns = layer.size
    return dy[:, ::rows, ::columns]


TABLE = [
    ("Flatten", "by-channel", "takes the numbers channel by channel", FLATTEN, OUT,
     "flatten-order", output(by_channel), ("axes-permuted",)),
    ("Flatten", "samples-rotated", "each output is that of the sample before", FLATTEN, OUT,
     "batch-mixed", output(lambda layer, y, x: rotated(y))),
    ("Flatten", "dx-by-channel", "puts the gradient back channel by channel", FLATTEN, DX,
     "flatten-order", input_gradient(by_channel_back), ("axes-permuted",)),
    ("Flatten", "input-modified", "centres its input in place", FLATTEN, "input",
     "input-modified", lambda layer: patched(
         layer, forward=lambda self, right, x, training=False: modifying(
             self, lambda z: right(z, training).copy(), x))),
    ("Reshape", "fortran-order", "takes and puts the numbers column by column", RESHAPE, OUT,
     "axes-permuted", output(fortran), ("flatten-order",)),
    ("Reshape", "dx-fortran-order", "puts the gradient back column by column", RESHAPE, DX,
     "axes-permuted", input_gradient(fortran_back), ("flatten-order",)),
    ("Permute", "inverse", "the axes go where they should come from", PERMUTE, OUT,
     "axes-permuted", output(inverse_order), ("flatten-order",)),
    ("Permute", "dx-same-order", "the gradient is permuted like the input, not back", PERMUTE, DX,
     "axes-permuted", input_gradient(same_order_back), ("flatten-order",)),
    ("ZeroPadding2D", "other-side", "the border's two sides are swapped", PADDING, OUT,
     "padding-side", output(other_side), WINDOWS),
    ("ZeroPadding2D", "edge", "the border holds the nearest pixel", PADDING, OUT, "padding-value",
     output(nearest_pixel)),
    ("ZeroPadding2D", "dx-shifted", "the gradient is cut out one row too low", PADDING, DX,
     "padding-side", input_gradient(lambda layer, dx, dy: dy[:, :dx.shape[1], :dx.shape[2]]),
     WINDOWS),
    ("ZeroPadding1D", "dx-negated", "the input gradient has the wrong sign", PADDING_1D, DX,
     "sign", input_gradient(lambda layer, dx, dy: -dx)),
    ("ZeroPadding1D", "ones", "the border holds ones", PADDING_1D, OUT, "padding-value",
     output(lambda layer, y, x: np.pad(x, layer.widths(x.ndim), constant_values=1))),
    ("Cropping2D", "other-side", "cuts off the other sides", CROPPING, OUT, "padding-side",
     output(other_side_cut), (*WINDOWS, "border-dropped")),
    ("Cropping2D", "dx-shifted", "the gradient is put back one column too far", CROPPING, DX,
     "shifted", input_gradient(lambda layer, dx, dy: moved(dx, -1, 2)), WINDOWS),
    ("UpSampling2D", "tiled", "repeats the image in place of its pixels", UPSAMPLING, OUT,
     "axes-permuted", output(tiled), ("flatten-order",)),
    ("UpSampling2D", "dx-mean", "the gradient is the copies' mean, not their sum", UPSAMPLING, DX,
     "scale", input_gradient(mean_back)),
    ("UpSampling2D", "dx-first-copy", "only the first copy sends its gradient back", UPSAMPLING,
     DX, "overlap-overwritten", input_gradient(first_copy)),
    ("UpSampling1D", "dx-mean", "the gradient is the copies' mean, not their sum", UPSAMPLING_1D,
     DX, "scale", input_gradient(mean_back)),
    ("UpSampling1D", "output-shifted", "the output comes one step late", UPSAMPLING_1D, OUT,
     "shifted", output(lambda layer, y, x: moved(y, 1, 1)), WINDOWS),
]


def faults():
    """All of them."""
    return of_layers(TABLE, "Reshaping")
