"""Several inputs side by side."""

import numbers

import numpy as np

from scratch.layers.base import Layer
from scratch.layers.merging import shapes_of


class Concatenate(Layer):
    """The inputs one after the other along `axis`.

    Args:
        axis: which, counted from the front with the batch as 0 or, below zero, from the back.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of (batch, ...), which differ along `axis` alone.

    Output shape:
        That of each input, with the sum of their sizes along `axis`.

    Raises:
        ValueError: for the batch's axis or one that the inputs do not have, anything but a list of
            inputs, or shapes that do not go together.

    Example:
        >>> scratch.Concatenate()([[[1.0, 2.0]], [[3.0]]]).tolist()
        [[1.0, 2.0, 3.0]]
    """

    merges = True
    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, numbers.Integral):
            raise ValueError(f"{self}: expected axis to be an integer. Received: axis={axis!r}")
        self.axis = int(axis)

    def compute_output_shape(self, input_shapes):
        shapes = shapes_of(input_shapes, self)
        rank = len(shapes[0])
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(f"{self}: expected an axis of the inputs other than the batch. "
                             f"Received: axis={self.axis}, inputs of shapes {shapes}")
        axis = self.axis % rank
        others = {shape[1:axis] + (None,) + shape[axis + 1:] for shape in shapes}
        if len(others) > 1:
            raise ValueError(f"{self}: expected inputs whose shapes differ along axis {self.axis} "
                             f"alone. Received: {shapes}")
        return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1:])

    def forward(self, x, training=False):
        self._ends = np.cumsum([array.shape[self.axis] for array in x])
        # (..., a, ...) and (..., b, ...) -> (..., a + b, ...)
        return np.concatenate(x, axis=self.axis)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (..., a + b, ...) -> (..., a, ...) and (..., b, ...)
        return np.split(dy, self._ends[:-1], axis=self.axis)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
