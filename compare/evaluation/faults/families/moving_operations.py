"""Faults of operations between layers that move numbers: transposes, stacks, parts of an axis,
rolls, flips, copies."""

import numpy as np

from compare.evaluation.faults.families.making import of_operations
from compare.evaluation.faults.injection import input_gradient, output
from compare.evaluation.faults.networks import SEQUENCE, around, joined

OUT, DX, FIRST, SECOND = "output", "input_gradient", "input_gradient_1", "input_gradient_2"
AXES, AXIS, PART, COPIES = "axes-permuted", "axis-other", "part-other", "copies-order"
LOST = "copies-not-added"
TRANSPOSE = around("TransposeOperation", batch=3, axes=[0, 3, 1, 2])
SWAPAXES = around("SwapaxesOperation", batch=3, axis1=1, axis2=2)
MOVEAXIS = around("MoveaxisOperation", batch=3, source=1, destination=-1)
RESHAPE = around("ReshapeOperation", batch=3, newshape=[-1, 12, 10])
STACK = joined("StackOperation", batch=3, axis=2, operands=[None, None])
CONCATENATE = joined("ConcatenateOperation", batch=3, second=3, axis=-1, operands=[None, None])
EVEN = joined("ConcatenateOperation", batch=3, axis=2, operands=[None, None])
SPLIT = around("SplitOperation", batch=3, name="split:0", indices_or_sections=2, axis=-1, place=0)
SPLIT_AT = around("SplitOperation", batch=3, name="split:1", indices_or_sections=[1, 3], axis=2,
                  place=1)
UNSTACK = around("UnstackOperation", batch=3, name="unstack:2", axis=1, place=2)
UNSTACK_SQUARE = around("UnstackOperation", SEQUENCE, batch=3, channels=7, name="unstack:2", axis=1,
                        place=2)
WHOLE = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": None}}
EVERY_SECOND = {"class_name": "__slice__", "config": {"start": 1, "stop": None, "step": 2}}
GET_ITEM = around("GetItemOperation", batch=3, key=[WHOLE, EVERY_SECOND])
GET_ROW = around("GetItemOperation", batch=3, key=[WHOLE, -1])
ROLL = around("RollOperation", batch=3, shift=[2], axis=[1])
FLIP = around("FlipOperation", batch=3, axis=1)
TILE = around("TileOperation", batch=3, repeats=[1, 1, 3, 1])
REPEAT = around("RepeatOperation", batch=3, repeats=2, axis=1)


def ordered(*axes):
    """The numbers in another order of the axes, in the shape that they should have."""
    return output(lambda layer, y, x: x.transpose(axes).reshape(y.shape))


def ordered_back(*axes):
    return input_gradient(lambda layer, dx, dy: dy.transpose(axes).reshape(dx.shape))


def as_it_lies(layer, y, x):
    return x.reshape(y.shape)


def gradient_as_it_lies(layer, dx, dy):
    return dy.reshape(dx.shape)


def by_column(layer, y, x):
    return np.stack([sample.reshape(y.shape[1:], order="F") for sample in x])


def by_column_back(layer, dx, dy):
    return np.stack([sample.reshape(dx.shape[1:], order="F") for sample in dy])


def taken(part):
    """The numbers at other indices come out."""
    return output(lambda layer, y, x: x[part])


def put(part):
    """The gradient is put at other indices."""
    def change(layer, dx, dy):
        made = np.zeros_like(dx)
        made[part] = dy
        return made

    return input_gradient(change)


def along(axis, change):
    """What is done along another axis, in the shape that the right result has."""
    return output(lambda layer, y, x: change(x, axis).reshape(y.shape))


def copies(dy, axis, times, apart):
    """The gradients of the copies along an axis of their own, the last one: of whole tensors, or of
    single numbers."""
    n = dy.shape[axis] // times
    shape = (*dy.shape[:axis], *((times, n) if apart else (n, times)), *dy.shape[axis + 1:])
    return np.moveaxis(dy.reshape(shape), axis + (not apart), -1)


def of_copies(axis, times, apart, put_together):
    return input_gradient(lambda layer, dx, dy: put_together(copies(dy, axis, times, apart)))


