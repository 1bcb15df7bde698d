"""What every layer is: made with arguments, built for a shape, then run forward and backward.

A layer's life has three parts. The constructor checks its arguments; `build(input_shape)` makes its
weights; after that `forward(x)` returns the output and remembers what the way back needs, and
`backward(dy)` returns the gradient with respect to the input and leaves those with respect to the
weights in `grads`. Nothing here changes a weight: that is the optimizer's work.
"""

import numpy as np

from scratch import initializers
from scratch.errors import UnsupportedError


class Layer:
    """Base of all layers.

    Attributes:
        name: unique within a model; given by the model (`conv2d`, `conv2d_1`) where None.
        trainable: whether an optimizer may change the weights.
        dtype: numpy dtype of weights, inputs and outputs; one for a whole model.
        params: the weights by name, in Keras's order.
        grads: after `backward`, the gradients by the same names and with the same shapes.
        input_shape, output_shape: with None for the batch, once built.
    """

    # Keras arguments this layer accepts only at the value that leaves the mathematics alone.
    neutral: dict = {}

    def __init__(self, name=None, trainable=True, dtype=None, **settings):
        self.name = name
        self.trainable = trainable
        self.requested_dtype = None if dtype is None else dtype_from_policy(dtype, self)
        self.dtype = self.requested_dtype or np.dtype("float32")
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.initializers: dict = {}
        self.input_shape = None
        self.output_shape = None
        self._refuse(settings)

    def _refuse(self, settings: dict) -> None:
        for key, value in settings.items():
            if key not in self.neutral:
                if value is None:
                    continue  # a key of some other Keras version, left unset
                raise UnsupportedError(
                    f"{self} does not support {key}={value!r}: it has no such argument here."
                )
            plain = tuple(value) if isinstance(value, list) else value
            if plain not in self.neutral[key]:
                raise UnsupportedError(
                    f"{self} does not support {key}={value!r}. "
                    f"Expected: {key}={self.neutral[key][0]!r}."
                )

    @property
    def built(self) -> bool:
        return self.input_shape is not None

    def build(self, input_shape: tuple) -> None:
        """Make the weights for inputs of `input_shape`, (None, ...) with None for the batch.

        Raises:
            ValueError: if no output can have that input's shape.
        """
        self.input_shape = tuple(input_shape)
        self.output_shape = self.compute_output_shape(self.input_shape)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return tuple(input_shape)

    def add_weight(self, name: str, shape: tuple, initializer) -> None:
        self.params[name] = initializer(shape, self.dtype)

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """The output for a batch x, of shape (batch, *input_shape[1:]) and of `dtype`."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, wants_input_gradient: bool = True) -> np.ndarray | None:
        """The loss's gradient with respect to the last input, given that to the last output.

        Fills `grads`. Returns None if the input's gradient is not wanted, which saves its cost.
        """
        raise NotImplementedError

    # A cross-entropy that follows a softmax is computed from the softmax's input, as in Keras.

    @property
    def logits(self) -> np.ndarray | None:
        """The last softmax's input, if this layer's output is a softmax; else None."""
        return None

    def backward_from_logits(self, dz, wants_input_gradient: bool = True) -> np.ndarray | None:
        """`backward`, starting from the gradient with respect to `logits`."""
        raise NotImplementedError

    def count_params(self) -> int:
        return sum(weight.size for weight in self.params.values())

    def get_config(self) -> dict:
        """Constructor arguments, as Keras's layer of the same name gives them."""
        policy = {"module": "keras", "class_name": "DTypePolicy",
                  "config": {"name": self.dtype.name}, "registered_name": None}
        neutral = {key: accepted[0] for key, accepted in self.neutral.items()}
        return {"name": self.name, "trainable": self.trainable, "dtype": policy, **neutral}

    @classmethod
    def from_config(cls, config: dict) -> "Layer":
        return cls(**config)

    def __str__(self):
        return f"{type(self).__name__} {self.name!r}" if self.name else type(self).__name__

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


class AffineLayer(Layer):
    """activation(affine(x)), where affine multiplies by a kernel and adds a bias.

    A subclass says what `affine` and its gradient are; the weights are `kernel` and `bias`.
    """

    def __init__(self, activation, use_bias, kernel_initializer, bias_initializer, **kwargs):
        super().__init__(**kwargs)
        self.activation = activation
        self.use_bias = bool(use_bias)
        self.initializers = {"kernel": initializers.get(kernel_initializer),
                             "bias": initializers.get(bias_initializer)}

    def affine(self, x: np.ndarray) -> np.ndarray:
        """The output before the activation."""
        raise NotImplementedError

    def affine_backward(self, dz: np.ndarray, wants_input_gradient: bool) -> np.ndarray | None:
        """Gradients of `affine` at its last input, for dz of its output's shape."""
        raise NotImplementedError

    def forward(self, x, training=False):
        self._z = self.affine(x)
        self._y = self.activation.function(self._z)
        return self._y

    def backward(self, dy, wants_input_gradient=True):
        dz = self.activation.gradient(dy, self._z, self._y)
        return self.affine_backward(dz, wants_input_gradient)

    @property
    def logits(self):
        return self._z if self.activation.name == "softmax" else None

    def backward_from_logits(self, dz, wants_input_gradient=True):
        return self.affine_backward(dz, wants_input_gradient)

    @property
    def kernel(self) -> np.ndarray:
        return self.params["kernel"]

    @property
    def bias(self) -> np.ndarray | None:
        return self.params.get("bias")

    def get_config(self):
        return {
            **super().get_config(),
            "activation": self.activation.name,
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.initializers["kernel"]),
            "bias_initializer": initializers.serialize(self.initializers["bias"]),
        }


def dtype_from_policy(policy, owner="model") -> np.dtype:
    """float32 or float64 from a name, a numpy dtype or Keras's DTypePolicy dictionary.

    Raises:
        UnsupportedError: for any other precision, mixed ones included.
    """
    name = policy
    if isinstance(policy, dict):
        name = policy.get("config", {}).get("name") or policy
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError):
        dtype = None
    if dtype not in (np.float32, np.float64):
        raise UnsupportedError(f"{owner} does not support dtype={name!r}. "
                               "Expected: 'float32' or 'float64'.")
    return dtype
