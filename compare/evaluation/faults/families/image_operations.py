"""Faults of operations between layers on images: borders, blocks of pixels, patches, sizes."""

import numpy as np

from compare.evaluation.faults.families.convolution import WINDOWS
from compare.evaluation.faults.families.making import of_operations
from compare.evaluation.faults.injection import input_gradient, moved, output
from compare.evaluation.faults.networks import around
from scratch.operations import ExtractPatchesOperation

OUT, DX = "output", "input_gradient"
SIDE, VALUE, BLOCKS, LOST = "padding-side", "padding-value", "block-order", "copies-not-added"
WIDTHS = [[0, 0], [2, 1], [0, 3], [0, 0]]
PAD = around("PadOperation", batch=3, pad_width=WIDTHS, constant_values=0.5)
EQUAL = around("PadOperation", batch=3, pad_width=[[0, 0], [1, 2], [3, 0], [0, 0]])
REFLECT = around("PadOperation", batch=3, pad_width=WIDTHS, mode="reflect")
SYMMETRIC = around("PadOperation", batch=3, pad_width=WIDTHS, mode="symmetric")
DEEP = around("DepthToSpaceOperation", batch=3, channels=8, block_size=2)
FLAT = around("SpaceToDepthOperation", (6, 4, 3), batch=3, block_size=2)
PATCHES = around("ExtractPatchesOperation", batch=3, size=[3, 2], strides=[2, 1])
RESIZE = around("ResizeOperation", batch=3, size=[4, 7])


def padded(widths=WIDTHS, **settings):
    return output(lambda layer, y, x: np.pad(x, widths, **settings))


def cut(top, left):
    """The gradient is cut out from another row and column on."""
    return input_gradient(lambda layer, dx, dy: dy[:, top:top + dx.shape[1],
                                                   left:left + dx.shape[2]])


def inside_alone(layer, dx, dy):
    return dy[:, 2:2 + dx.shape[1], :dx.shape[2]]


def as_padded(mode):
    """The gradient of another mode's border."""
    def back(layer, dx, dy):
        numbers = np.pad(np.arange(dx.size).reshape(dx.shape), WIDTHS, mode)
        return np.bincount(numbers.ravel(), dy.ravel(), dx.size).reshape(dx.shape)

    return input_gradient(back)


