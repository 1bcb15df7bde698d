"""Variances, deviations and lengths along some axes: keras.ops.var, std, norm, normalize."""

import math

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.axes import average, distinct_axes, summed, whole_axes
from scratch.layers.unit_length import unit, unit_backward
from scratch.operations.operation import Operation
from scratch.operations.reductions import SumOperation

SHORTEST = 1e-7  # keras.config.epsilon()


class VarOperation(SumOperation):
    """The mean of the squared distances from the mean along `axis`; see `SumOperation`."""

    sample_by_sample = True

    def forward(self, x, training=False):
        axes = self._axes(x.ndim)
        self._shape, self._number = x.shape, math.prod(x.shape[i] for i in axes)
        # (N, H, W, C) -> (N, H, W, C), distances from means (N, 1, 1, C)
        self._away = x - average(x, axes)
        return self._given(average(np.square(self._away), axes))

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # the mean's own part is nought, for the distances from it add up to nought
        return self._kept(dy, len(self._shape)) * (2 * self._away) / self._number


class StdOperation(VarOperation):
    """The root of the variance along `axis`; see `SumOperation`."""

    sample_by_sample = True
    takes_low_precision = False  # squares overflow in float16

    def forward(self, x, training=False):
        self._deviation = np.sqrt(super().forward(x, training))
        return self._deviation

    def backward(self, dy, wants_input_gradient=True):
        with np.errstate(divide="ignore", invalid="ignore"):  # of equal numbers
            return super().backward(dy * dy.dtype.type(0.5) / self._deviation,
                                    wants_input_gradient)


class NormOperation(SumOperation):
    """The root of the sum of the squares along `axis`.

    Args:
        ord: None, 2 or, for two axes, 'fro', which mean that; no other is supported.
        axis, keepdims: see `SumOperation`; one axis or two.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input does not have, or the batch's.
        UnsupportedError: for another norm.
    """

    module = "keras.src.ops.linalg"
    sample_by_sample = True
    takes_low_precision = False  # squares overflow in float16

    def __init__(self, ord=None, axis=None, keepdims=False, **kwargs):
        super().__init__(axis, keepdims, **kwargs)
        count = len(axis) if isinstance(axis, (list, tuple)) else 1
        if ord not in ((None, 2), (None, "fro"))[count == 2] or count > 2:
            raise UnsupportedError(f"{self} does not support ord={ord!r} along {count} axes. "
                                   "Expected: ord=None along one or two, the root of the sum of "
                                   "the squares.")
        self.ord = ord

    def forward(self, x, training=False):
        self._x = x
        self._length = np.sqrt(summed(np.square(x), self._axes(x.ndim)))
        return self._given(self._length)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):  # of zeros alone
            return self._x * (self._kept(dy, self._x.ndim) / self._length)

    def get_config(self):
        return {**super().get_config(), "ord": self.ord}


class NormalizeOperation(Operation):
    """x over its length along `axis`; what is shorter than `epsilon` is divided by that.

    Args:
        axis: one axis or a list of them; not the batch's.
        order: 2; no other is supported.
        epsilon: None for 1e-7.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input lacks, or the batch's.
        UnsupportedError: for another order.
    """

    module = "keras.src.ops.nn"
    sample_by_sample = True
    takes_low_precision = False  # squares overflow in float16

    def __init__(self, axis=-1, order=2, epsilon=None, **kwargs):
        super().__init__(**kwargs)
        if order != 2:
            raise UnsupportedError(f"{self} does not support order={order!r}. Expected: 2.")
        self.axis, self.epsilon = whole_axes(axis, self), epsilon

    def compute_output_shape(self, input_shape):
        self._axes = distinct_axes(self.axis, tuple(input_shape), self)
        return tuple(input_shape)

    def forward(self, x, training=False):
        self._made = unit(x, self._axes, SHORTEST if self.epsilon is None else self.epsilon)
        return self._made.values

    def backward(self, dy, wants_input_gradient=True):
        return unit_backward(dy, self._made, self._axes) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "order": 2, "epsilon": self.epsilon}
