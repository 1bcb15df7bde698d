"""Numbers brought to another range, such as pixels from 0 .. 255 to 0 .. 1."""

import numpy as np

from scratch.layers.array_arguments import from_config, real_numbers, require_fitting, to_config
from scratch.layers.base import Layer


class Rescaling(Layer):
    """x * scale + offset, in training and at inference alike.

    Args:
        scale: a number, or an array of them that broadcasts to the input, such as one for each
            channel.
        offset: likewise.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for anything but numbers, or arrays that do not broadcast to the input.

    Example:
        >>> scratch.Rescaling(0.5, offset=-1.0)([[0.0, 2.0, 4.0]]).tolist()
        [[-1.0, 0.0, 1.0]]
        >>> scratch.Rescaling([1.0, 10.0, 100.0])([[1.0, 2.0, 3.0]]).tolist()
        [[1.0, 20.0, 300.0]]
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = from_config(scale), from_config(offset)
        self._numbers = {name: real_numbers(value, name, self)
                         for name, value in (("scale", self.scale), ("offset", self.offset))}

    def compute_output_shape(self, input_shape):
        for name, array in self._numbers.items():
            require_fitting(array, name, input_shape, self)
        return tuple(input_shape)

    def forward(self, x, training=False):
        # the input's shape, with scale and offset broadcast to it
        return self.rounded(x * self._cast("scale")) + self._cast("offset")

    def backward(self, dy, wants_input_gradient=True):
        return dy * self._cast("scale") if wants_input_gradient else None

    def _cast(self, name: str) -> np.ndarray:
        return self.rounded(self._numbers[name].astype(self.dtype))

    def get_config(self):
        return {**super().get_config(), "scale": to_config(self.scale),
                "offset": to_config(self.offset)}
