"""The same numbers in another shape, or side by side: keras.ops.reshape, concatenate, stack."""

import numpy as np

from scratch.layers.axes import axis_of, whole_axis
from scratch.layers.concatenate import Concatenate
from scratch.layers.reshape import Reshape
from scratch.operations.operation import Operation


class ReshapeOperation(Operation, Reshape):
    """The same numbers in another shape, in row-major order.

    Args:
        newshape: with the batch first, which has to be -1: of no other size it is known that it
            stays the batch.
        operands, name: see `Operation`.

    Raises:
        ValueError: for another batch, or a shape that does not hold as many numbers as the input.
    """

    sample_by_sample = True

    def __init__(self, newshape, **kwargs):
        self.newshape = list(newshape)
        if self.newshape[:1] != [-1]:
            raise ValueError("reshape: expected -1 for the batch. "
                             f"Received: newshape={self.newshape}")
        super().__init__(target_shape=self.newshape[1:], **kwargs)

    def get_config(self):
        return {**Operation.get_config(self), "newshape": self.newshape}


class ConcatenateOperation(Operation, Concatenate):
    """The inputs one after the other along `axis`; see `scratch.layers.Concatenate`."""

    takes_list = True
    sample_by_sample = True

    def __init__(self, axis=-1, operands=(None, None), **kwargs):
        super().__init__(axis=axis, operands=operands, **kwargs)

    def get_config(self):
        return {**Operation.get_config(self), "axis": self.axis}


class StackOperation(Operation):
    """Inputs of one shape side by side along a new axis.

    Args:
        axis: where that is in the output; not in front of the batch.
        operands, name: see `Operation`.

    Raises:
        ValueError: for inputs of different shapes, or a place that the output does not have.
    """

    merges = True
    takes_list = True
    sample_by_sample = True

    def __init__(self, axis=0, operands=(None, None), **kwargs):
        super().__init__(operands=operands, **kwargs)
        self.axis = whole_axis(axis, self)

    def compute_output_shape(self, input_shapes):
        shapes = [tuple(shape) for shape in input_shapes]
        if len({shape[1:] for shape in shapes}) > 1:
            raise ValueError(f"{self}: expected inputs of one shape. Received: {shapes}")
        axis = axis_of(self.axis, (*shapes[0], 1), self)
        return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])

    def forward(self, x, training=False):
        # (N, a), (N, a) -> (N, 2, a) where axis is 1
        return np.stack(x, axis=self.axis)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, 2, a) -> (2, N, a) -> (N, a) each
        return list(np.moveaxis(dy, self.axis, 0))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