TABLE = [
    ("Transpose", "inverse", "the axes go where they should come from", TRANSPOSE, OUT, AXES,
     ordered(0, 2, 3, 1), ("flatten-order",)),
    ("Transpose", "reshape", "the numbers are reshaped in place of transposed", TRANSPOSE, OUT,
     AXES, output(as_it_lies), ("flatten-order",)),
    ("Transpose", "dx-same-order", "the gradient is transposed like the input, not back", TRANSPOSE,
     DX, AXES, ordered_back(0, 3, 1, 2), ("flatten-order",)),
    ("Transpose", "dx-reshape", "the gradient is reshaped in place of transposed back", TRANSPOSE,
     DX, AXES, input_gradient(gradient_as_it_lies), ("flatten-order",)),
    ("Swapaxes", "reshape", "rows and columns change places by a reshape", SWAPAXES, OUT, AXES,
     output(as_it_lies)),
    ("Swapaxes", "dx-reshape", "the gradient is reshaped in place of transposed back", SWAPAXES, DX,
     AXES, input_gradient(gradient_as_it_lies)),
    ("Moveaxis", "swapped", "the two axes change places in place of one moving", MOVEAXIS, OUT,
     AXES, ordered(0, 3, 2, 1)),
    ("Moveaxis", "dx-moved-again", "the gradient's axis moves on, not back", MOVEAXIS, DX, AXES,
     ordered_back(0, 2, 3, 1)),
    ("Reshape", "fortran-order", "takes and puts the numbers column by column", RESHAPE, OUT, AXES,
     output(by_column), ("flatten-order",)),
    ("Reshape", "channels-first", "reads the channels first", RESHAPE, OUT, "flatten-order",
     ordered(0, 3, 1, 2), (AXES,)),
    ("Reshape", "dx-fortran-order", "puts the gradient back column by column", RESHAPE, DX, AXES,
     input_gradient(by_column_back), ("flatten-order",)),
    ("Stack", "other-order", "the inputs stand the other way round", STACK, OUT, "inputs-swapped",
     output(lambda layer, y, x: np.stack(x[::-1], axis=2))),
    ("Stack", "axis", "stacks along another axis", STACK, OUT, AXIS, along(1, np.stack), (AXES,)),
    ("Stack", "first-twice", "the first input stands in the second one's place, too", STACK, OUT,
     "inputs-swapped", output(lambda layer, y, x: np.stack([x[0], x[0]], axis=2))),
    ("Stack", "dx-swapped", "each input gets the other one's gradient", STACK, FIRST,
     "inputs-swapped", input_gradient(lambda layer, dx, dy: dx[::-1])),
    ("Stack", "dx-axis", "the gradient is cut along another axis", STACK, FIRST, AXIS,
     input_gradient(lambda layer, dx, dy: list(
         np.moveaxis(dy.reshape(len(dy), 2, *dx[0].shape[1:]), 1, 0))), (AXES,)),
    ("Concatenate", "other-order", "the inputs stand the other way round", CONCATENATE, OUT,
     "inputs-swapped", output(lambda layer, y, x: np.concatenate(x[::-1], axis=-1))),
    ("Concatenate", "axis", "joins along another axis", EVEN, OUT, AXIS, along(1, np.concatenate),
     (AXES,)),
    ("Concatenate", "interleaved", "columns of the inputs take turns", EVEN, OUT, AXES,
     output(lambda layer, y, x: np.stack(x, axis=3).reshape(y.shape)), (AXIS,)),
    ("Concatenate", "dx-swapped", "each input gets the other one's gradient", EVEN, FIRST,
     "inputs-swapped", input_gradient(lambda layer, dx, dy: dx[::-1])),
    ("Concatenate", "dx-other-order", "the gradient is cut as if the second input stood first",
     CONCATENATE, FIRST, "inputs-swapped", input_gradient(
         lambda layer, dx, dy: [dy[..., 3:], dy[..., :3]]), ("shifted", AXES)),
    ("Concatenate", "dx-first-for-both", "both inputs get the first one's gradient", EVEN, SECOND,
     "inputs-swapped", input_gradient(lambda layer, dx, dy: [dx[0], dx[0]])),
    ("Split", "other-part", "the second part in place of the first", SPLIT, OUT, PART,
     taken(np.s_[..., 2:])),
    ("Split", "take-turns", "the parts take turns along the axis", SPLIT, OUT, PART,
     taken(np.s_[..., ::2])),
    ("Split", "axis", "cuts along another axis", SPLIT, OUT, AXIS,
     along(1, lambda x, axis: np.split(x, 2, axis)[0])),
    ("Split", "dx-other-part", "the gradient goes to the second part", SPLIT, DX, PART,
     put(np.s_[..., 2:])),
    ("Split", "dx-everywhere", "every part gets the gradient of this one", SPLIT, DX, PART,
     input_gradient(lambda layer, dx, dy: np.concatenate([dy, dy], axis=-1))),
    ("Split", "one-late", "the part begins one place late", SPLIT_AT, OUT, PART,
     taken(np.s_[:, :, 2:4])),
    ("Split", "dx-one-early", "the gradient is put one place early", SPLIT_AT, DX, PART,
     put(np.s_[:, :, :2]), ("shifted",)),
    ("Unstack", "next", "what lies at the next place", UNSTACK, OUT, PART, taken(np.s_[:, 3])),
    ("Unstack", "from-the-end", "places are counted from the end", UNSTACK, OUT, PART,
     taken(np.s_[:, -3])),
    ("Unstack", "axis", "takes the place of another axis", UNSTACK_SQUARE, OUT, AXIS,
     taken(np.s_[:, :, 2])),
    ("Unstack", "dx-other-place", "the gradient is put at the next place", UNSTACK, DX, PART,
     put(np.s_[:, 3]), ("shifted",)),
    ("Unstack", "dx-everywhere", "every place gets the gradient", UNSTACK, DX, PART,
     input_gradient(lambda layer, dx, dy: np.broadcast_to(dy[:, None], dx.shape))),
    ("GetItem", "from-the-first", "every second row from the first on", GET_ITEM, OUT, PART,
     taken(np.s_[:, ::2])),
    ("GetItem", "no-step", "rows one after the other in place of every second", GET_ITEM, OUT, PART,
     taken(np.s_[:, 1:4])),
    ("GetItem", "backwards", "the rows come from the last one on", GET_ITEM, OUT, AXES,
     taken(np.s_[:, ::-2]), (PART,)),
    ("GetItem", "dx-from-the-first", "the gradient is put at the rows before", GET_ITEM, DX, PART,
     put(np.s_[:, ::2]), ("shifted",)),
    ("GetItem", "first-for-last", "the first row in place of the last", GET_ROW, OUT, PART,
     taken(np.s_[:, 0])),
    ("GetItem", "dx-first-for-last", "the gradient goes to the first row, not the last", GET_ROW,
     DX, PART, put(np.s_[:, 0])),
    ("Roll", "other-way", "moves the other way", ROLL, OUT, "shifted",
     output(lambda layer, y, x: np.roll(x, -2, 1))),
    ("Roll", "axis", "moves along another axis", ROLL, OUT, AXIS,
     output(lambda layer, y, x: np.roll(x, 2, 2))),
    ("Roll", "zeros", "what leaves at one end does not come in at the other", ROLL, OUT,
     "border-dropped", output(lambda layer, y, x: np.pad(x[:, :-2], ((0, 0), (2, 0), (0, 0),
                                                                     (0, 0))))),
    ("Roll", "dx-same-way", "the gradient moves on, not back", ROLL, DX, "shifted",
     input_gradient(lambda layer, dx, dy: np.roll(dy, 2, 1))),
    ("Roll", "dx-not-moved", "the gradient stays where it is", ROLL, DX, "gradient-passed-on",
     input_gradient(lambda layer, dx, dy: dy), ("shifted",)),
    ("Flip", "not-turned", "nothing is turned around", FLIP, OUT, AXES,
     output(lambda layer, y, x: x)),
    ("Flip", "axis", "turns around another axis", FLIP, OUT, AXIS,
     output(lambda layer, y, x: x[:, :, ::-1]), (AXES,)),
    ("Flip", "one-late", "turned around and moved by one", FLIP, OUT, "shifted",
     output(lambda layer, y, x: np.roll(x[:, ::-1], 1, 1))),
    ("Flip", "dx-not-turned", "the gradient is not turned back", FLIP, DX, "gradient-passed-on",
     input_gradient(lambda layer, dx, dy: dy), (AXES,)),
    ("Tile", "repeated", "each number is repeated in place of the whole", TILE, OUT, COPIES,
     output(lambda layer, y, x: np.repeat(x, 3, 2)), (AXES,)),
    ("Tile", "axis", "tiles along another axis", TILE, OUT, AXIS,
     along(1, lambda x, axis: np.tile(x, (1, 3, 1, 1))), (AXES,)),
    ("Tile", "dx-repeated", "the gradients of neighbours are added up", TILE, DX, COPIES,
     of_copies(2, 3, False, lambda c: c.sum(-1)), (AXES,)),
    ("Tile", "dx-first-copy", "the first copy alone sends its gradient back", TILE, DX, LOST,
     of_copies(2, 3, True, lambda c: c[..., 0])),
    ("Tile", "dx-mean", "the gradient is the copies' mean, not their sum", TILE, DX, "scale",
     of_copies(2, 3, True, lambda c: c.mean(-1)), (LOST,)),
    ("Repeat", "tiled", "the whole is repeated in place of each number", REPEAT, OUT, COPIES,
     output(lambda layer, y, x: np.tile(x, (1, 2, 1, 1))), (AXES,)),
    ("Repeat", "axis", "repeats along another axis", REPEAT, OUT, AXIS,
     along(2, lambda x, axis: np.repeat(x, 2, axis)), (AXES,)),
    ("Repeat", "dx-tiled", "the gradients of both halves are added up", REPEAT, DX, COPIES,
     of_copies(1, 2, True, lambda c: c.sum(-1)), (AXES,)),
    ("Repeat", "dx-last-copy", "the last copy alone sends its gradient back", REPEAT, DX, LOST,
     of_copies(1, 2, False, lambda c: c[..., -1])),
    ("Repeat", "dx-mean", "the gradient is the copies' mean, not their sum", REPEAT, DX, "scale",
     of_copies(1, 2, False, lambda c: c.mean(-1)), (LOST,)),
]


def faults():
    """All of them."""
    return of_operations(TABLE)
