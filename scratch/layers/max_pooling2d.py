"""Max pooling over image windows."""

import numpy as np

from scratch.layers.arguments import image_shape, padding_name, pair
from scratch.layers.base import Layer
from scratch.windows import Windows


class MaxPooling2D(Layer):
    """The largest value of each window, channel by channel: (batch, H, W, C) -> (batch, OH, OW, C).

    Padding is minus infinity and is never chosen. Where several values tie for the maximum, the
    whole gradient goes to the first of them in row-major order; overlapping windows add up.

    Raises:
        ValueError: for arguments outside their range, or an image smaller than the pool.
        UnsupportedError: for channels_first.
    """

    neutral = {"data_format": ("channels_last", None)}

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size", self)
        self.strides = self.pool_size if strides is None else pair(strides, "strides", self)
        self.padding = padding_name(padding, self)

    def compute_output_shape(self, input_shape):
        height, width, channels = image_shape(input_shape, self)
        windows = Windows(height, width, self.pool_size, self.strides, self.padding)
        if min(windows.output_size) < 1:
            raise ValueError(
                f"{self}: the image is smaller than the pool. Expected at least "
                f"{self.pool_size} pixels with padding 'valid'. Received: {(height, width)}."
            )
        return (input_shape[0], *windows.output_size, channels)

    def build(self, input_shape):
        super().build(input_shape)
        height, width, _ = self.input_shape[1:]
        self.windows = Windows(height, width, self.pool_size, self.strides, self.padding)

    def forward(self, x, training=False):
        view = self.windows.view(self.windows.pad(x, -np.inf))  # (N, OH, OW, kh, kw, C)
        self._shape = view.shape
        n, oh, ow, kh, kw, c = view.shape
        flat = view.reshape(n, oh, ow, kh * kw, c)
        # argmax takes the first of equal values, as Keras does
        self._winner = flat.argmax(axis=3)  # (N, OH, OW, C)
        return np.take_along_axis(flat, self._winner[:, :, :, None], axis=3)[:, :, :, 0]

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        positions = np.arange(self._shape[3] * self._shape[4])[:, None]
        # dy where a position won its window, 0 elsewhere: (N, OH, OW, kh kw, C)
        shares = np.where(self._winner[:, :, :, None] == positions, dy[:, :, :, None],
                          np.zeros((), dy.dtype))
        return self.windows.scatter_add(shares.reshape(self._shape))

    def get_config(self):
        return {**super().get_config(), "pool_size": self.pool_size, "strides": self.strides,
                "padding": self.padding}
