"""A branch added to a shortcut after it was scaled down, as Inception-ResNet does it."""

import numbers

import numpy as np

from scratch.layers.base import Layer


class CustomScaleLayer(Layer):
    """a + b * scale, of two inputs of the same shape (Szegedy et al., Inception-v4, 2016, section
    3.3: scaled residuals train more steadily).

    Keras keeps this layer with its Inception-ResNet, not in `keras.layers`.

    Args:
        scale: a number.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of two times (batch, ...), of equal sizes.

    Output shape:
        As either of the inputs.

    Raises:
        ValueError: for anything but a number, or but two inputs of one shape.

    Example:
        >>> scratch.layers.CustomScaleLayer(0.5)([[[1.0, 2.0]], [[10.0, 20.0]]]).tolist()
        [[6.0, 12.0]]
    """

    keras_module = "keras.src.applications.inception_resnet_v2"
    merges = True
    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(scale, numbers.Real) or isinstance(scale, bool):
            raise ValueError(f"{self}: expected scale to be a number. Received: scale={scale!r}")
        self.scale = scale

    def compute_output_shape(self, input_shapes):
        shapes = [tuple(shape) for shape in input_shapes]
        if len(shapes) != 2 or shapes[0][1:] != shapes[1][1:]:
            raise ValueError(f"{self}: expected two inputs of one shape. Received: {shapes}")
        return shapes[0]

    def forward(self, x, training=False):
        shortcut, branch = x
        # (N, H, W, C) + (N, H, W, C) -> (N, H, W, C)
        return shortcut + branch * self._factor()

    def backward(self, dy, wants_input_gradient=True):
        return [dy, dy * self._factor()] if wants_input_gradient else None

    def _factor(self):
        return self.rounded(np.asarray(self.scale, self.dtype))

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
