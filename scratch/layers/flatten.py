"""Images to rows of features."""

import math

from scratch.layers.base import Layer


class Flatten(Layer):
    """(batch, a, b, ...) -> (batch, a * b * ...) in row-major order; (batch,) -> (batch, 1).

    Raises:
        UnsupportedError: for channels_first.
    """

    neutral = {"data_format": ("channels_last", None)}

    def compute_output_shape(self, input_shape):
        return (input_shape[0], math.prod(input_shape[1:]))

    def forward(self, x, training=False):
        self._shape = x.shape
        return x.reshape(x.shape[0], math.prod(x.shape[1:]))

    def backward(self, dy, wants_input_gradient=True):
        return dy.reshape(self._shape)
