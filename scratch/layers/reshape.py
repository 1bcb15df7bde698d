"""The same numbers under other indices: Reshape and Permute."""

import math
import numbers

import numpy as np

from scratch.layers.base import Layer


class Reshape(Layer):
    """The same numbers in another shape, in row-major order.

    Args:
        target_shape: without the batch; one size may be -1, which is then what is left over.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with all sizes but the batch's known.

    Output shape:
        (batch, *target_shape).

    Raises:
        ValueError: for sizes below -1, more than one -1, or a shape that does not hold as many
            numbers as the input.

    Example:
        >>> scratch.Reshape((2, -1))(np.arange(6.0).reshape(1, 6)).tolist()
        [[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        for size in self.target_shape:
            if not isinstance(size, numbers.Integral) or size < -1:
                raise ValueError(f"{self}: expected each size to be zero or a positive integer, or "
                                 f"-1. Received: target_shape={self.target_shape}")
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"{self}: expected at most one size of -1. "
                             f"Received: target_shape={self.target_shape}")

    def compute_output_shape(self, input_shape):
        size = math.prod(input_shape[1:])
        known = math.prod(n for n in self.target_shape if n != -1)
        rest = size // known if known else 0
        target = tuple(rest if n == -1 else n for n in self.target_shape)
        if math.prod(target) != size:
            raise ValueError(f"{self}: expected a shape of {size} numbers in all. Received: "
                             f"target_shape={self.target_shape}, input_shape={tuple(input_shape)}")
        return (input_shape[0], *target)

    def forward(self, x, training=False):
        self._shape = x.shape
        # (N, ...) -> (N, *target_shape)
        return x.reshape(x.shape[0], *self.output_shape[1:])

    def backward(self, dy, wants_input_gradient=True):
        # (N, *target_shape) -> (N, ...)
        return dy.reshape(self._shape)

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """The input's axes in another order: axis i of the output is axis dims[i - 1] of the input.

    Args:
        dims: the numbers 1, 2, ... of the axes behind the batch, permuted.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with as many axes behind the batch as `dims` names.

    Output shape:
        (batch, ...), with the sizes in the order of `dims`.

    Raises:
        ValueError: if dims is no permutation, or not one of the input's axes.

    Example:
        >>> scratch.Permute((3, 1, 2))(np.zeros((4, 8, 6, 3))).shape
        (4, 3, 8, 6)
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"{self}: expected dims to be the numbers from 1 to that of the axes, "
                             f"each once. Received: dims={dims!r}")

    def compute_output_shape(self, input_shape):
        if len(input_shape) != len(self.dims) + 1:
            raise ValueError(f"{self}: expected an input of {len(self.dims)} axes and the batch. "
                             f"Received: input_shape={tuple(input_shape)}, dims={self.dims}")
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def forward(self, x, training=False):
        # (N, a, b, c) -> (N, c, a, b) where dims is (3, 1, 2)
        return x.transpose(0, *self.dims)

    def backward(self, dy, wants_input_gradient=True):
        # (N, c, a, b) -> (N, a, b, c) where dims is (3, 1, 2)
        return dy.transpose(np.argsort((0, *self.dims)))

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}
