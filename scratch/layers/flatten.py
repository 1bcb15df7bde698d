"""Images to rows of features."""

import math

import numpy as np

from scratch.layers.base import Layer
from scratch.layers.data_format import data_format_name, from_channels_last, to_channels_last


class Flatten(Layer):
    """All axes but the batch made one, in row-major order.

    With channels_first the channels are first moved behind all other axes.

    Args:
        data_format: 'channels_last', the default, or 'channels_first'.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, a, b, ...); with channels_first (batch, C, ...).

    Output shape:
        (batch, a * b * ...); of (batch,) it is (batch, 1).

    Raises:
        ValueError: for an unknown data_format.

    Example:
        >>> x = np.arange(6.0).reshape(1, 3, 2)
        >>> scratch.Flatten()(x).tolist()
        [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]
        >>> scratch.Flatten(data_format="channels_first")(x).tolist()
        [[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, self)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], math.prod(input_shape[1:]))

    def forward(self, x, training=False):
        if x.ndim > 2:
            # (N, C, ...) -> (N, ..., C) with channels_first
            x = to_channels_last(x, self.data_format)
        self._shape = x.shape
        # (N, a, b, ...) -> (N, a b ...), sample by sample in memory, too: BLAS may round otherwise
        # with a factor that lies transposed
        return np.ascontiguousarray(x.reshape(x.shape[0], math.prod(x.shape[1:])))

    def backward(self, dy, wants_input_gradient=True):
        # (N, a b ...) -> (N, a, b, ...); (N, ..., C) -> (N, C, ...) with channels_first
        dx = dy.reshape(self._shape)
        return from_channels_last(dx, self.data_format) if dx.ndim > 2 else dx

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
