"""The same numbers in another shape, or side by side: keras.ops.reshape, keras.ops.concatenate."""

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