def spread(x, order, block=2):
    """Channels to the pixels of a block; `order` says where the block's rows, its columns and the
    channels are among the channels."""
    n, rows, columns, c = x.shape
    sizes = [(block, block, c // block**2)[i] for i in order]
    apart = x.reshape(n, rows, columns, *sizes)
    apart = np.moveaxis(apart, [3 + order.index(i) for i in range(3)], [2, 4, 5])
    return apart.reshape(n, rows * block, columns * block, -1)


def gathered(y, order, block=2):
    """The inverse of `spread`."""
    n, rows, columns, c = y.shape
    apart = y.reshape(n, rows // block, block, columns // block, block, c)
    apart = np.moveaxis(apart, [2, 4, 5], [3 + order.index(i) for i in range(3)])
    return apart.reshape(n, rows // block, columns // block, -1)


def pixels(y, order):
    """The numbers of each patch in another order of its rows, columns and channels."""
    apart = y.reshape(*y.shape[:3], 3, 2, -1)
    return apart.transpose(0, 1, 2, *(3 + i for i in order)).reshape(y.shape)


def as_rows(dy):
    """The inverse of `pixels`, of channels that come first."""
    apart = dy.reshape(*dy.shape[:3], -1, 3, 2)
    return apart.transpose(0, 1, 2, 4, 5, 3).reshape(dy.shape)


def one_late(layer, y, x):
    return ExtractPatchesOperation.forward(layer, moved(x, -1, 1))


def nearest(layer, y, x):
    rows, columns = (np.floor((np.arange(m) + 0.5) * n / m).astype(int)
                     for n, m in zip(x.shape[1:3], y.shape[1:3]))
    return x[:, rows][:, :, columns]


def over_patches(put):
    """The gradient is put back patch by patch, where `put` says how."""
    def back(layer, dx, dy):
        made, count = np.zeros(dx.shape), np.zeros(dx.shape)
        for i, j in np.ndindex(*dy.shape[1:3]):
            where = np.s_[:, 2 * i:2 * i + 3, j:j + 2]
            put(made[where], dy[:, i, j].reshape(-1, 3, 2, dx.shape[3]))
            count[where] += 1
        return made / np.maximum(count, 1) if put is added else made

    return input_gradient(back)


def overwritten(there, patch):
    there[...] = patch


def added(there, patch):
    there += patch


SHUFFLE, COLUMNS_FIRST = (2, 0, 1), (1, 0, 2)  # of rows 0 and columns 1 of a block, channels 2
TABLE = [
    ("Pad", "zeros", "the border holds zeros, not the given number", PAD, OUT, VALUE, padded()),
    ("Pad", "other-side", "the border's two sides are swapped", PAD, OUT, SIDE,
     padded([pair[::-1] for pair in WIDTHS], constant_values=0.5), WINDOWS),
    ("Pad", "axes-swapped", "rows and columns have each other's border", EQUAL, OUT, SIDE,
     padded([[0, 0], [3, 0], [1, 2], [0, 0]]), (*WINDOWS, "axes-permuted")),
    ("Pad", "edge", "the border holds the nearest pixel", PAD, OUT, VALUE, padded(mode="edge")),
    ("Pad", "dx-other-side", "the gradient is cut out from the other side", PAD, DX, SIDE,
     cut(1, 3), WINDOWS),
    ("Pad", "dx-corner", "the gradient is cut out from the first row and column on", EQUAL, DX,
     SIDE, cut(0, 0), WINDOWS),
    ("Pad", "reflect-symmetric", "the outermost pixel is mirrored, too", REFLECT, OUT, VALUE,
     padded(mode="symmetric")),
    ("Pad", "reflect-edge", "the nearest pixel is repeated, not mirrored", REFLECT, OUT, VALUE,
     padded(mode="edge")),
    ("Pad", "reflect-zeros", "the border holds zeros", REFLECT, OUT, VALUE, padded()),
    ("Pad", "reflect-dx-inside", "the mirrored border sends no gradient back", REFLECT, DX, LOST,
     input_gradient(inside_alone), (VALUE,)),
    ("Pad", "reflect-dx-symmetric", "the gradient is that of a border with the outermost pixel",
     REFLECT, DX, VALUE, as_padded("symmetric")),
    ("Pad", "symmetric-reflect", "the outermost pixel is not mirrored", SYMMETRIC, OUT, VALUE,
     padded(mode="reflect")),
    ("Pad", "symmetric-wrap", "the image starts anew at its end", SYMMETRIC, OUT, VALUE,
     padded(mode="wrap")),
    ("Pad", "symmetric-dx-edge", "the gradient is that of a border of the nearest pixel", SYMMETRIC,
     DX, VALUE, as_padded("edge")),
    ("DepthToSpace", "pixel-shuffle", "channels lie as in PyTorch's pixel_shuffle", DEEP, OUT,
     BLOCKS, output(lambda layer, y, x: spread(x, SHUFFLE)), ("axes-permuted",)),
    ("DepthToSpace", "columns-first", "a block is filled column by column", DEEP, OUT, BLOCKS,
     output(lambda layer, y, x: spread(x, COLUMNS_FIRST)), ("axes-permuted",)),
    ("DepthToSpace", "reshape", "the numbers are reshaped alone", DEEP, OUT, BLOCKS,
     output(lambda layer, y, x: x.reshape(y.shape)), ("axes-permuted",)),
    ("DepthToSpace", "dx-pixel-shuffle", "the gradient lies as in PyTorch's pixel_unshuffle", DEEP,
     DX, BLOCKS, input_gradient(lambda layer, dx, dy: gathered(dy, SHUFFLE)), ("axes-permuted",)),
    ("SpaceToDepth", "pixel-unshuffle", "channels lie as in PyTorch's pixel_unshuffle", FLAT, OUT,
     BLOCKS, output(lambda layer, y, x: gathered(x, SHUFFLE)), ("axes-permuted",)),
    ("SpaceToDepth", "columns-first", "a block is read column by column", FLAT, OUT, BLOCKS,
     output(lambda layer, y, x: gathered(x, COLUMNS_FIRST)), ("axes-permuted",)),
    ("SpaceToDepth", "dx-pixel-shuffle", "the gradient is put back as by pixel_shuffle", FLAT, DX,
     BLOCKS, input_gradient(lambda layer, dx, dy: spread(dy, SHUFFLE)), ("axes-permuted",)),
    ("SpaceToDepth", "dx-reshape", "the gradient is reshaped alone", FLAT, DX, BLOCKS,
     input_gradient(lambda layer, dx, dy: dy.reshape(dx.shape)), ("axes-permuted",)),
    ("ExtractPatches", "channels-first", "of each patch channel by channel, as PyTorch's unfold",
     PATCHES, OUT, BLOCKS, output(lambda layer, y, x: pixels(y, (2, 0, 1))), ("axes-permuted",)),
    ("ExtractPatches", "columns-first", "of each patch column by column", PATCHES, OUT, BLOCKS,
     output(lambda layer, y, x: pixels(y, (1, 0, 2))), ("axes-permuted",)),
    ("ExtractPatches", "one-late", "the first patch begins at the second row", PATCHES, OUT,
     "stride-offset", output(one_late), WINDOWS),
    ("ExtractPatches", "dx-overwritten", "where patches overlap the last one's gradient stays",
     PATCHES, DX, "overlap-overwritten", over_patches(overwritten), (LOST,)),
    ("ExtractPatches", "dx-mean", "where patches overlap the gradient is their mean", PATCHES, DX,
     "overlap-overwritten", over_patches(added), (LOST,)),
    ("ExtractPatches", "dx-channels-first", "the gradient is read channel by channel", PATCHES, DX,
     BLOCKS, input_gradient(lambda layer, dx, dy: ExtractPatchesOperation.backward(
         layer, as_rows(dy))), ("axes-permuted",)),
    ("Resize", "nearest", "takes the nearest pixel", RESIZE, OUT, "interpolation",
     output(nearest)),
    ("Resize", "dx-moved", "the gradient comes one row late", RESIZE, DX, "shifted",
     input_gradient(lambda layer, dx, dy: moved(dx, 1, 1))),
]


def faults():
    """All of them."""
    return of_operations(TABLE)
