"""Images to rows of features."""

import math

from scratch.layers.base import Layer
from scratch.layers.data_format import data_format_name, from_channels_last, to_channels_last


class Flatten(Layer):
    """(batch, a, b, ...) -> (batch, a * b * ...) in row-major order; (batch,) -> (batch, 1).

    With channels_first the channels, (batch, C, ...), are first moved behind all other axes.

    Raises:
        ValueError: for an unknown data_format.
    """

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
        # (N, a, b, ...) -> (N, a b ...)
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))

    def backward(self, dy, wants_input_gradient=True):
        # (N, a b ...) -> (N, a, b, ...); (N, ..., C) -> (N, C, ...) with channels_first
        dx = dy.reshape(self._shape)
        return from_channels_last(dx, self.data_format) if dx.ndim > 2 else dx

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
