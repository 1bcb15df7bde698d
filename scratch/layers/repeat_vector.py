"""A vector made a sequence of equal steps."""

import numbers

import numpy as np

from scratch.layers.base import Layer


class RepeatVector(Layer):
    """The input n times, as the steps of a sequence.

    Args:
        n: how many steps.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, features).

    Output shape:
        (batch, n, features).

    Raises:
        TypeError: if n is no integer.
        ValueError: if n is below 1, or for an input of another rank.

    Example:
        >>> scratch.RepeatVector(3)([[1.0, 2.0]]).tolist()
        [[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        if isinstance(n, bool) or not isinstance(n, numbers.Integral):
            raise TypeError(f"{self}: expected n to be an integer. Received: n={n!r}")
        if n < 1:
            raise ValueError(f"{self}: expected n to be a positive integer. Received: n={n}")
        self.n = int(n)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(f"{self}: expected inputs of shape (batch, features). "
                             f"Received: input_shape={tuple(input_shape)}")
        return (input_shape[0], self.n, input_shape[1])

    def forward(self, x, training=False):
        # (N, C) -> (N, 1, C) -> (N, n, C)
        return np.repeat(x[:, None], self.n, axis=1)

    def backward(self, dy, wants_input_gradient=True):
        # (N, n, C) -> (N, C): copies add up
        return dy.sum(axis=1)

    def get_config(self):
        return {**super().get_config(), "n": self.n}
