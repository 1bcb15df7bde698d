"""Vectors made one long."""

from scratch.layers.axes import distinct_axes, whole_axes
from scratch.layers.base import Layer
from scratch.layers.unit_length import unit, unit_backward

SHORTEST = 1e-12  # what is shorter is divided by this length


class UnitNormalization(Layer):
    """x over its length, the root of the sum of its squares along `axis`.

    A vector shorter than 1e-12 is divided by that number, so that zeros stay zeros; their gradient
    is then multiplied by 1e12, as in Keras.

    Args:
        axis: one axis or a list of them; not the batch's.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with the sizes along `axis` known.

    Output shape:
        As the input.

    Raises:
        TypeError: for axes that are no integers.
        ValueError: for axes that the input lacks, the batch's, or one named twice.

    Example:
        >>> scratch.UnitNormalization()([[1.0, 1.0, -1.0, 1.0], [0.0, 0.0, 8.0, 0.0]]).tolist()
        [[0.5, 0.5, -0.5, 0.5], [0.0, 0.0, 1.0, 0.0]]
    """

    sample_by_sample = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = whole_axes(axis, self)

    def compute_output_shape(self, input_shape):
        self._axes = distinct_axes(self.axis, input_shape, self)
        return tuple(input_shape)

    def forward(self, x, training=False):
        self._made = unit(x, self._axes, SHORTEST)
        return self._made.values

    def backward(self, dy, wants_input_gradient=True):
        return unit_backward(dy, self._made, self._axes) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
