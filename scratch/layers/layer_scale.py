"""A learned factor for each channel: what ConvNeXt ends the branches of its blocks with."""

import numbers

from scratch import initializers
from scratch.layers.base import Layer


class LayerScale(Layer):
    """x * gamma, with a gamma for each channel (Touvron et al., Going deeper with Image
    Transformers, 2021, section 2).

    Keras keeps this layer with its ConvNeXt networks, not in `keras.layers`.

    Weights: gamma, (projection_dim,).

    Args:
        init_values: what every gamma begins with; small, so that a deep network begins as the
            identity.
        projection_dim: the number of channels.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ..., channels).

    Output shape:
        As the input.

    Raises:
        ValueError: for anything but a positive number of channels, or inputs of another one.

    Example:
        >>> scratch.layers.LayerScale(0.5, 3)([[2.0, 4.0, -6.0]]).tolist()
        [[1.0, 2.0, -3.0]]
    """

    keras_module = "keras.src.applications.convnext"
    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, init_values, projection_dim, **kwargs):
        super().__init__(**kwargs)
        whole = isinstance(projection_dim, numbers.Integral) and not isinstance(projection_dim,
                                                                                bool)
        if not whole or projection_dim < 1:
            raise ValueError(f"{self}: expected projection_dim to be a positive integer. "
                             f"Received: projection_dim={projection_dim!r}")
        real = isinstance(init_values, numbers.Real) and not isinstance(init_values, bool)
        if not real:
            raise ValueError(f"{self}: expected init_values to be a number. "
                             f"Received: init_values={init_values!r}")
        self.init_values, self.projection_dim = init_values, int(projection_dim)
        self.initializers = {"gamma": initializers.Constant(init_values)}

    def compute_output_shape(self, input_shape):
        if len(input_shape) < 2 or input_shape[-1] != self.projection_dim:
            raise ValueError(f"{self}: expected inputs of projection_dim={self.projection_dim} "
                             f"channels. Received: input_shape={tuple(input_shape)}")
        return tuple(input_shape)

    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight("gamma", (self.projection_dim,), self.initializers["gamma"])

    def forward(self, x, training=False):
        self._x = x
        # (N, H, W, C) * (C,) -> (N, H, W, C)
        return x * self.params["gamma"]

    def backward(self, dy, wants_input_gradient=True):
        # (N, H, W, C) -> (C,)
        self.grads = {"gamma": (dy * self._x).sum(axis=tuple(range(dy.ndim - 1)))}
        return dy * self.params["gamma"] if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "init_values": self.init_values,
                "projection_dim": self.projection_dim}
