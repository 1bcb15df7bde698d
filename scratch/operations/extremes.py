"""The largest and the smallest along some axes: keras.ops.max, keras.ops.min."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.operations.reductions import SumOperation


class MaxOperation(SumOperation):
    """The largest number along `axis`; its gradient is shared equally by all that tie for it.

    Args:
        axis: an axis or several, counted with the batch as 0; not the batch.
        keepdims: whether they stay, with length 1.
        initial: None; no other is supported.
        operands, name: see `Operation`.

    Raises:
        ValueError: for axes that the input does not have, or the batch's.
        UnsupportedError: for an initial value.
    """

    sample_by_sample = True

    def __init__(self, axis=None, keepdims=False, initial=None, **kwargs):
        super().__init__(axis, keepdims, **kwargs)
        if initial is not None:
            raise UnsupportedError(f"{self} does not support initial={initial!r}. Expected: None; "
                                   "keras.ops.maximum of the result and that number is the same.")

    def chosen(self, x: np.ndarray, axes: tuple) -> np.ndarray:
        """The largest of x along axes, which stay with length 1."""
        return x.max(axis=axes, keepdims=True)

    def forward(self, x, training=False):
        self._x, self._y = x, self.chosen(x, self._axes(x.ndim))
        return self._given(self._y)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        # (N, H, W, C) == (N, 1, 1, C) -> (N, H, W, C), its ties counted to (N, 1, 1, C)
        won = self._x == self._y
        ties = won.sum(axis=self._axes(won.ndim), keepdims=True, dtype=dy.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):  # no winner beside a NaN
            return won * (1 / ties * self._kept(dy, won.ndim))

    def get_config(self):
        return {**super().get_config(), "initial": None}


class MinOperation(MaxOperation):
    """The smallest number along `axis`; otherwise as `MaxOperation`."""

    sample_by_sample = True

    def chosen(self, x, axes):
        return x.min(axis=axes, keepdims=True)
