"""Layers of the form activation(affine(x)): what dense layers and convolutions have in common."""

import numpy as np

from scratch import activations, initializers, regularizers
from scratch.layers.base import Layer


class AffineLayer(Layer):
    """activation(affine(x)), where affine multiplies by a kernel and adds a bias.

    A subclass says what `affine` and its gradient are, and makes its weights in `build`.

    Args:
        activation: a `scratch.activations.Activation`.
        use_bias: whether there is a bias.
        kwargs: for each weight Keras's `kernel_initializer`, `kernel_regularizer`,
            `kernel_constraint`, `bias_initializer` and so on, as `arguments` names them.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        As the subclass says.

    Output shape:
        As the subclass says.

    Raises:
        UnsupportedError: for an initializer, a regularizer or a constraint that is not supported.

    Example:
        >>> class Scale(scratch.layers.AffineLayer):  # each feature by a number of its own
        ...     def build(self, input_shape):
        ...         super().build(input_shape)
        ...         self.add_weight("kernel", input_shape[1:], self.initializers["kernel"])
        ...     def affine(self, x):
        ...         self._x = x
        ...         return x * self.kernel
        ...     def affine_backward(self, dz, wants_input_gradient):
        ...         self.grads["kernel"] = (dz * self._x).sum(axis=0)
        ...         return dz * self.kernel if wants_input_gradient else None
        >>> relu = scratch.activations.get("relu")
        >>> layer = Scale(relu, use_bias=False, kernel_initializer="ones")
        >>> layer([[1.0, -2.0], [3.0, 4.0]]).tolist()
        [[1.0, 0.0], [3.0, 4.0]]
        >>> layer.backward(np.ones((2, 2))).tolist(), layer.grads["kernel"].tolist()
        ([[1.0, 0.0], [1.0, 1.0]], [4.0, 4.0])
    """

    # weight: what its arguments' names begin with
    arguments = {"kernel": "kernel", "bias": "bias"}
    neutral = {"kernel_constraint": (None,), "bias_constraint": (None,)}

    def __init__(self, activation, use_bias, **kwargs):
        drawn = {name: kwargs.pop(f"{argument}_initializer",
                                  "zeros" if name == "bias" else "glorot_uniform")
                 for name, argument in self.arguments.items()}
        penalties = {name: kwargs.pop(f"{argument}_regularizer", None)
                     for name, argument in self.arguments.items()}
        super().__init__(**kwargs)
        self.activation = activation
        activations.require_precision(activation, self.requested_policy, self)
        self.use_bias = bool(use_bias)
        self.initializers = {name: initializers.get(value) for name, value in drawn.items()}
        self.regularizers = {name: regularizers.get(value) for name, value in penalties.items()
                             if value is not None}

    def take_policy(self, policy):
        if "activation" in vars(self):
            activations.require_precision(self.activation, policy, self)
        super().take_policy(policy)

    @classmethod
    def argument_of(cls, weight):
        return cls.arguments[weight]

    def _weight_of(self, argument):
        return next(weight for weight, own in self.arguments.items() if own == argument)

    def affine(self, x: np.ndarray) -> np.ndarray:
        """The output before the activation."""
        raise NotImplementedError

    def affine_backward(self, dz: np.ndarray, wants_input_gradient: bool) -> np.ndarray | None:
        """Gradients of `affine` at its last input, for dz of its output's shape."""
        raise NotImplementedError

    def forward(self, x, training=False):
        self._z = self.rounded(self.affine(x))
        self._y = self.activation.function(self._z)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        dz = self.rounded(self.activation.gradient(dy, self._z, self._y))
        return self.affine_backward(dz, wants_input_gradient)

    @property
    def logits_kind(self):
        # what is cast for the loss, as Keras does, loses its logits
        return None if self.policy.low else self.activation.logits_kind

    @property
    def logits(self):
        return self._z if self.logits_kind else None

    def backward_from_logits(self, dz, wants_input_gradient=True):
        return self.affine_backward(dz, wants_input_gradient)

    @property
    def kernel(self) -> np.ndarray:
        try:
            return self.params["kernel"]
        except KeyError:
            raise ValueError(f"{self}: expected a built layer. Received: one without weights; call "
                             "build(input_shape), or the layer itself on a batch") from None

    @property
    def bias(self) -> np.ndarray | None:
        return self.params.get("bias")

    def get_config(self):
        config = {**super().get_config(), "use_bias": self.use_bias,
                  "activation": activations.serialize(self.activation, self.dtype)}
        for name, argument in self.arguments.items():
            config[f"{argument}_initializer"] = initializers.serialize(self.initializers[name])
            config[f"{argument}_regularizer"] = regularizers.serialize(self.regularizers.get(name))
        return config
