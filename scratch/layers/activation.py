"""Layers that are an activation and nothing else, and Activation, which is one by name."""

from scratch import activations
from scratch.layers.base import Layer


class ActivationLayer(Layer):
    """Applies `activation`, a `scratch.activations.Activation`; it has no weights."""

    activation: activations.Activation

    def forward(self, x, training=False):
        self._z = x
        self._y = self.activation.function(x)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        return self.activation.gradient(dy, self._z, self._y) if wants_input_gradient else None

    @property
    def logits_kind(self):
        # what is cast for the loss, as Keras does, loses its logits
        return None if self.policy.low else self.activation.logits_kind

    @property
    def logits(self):
        return self._z if self.logits_kind else None

    def backward_from_logits(self, dz, wants_input_gradient=True):
        return dz if wants_input_gradient else None


class Activation(ActivationLayer):
    """Applies an activation by its name, or one that is given as the config of another layer.

    Args:
        activation: a name out of `scratch.activations.ACTIVATIONS`, an `activations.Activation`, or
            the config of a layer that is one, such as LeakyReLU's.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        UnsupportedError: for an activation that is not known.

    Example:
        >>> layer = scratch.layers.Activation("relu")
        >>> layer([[-3.0, -1.0, 0.0, 2.0]]).tolist()
        [[0.0, 0.0, 0.0, 2.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        activations.require_precision(self.activation, self.requested_policy, self)

    def take_policy(self, policy):
        if "activation" in vars(self):
            activations.require_precision(self.activation, policy, self)
        super().take_policy(policy)

    def get_config(self):
        return {**super().get_config(),
                "activation": activations.serialize(self.activation, self.dtype)}
