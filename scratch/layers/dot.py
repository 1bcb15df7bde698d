"""Two inputs joined by scalar products."""

import math
import numbers

import numpy as np

from scratch.layers.base import Layer
from scratch.layers.merging import shapes_of
from scratch.layers.unit_length import unit, unit_backward

SHORTEST = 1e-7  # Keras's epsilon: what is shorter is divided by this length


class Dot(Layer):
    """Sums of products of two inputs along one axis of each, sample by sample.

    Every vector along the first input's axis is multiplied with every one along the second's.

    Args:
        axes: the axis of both inputs, or a pair of axes, one of each; not the batch's.
        normalize: whether all vectors are first divided by their length, or by 1e-7 if that is
            more: what comes out are then cosines.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of two (batch, ...), of equal sizes along the axes.

    Output shape:
        (batch, the first input's other sizes, the second's other sizes); (batch, 1) where there
        are none.

    Raises:
        TypeError: for axes that are neither an integer nor a pair.
        ValueError: for anything but two inputs, axes that they lack or the batch's, or sizes along
            them that differ.

    Example:
        >>> scratch.Dot(1)([[[1.0, 2.0]], [[3.0, 4.0]]]).tolist()
        [[11.0]]
        >>> scratch.Dot((2, 1))([np.ones((4, 5, 3)), np.ones((4, 3, 2))]).shape
        (4, 5, 2)
    """

    sample_by_sample = True
    takes_low_precision = True
    merges = True

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if any(isinstance(a, bool) or not isinstance(a, numbers.Integral) for a in pair):
            kind = ValueError if isinstance(axes, (list, tuple)) else TypeError
            raise kind(f"{self}: expected axes to be an integer or a pair of them. "
                       f"Received: axes={axes!r}")
        if len(pair) != 2:
            raise ValueError(f"{self}: expected axes to be two integers. Received: axes={axes!r}")
        self.axes = axes
        self._pair = tuple(map(int, pair))
        self.normalize = bool(normalize)

    def compute_output_shape(self, input_shapes):
        shapes = shapes_of(input_shapes, self)
        if len(shapes) != 2:
            raise ValueError(f"{self}: expected exactly 2 inputs. Received: {input_shapes}")
        a, b = self._axes_of(shapes)
        first, second = shapes
        if first[a] != second[b]:
            raise ValueError(f"{self}: expected equal sizes along the axes. "
                             f"Received: {first[a]} along axis {a} of {first}, {second[b]} along "
                             f"axis {b} of {second}")
        others = first[1:a] + first[a + 1:] + second[1:b] + second[b + 1:]
        return (first[0], *(others or (1,)))

    def _axes_of(self, shapes) -> tuple[int, ...]:
        """The axes of both inputs, counted from the front."""
        for axis, shape in zip(self._pair, shapes):
            if not -len(shape) <= axis < len(shape) or axis % len(shape) == 0:
                raise ValueError(f"{self}: expected axes of the inputs, not the batch's. "
                                 f"Received: axes={self.axes}, input_shape={list(shapes)}")
        return tuple(axis % len(shape) for axis, shape in zip(self._pair, shapes))

    def forward(self, x, training=False):
        self._axes = self._axes_of([array.shape for array in x])
        if self.normalize:
            self._made = [unit(array, (axis,), SHORTEST) for array, axis in zip(x, self._axes)]
            x = [made.values for made in self._made]
        # (N, P, K) and (N, K, Q): the axes of the products last and first, the others in one
        self._moved = [np.moveaxis(x[0], self._axes[0], -1), np.moveaxis(x[1], self._axes[1], 1)]
        size = x[0].shape[self._axes[0]]
        rows, columns = (math.prod(array.shape[1:]) // max(size, 1) for array in x)
        self._factors = [self._moved[0].reshape(-1, rows, size),
                         self._moved[1].reshape(-1, size, columns)]
        # (N, P, K) @ (N, K, Q) -> (N, P, Q) -> (N, ...)
        return (self._factors[0] @ self._factors[1]).reshape(-1, *self.output_shape[1:])

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        first, second = self._factors
        # (N, ...) -> (N, P, Q)
        dy = dy.reshape(-1, first.shape[1], second.shape[2])
        # (N, P, Q) @ (N, Q, K) -> (N, P, K); (N, K, P) @ (N, P, Q) -> (N, K, Q)
        products = dy @ second.swapaxes(1, 2), first.swapaxes(1, 2) @ dy
        gradients = [np.moveaxis(product.reshape(moved.shape), place, axis)
                     for product, moved, place, axis
                     in zip(products, self._moved, (-1, 1), self._axes)]
        if self.normalize:
            gradients = [unit_backward(gradient, made, (axis,))
                         for gradient, made, axis in zip(gradients, self._made, self._axes)]
        return gradients

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}
