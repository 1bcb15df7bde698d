"""Means and sums along some axes: keras.ops.mean, keras.ops.sum."""

import math
import numbers

import numpy as np

from scratch.operations.operation import Operation


class SumOperation(Operation):
    """The sum along `axis`.

    Args:
        axis: an axis or several, counted with the batch as 0; not the batch.
        keepdims: whether they stay, with length 1.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input does not have, or the batch's.
    """

    sample_by_sample = True

    def __init__(self, axis=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.keepdims = axis, bool(keepdims)

    def _axes(self, rank: int) -> tuple[int, ...]:
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        whole = all(isinstance(n, numbers.Integral) for n in axes)
        if not axes or not whole or not all(-rank <= n < rank and n % rank for n in axes):
            raise ValueError(f"{self}: expected axes of the input other than the batch, of {rank} "
                             f"in all. Received: axis={self.axis!r}")
        return tuple(sorted({int(n) % rank for n in axes}))

    def compute_output_shape(self, input_shape):
        axes = self._axes(len(input_shape))
        return tuple(1 if i in axes else n for i, n in enumerate(input_shape)
                     if self.keepdims or i not in axes)

    def _given(self, kept: np.ndarray) -> np.ndarray:
        """The output, of one whose reduced axes have stayed with length 1."""
        return kept if self.keepdims else kept.squeeze(self._axes(kept.ndim))

    def _kept(self, dy: np.ndarray, rank: int) -> np.ndarray:
        """The gradient of that, given the output's and how many axes the input has."""
        return dy if self.keepdims else np.expand_dims(dy, self._axes(rank))

    def forward(self, x, training=False):
        self._shape = x.shape
        # (N, H, W, C) -> (N, C), or with keepdims (N, 1, 1, C), where axis is (1, 2)
        return x.sum(axis=self._axes(x.ndim), keepdims=self.keepdims)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, C) -> (N, 1, 1, C) -> (N, H, W, C)
        return np.array(np.broadcast_to(self._kept(dy, len(self._shape)), self._shape))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "keepdims": self.keepdims}


class MeanOperation(SumOperation):
    """The mean along `axis`; see `SumOperation`."""

    sample_by_sample = True

    def forward(self, x, training=False):
        return super().forward(x, training) / self._number()

    def backward(self, dy, wants_input_gradient=True):
        return super().backward(dy / self._number(), wants_input_gradient)

    def _number(self) -> int:
        """Of how many numbers each mean is."""
        return math.prod(self._shape[i] for i in self._axes(len(self._shape)))
