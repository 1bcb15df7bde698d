"""Axes in another order, put in and taken out: keras.ops.transpose, swapaxes, moveaxis,
expand_dims, squeeze. The batch stays first."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.axes import axis_of, distinct_axes, whole_axes, whole_axis
from scratch.operations.operation import Operation


class Reordering(Operation):
    """Base: the input's axes in the order that `order(rank)` names; axis 0, the batch, stays."""

    def order(self, rank: int) -> tuple[int, ...]:
        """For each axis of the output that of the input.

        Raises:
            ValueError: if that is no order of so many axes.
        """
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        order = self.order(len(input_shape))
        if sorted(order) != list(range(len(input_shape))):
            raise ValueError(f"{self}: expected each of {len(input_shape)} axes once. "
                             f"Received: {order}")
        if order[0] != 0:
            raise UnsupportedError(
                f"{self} does not support another place for the batch than the first one. "
                f"Received: axes {order}. Expected: the batch first, as in (0, ...); what is to be "
                "apart, such as query, key and value, can be cut out of an axis behind it, by "
                "x[:, :, 0] or keras.ops.split.")
        return tuple(input_shape[axis] for axis in order)

    def forward(self, x, training=False):
        # (N, a, b, c) -> (N, c, a, b) where the order is (0, 3, 1, 2)
        return x.transpose(self.order(x.ndim))

    def backward(self, dy, wants_input_gradient=True):
        # (N, c, a, b) -> (N, a, b, c)
        return dy.transpose(np.argsort(self.order(dy.ndim))) if wants_input_gradient else None


class TransposeOperation(Reordering):
    """Axis i of the output is axis axes[i] of the input.

    Args:
        axes: the numbers of all axes, the batch's 0 first; None for the reverse order.
        operands, name: see `Operation`.

    Raises:
        ValueError: if `axes` does not name each axis once.
        UnsupportedError: for another first axis.
    """

    sample_by_sample = True

    def __init__(self, axes=None, **kwargs):
        super().__init__(**kwargs)
        self.axes = None if axes is None else [whole_axis(axis, self) for axis in axes]

    def order(self, rank):
        if self.axes is None:
            return tuple(reversed(range(rank)))
        return tuple(axis % rank if -rank <= axis < rank else axis for axis in self.axes)

    def get_config(self):
        return {**super().get_config(), "axes": self.axes}


class SwapaxesOperation(Reordering):
    """Two axes, not the batch's, change places.

    Args:
        axis1, axis2: which.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input does not have.
        UnsupportedError: for the batch's.
    """

    sample_by_sample = True

    def __init__(self, axis1, axis2, **kwargs):
        super().__init__(**kwargs)
        self.axis1, self.axis2 = whole_axis(axis1, self), whole_axis(axis2, self)

    def order(self, rank):
        order = list(range(rank))
        for axis in (self.axis1, self.axis2):
            if not -rank <= axis < rank:
                raise ValueError(f"{self}: expected axes of an input of {rank}. Received: {axis}")
        one, other = self.axis1 % rank, self.axis2 % rank
        order[one], order[other] = order[other], order[one]
        return tuple(order)

    def get_config(self):
        return {**super().get_config(), "axis1": self.axis1, "axis2": self.axis2}


class MoveaxisOperation(Reordering):
    """Some axes moved to other places, the others in their order.

    Args:
        source, destination: one axis each, or as many in two lists.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input does not have.
        UnsupportedError: if the batch's moves.
    """

    sample_by_sample = True

    def __init__(self, source, destination, **kwargs):
        super().__init__(**kwargs)
        self.source, self.destination = whole_axes(source, self), whole_axes(destination, self)

    def order(self, rank):
        lists = [[axis] if isinstance(axis, int) else axis
                 for axis in (self.source, self.destination)]
        found = [[axis % rank for axis in axes if -rank <= axis < rank] for axes in lists]
        if len({len(axes) for axes in lists + found}) > 1:
            raise ValueError(f"{self}: expected as many axes from as to, of an input of {rank}. "
                             f"Received: source={self.source}, destination={self.destination}")
        order = [axis for axis in range(rank) if axis not in found[0]]
        for destination, source in sorted(zip(found[1], found[0])):
            order.insert(destination, source)
        return tuple(order)

    def get_config(self):
        return {**super().get_config(), "source": self.source, "destination": self.destination}


class ExpandDimsOperation(Operation):
    """Axes of length 1 put in.

    Args:
        axis: where they are in the output, one or several, counted from the front or from the back.
        operands, name: see `Operation`.

    Raises:
        ValueError: for a place in front of the batch, or one that the output does not have.
    """

    sample_by_sample = True

    def __init__(self, axis, **kwargs):
        super().__init__(**kwargs)
        self.axis = whole_axes(axis, self)

    def _places(self, rank: int) -> tuple[int, ...]:
        """Of the new axes in the output, for inputs of so many."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        rank += len(axes)
        return tuple(axis_of(axis, (None, *[1] * (rank - 1)), self) for axis in axes)

    def compute_output_shape(self, input_shape):
        rest, places = iter(input_shape), self._places(len(input_shape))
        return tuple(1 if i in places else next(rest)
                     for i in range(len(input_shape) + len(places)))

    def forward(self, x, training=False):
        self._shape = x.shape
        # (N, a, b) -> (N, 1, a, b) where axis is 1
        return np.expand_dims(x, self._places(x.ndim))

    def backward(self, dy, wants_input_gradient=True):
        # (N, 1, a, b) -> (N, a, b)
        return dy.reshape(self._shape) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class SqueezeOperation(Operation):
    """Axes of length 1 taken out.

    Args:
        axis: one or several; None for all of them but the batch's.
        operands, name: see `Operation`.

    Raises:
        ValueError: for the batch's, or axes of another length.
    """

    sample_by_sample = True

    def __init__(self, axis=None, **kwargs):
        super().__init__(**kwargs)
        self.axis = None if axis is None else whole_axes(axis, self)

    def compute_output_shape(self, input_shape):
        if self.axis is None:
            return (input_shape[0], *(n for n in input_shape[1:] if n != 1))
        places = distinct_axes(self.axis, input_shape, self)
        if any(input_shape[axis] != 1 for axis in places):
            raise ValueError(f"{self}: expected axes of length 1. Received: axis={self.axis}, "
                             f"input_shape={tuple(input_shape)}")
        return tuple(n for i, n in enumerate(input_shape) if i not in places)

    def forward(self, x, training=False):
        self._shape = x.shape
        # (N, 1, a, b) -> (N, a, b) where axis is 1
        return x.reshape(x.shape[0], *self.compute_output_shape(x.shape)[1:])

    def backward(self, dy, wants_input_gradient=True):
        # (N, a, b) -> (N, 1, a, b)
        return dy.reshape(self._shape) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
