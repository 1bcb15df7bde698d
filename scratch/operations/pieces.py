"""One piece of those into which a tensor is cut: keras.ops.split, keras.ops.unstack.

Keras's operation has all pieces for its outputs. Here each that is read is an operation of its own,
called `split:0`, `split:1` ... by Keras's name and the piece's number.
"""

import numbers

import numpy as np

from scratch.layers.axes import axis_of, whole_axis
from scratch.operations.operation import Operation

APART = ":"  # between Keras's name and the number of the piece


class Piece(Operation):
    """Base.

    Args:
        axis: along which the tensor is cut; not the batch's.
        place: which of the pieces it is, from 0.
        operands, name: see `Operation`.
    """

    said_at_call = ("operands", "place")

    def __init__(self, axis, place=0, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.place = whole_axis(axis, self), whole_axis(place, self)

    @property
    def name_ending(self) -> str:
        """What a name that is given to it ends in."""
        return f"{APART}{self.place}"

    @property
    def whole(self) -> str:
        """Keras's name for the operation with all pieces."""
        return str(self.name).removesuffix(self.name_ending)

    def _limits(self, input_shape: tuple) -> tuple[int, int, int]:
        """(the axis from the front, where on it the piece begins, and ends).

        Raises:
            ValueError: if there is no such piece.
        """
        raise NotImplementedError

    def _indices(self, shape: tuple) -> tuple:
        axis, start, stop = self._limits(shape)
        return (*[slice(None)] * axis, slice(start, stop))

    def forward(self, x, training=False):
        self._shape = x.shape
        return x[self._indices(x.shape)]

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        dx = np.zeros(self._shape, dy.dtype)
        dx[self._indices(self._shape)] = dy
        return dx

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "place": self.place}

    def keras_entry(self):
        entry = super().keras_entry()
        entry["config"]["name"] = self.whole
        return entry

    def _require(self, there: bool, pieces: int, shape: tuple) -> None:
        if not there:
            raise ValueError(f"{self}: expected a piece of {pieces}, from 0. "
                             f"Received: place={self.place}, input_shape={tuple(shape)}")


class SplitOperation(Piece):
    """One of several parts of an axis, which lie one after the other.

    Args:
        indices_or_sections: how many parts, all as long; or a list of where they end but the last.
        axis: which, not the batch's.
        place: the number of the part, from 0.
        operands, name: see `Operation`.

    Raises:
        ValueError: for an axis that the input does not have or that cannot be cut so, or a part
            that is not there.
    """

    sample_by_sample = True

    def __init__(self, indices_or_sections, axis=0, place=0, **kwargs):
        super().__init__(axis, place, **kwargs)
        given = indices_or_sections
        self.indices_or_sections = [whole_axis(n, self) for n in given] \
            if isinstance(given, (list, tuple)) else whole_axis(given, self)

    def _limits(self, input_shape):
        axis, given = axis_of(self.axis, tuple(input_shape), self), self.indices_or_sections
        size = input_shape[axis]
        if isinstance(given, numbers.Integral):
            if given < 1 or size % given:
                raise ValueError(f"{self}: expected {given} parts as long as each other. "
                                 f"Received: an axis of {size}")
            ends = [size // given * i for i in range(given + 1)]
        else:
            ends = [0, *given, size]
        if sorted(ends) != ends:
            raise ValueError(f"{self}: expected ends in ascending order within an axis of {size}. "
                             f"Received: indices_or_sections={given}")
        self._require(0 <= self.place < len(ends) - 1, len(ends) - 1, input_shape)
        return axis, ends[self.place], ends[self.place + 1]

    def compute_output_shape(self, input_shape):
        axis, start, stop = self._limits(input_shape)
        return tuple(stop - start if i == axis else n for i, n in enumerate(input_shape))

    def get_config(self):
        return {**super().get_config(), "indices_or_sections": self.indices_or_sections}


class UnstackOperation(Piece):
    """What lies at one place of an axis, without that axis.

    Args:
        num: how long the axis is; None for whatever it is.
        axis: which, not the batch's.
        place: the number of the place, from 0.
        operands, name: see `Operation`.

    Raises:
        ValueError: for an axis that the input does not have or of another length, or a place that
            is not there.
    """

    module = "keras.src.ops.core"
    sample_by_sample = True

    def __init__(self, num=None, axis=0, place=0, **kwargs):
        super().__init__(axis, place, **kwargs)
        self.num = num

    def _limits(self, input_shape):
        axis = axis_of(self.axis, tuple(input_shape), self)
        size = input_shape[axis]
        if self.num not in (None, size):
            raise ValueError(f"{self}: expected an axis of length num. Received: num={self.num}, "
                             f"axis={self.axis}, input_shape={tuple(input_shape)}")
        self._require(0 <= self.place < size, size, input_shape)
        return axis, self.place, self.place + 1

    def compute_output_shape(self, input_shape):
        axis, *_ = self._limits(input_shape)
        return tuple(n for i, n in enumerate(input_shape) if i != axis)

    def forward(self, x, training=False):
        # (N, a, b) -> (N, 1, b) -> (N, b)
        return super().forward(x, training).squeeze(self.axis)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        return super().backward(np.expand_dims(dy, self.axis % len(self._shape)))

    def get_config(self):
        return {**super().get_config(), "num": self.num}
