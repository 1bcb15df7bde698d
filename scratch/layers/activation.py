"""Activations as layers of their own: ReLU, Softmax, and Activation by name."""

import numbers

from scratch import activations
from scratch.layers.base import Layer


class Activation(Layer):
    """Applies a named activation element by element (softmax: along the last axis).

    Raises:
        UnsupportedError: for an activation that is not known by that name.
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def forward(self, x, training=False):
        self._z = x
        self._y = self.activation.function(x)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        return self.activation.gradient(dy, self._z, self._y)

    @property
    def logits(self):
        return self._z if self.activation.name == "softmax" else None

    def backward_from_logits(self, dz, wants_input_gradient=True):
        return dz

    def get_config(self):
        return {**super().get_config(), "activation": self.activation.name}


class ReLU(Layer):
    """max(x, 0). At exactly 0 nothing is passed back, as in Keras.

    Raises:
        UnsupportedError: for max_value, negative_slope or threshold other than the defaults.
    """

    neutral = {"max_value": (None,), "negative_slope": (0.0,), "threshold": (0.0,)}

    def forward(self, x, training=False):
        self._z = x
        return activations.relu.function(x)

    def backward(self, dy, wants_input_gradient=True):
        return activations.relu.gradient(dy, self._z, None)


class Softmax(Layer):
    """exp(x) / sum exp(x) along `axis`.

    Raises:
        ValueError: if the axis is not an integer.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        if isinstance(axis, bool) or not isinstance(axis, numbers.Integral):
            raise ValueError(f"{self}: expected axis to be an integer. Received: axis={axis!r}")
        self.axis = int(axis)

    def compute_output_shape(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(f"{self}: expected an axis of the input other than the batch. "
                             f"Received: axis={self.axis}, input_shape={tuple(input_shape)}")
        return tuple(input_shape)

    def forward(self, x, training=False):
        self._z = x
        self._y = activations.softmax(x, self.axis)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        return activations.softmax_gradient(dy, self._z, self._y, self.axis)

    @property
    def logits(self):
        return self._z

    def backward_from_logits(self, dz, wants_input_gradient=True):
        return dz

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
