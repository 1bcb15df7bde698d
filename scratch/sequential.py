"""A stack of layers: built for an input shape, run forward, run backward.

    model = scratch.Sequential([scratch.Input((28, 28, 1)), scratch.Flatten(), scratch.Dense(10)])
    y = model.forward(x)          # layer after layer
    dx = model.backward(dy)       # and back again; each layer then holds its weights' gradients

Training is in `training.py`, which this class inherits.
"""

import numpy as np

from scratch.config import layer_from_config, layer_to_config, snake_case
from scratch.errors import UnsupportedError
from scratch.layers import Input, Layer
from scratch.layers.base import dtype_from_policy
from scratch.summary import summary_table
from scratch.training import Trainer


class Sequential(Trainer):
    """Layers one after the other, with one precision for all of them.

    Args:
        layers: an `Input` first, if the weights are to be made at once; otherwise they are made
            when the first batch tells its shape.
        name: the model's name.
        dtype: 'float32' (default) or 'float64', for inputs, weights, outputs and gradients alike.

    Raises:
        ValueError: for layers that cannot follow one another, or names used twice.
        UnsupportedError: if the layers ask for different precisions.
    """

    def __init__(self, layers=None, trainable=True, name=None, dtype=None):
        super().__init__()
        self.name = name or "sequential"
        self.trainable = trainable
        self.requested_dtype = None if dtype is None else dtype_from_policy(dtype)
        self.input_layer: Input | None = None
        self.layers: list[Layer] = []
        self.built = False
        for layer in layers or ():
            self._append(layer)
        self._build_if_possible()

    def add(self, layer) -> None:
        """Put a layer, or first an `Input`, on top of the stack."""
        self._append(layer)
        self._build_if_possible()

    def _append(self, layer) -> None:
        if isinstance(layer, Input):
            if self.input_layer is not None or self.layers:
                raise ValueError(f"Model {self.name!r}: expected one Input, before all layers. "
                                 f"Received another: {layer}")
            self.input_layer = layer
            layer.name = layer.name or "input_layer"
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"Model {self.name!r}: expected layers of scratch. Received: {layer!r} "
                            f"of type {type(layer).__name__}")
        taken = {other.name for other in self.layers}
        if layer.name in taken or any(layer is other for other in self.layers):
            raise ValueError(f"Model {self.name!r}: expected each layer's name once. "
                             f"Received twice: {layer.name!r}")
        if layer.name is None:
            base, count = snake_case(type(layer).__name__), 0
            while (f"{base}_{count}" if count else base) in taken:
                count += 1
            layer.name = f"{base}_{count}" if count else base
        self.layers.append(layer)

    @property
    def dtype(self) -> np.dtype:
        """The one precision: the model's, or else the layers', or else float32."""
        requested = {owner.requested_dtype: owner for owner in self._owners()
                     if owner.requested_dtype is not None}
        if len(requested) > 1:
            a, b = list(requested.items())[:2]
            raise UnsupportedError(
                f"Model {self.name!r}: expected one precision for all layers. Received: "
                f"{a[0].name} from {a[1]} and {b[0].name} from {b[1]}.")
        return next(iter(requested), np.dtype("float32"))

    def _owners(self):
        yield self
        if self.input_layer is not None:
            yield self.input_layer  # Keras rounds its inputs to the Input's precision
        yield from self.layers

    def _build_if_possible(self) -> None:
        if self.input_layer is not None and self.layers:
            self.build(self.input_layer.batch_shape)

    def build(self, input_shape: tuple) -> None:
        """Make the weights of every layer that has none yet, for inputs (None, ...).

        Raises:
            ValueError: if the model has no layers, or if one cannot take such inputs.
        """
        if not self.layers:
            raise ValueError(f"Model {self.name!r}: expected at least one layer. Received: none")
        shape = tuple(input_shape)
        self.input_layer = self.input_layer or Input(batch_shape=shape, name="input_layer")
        dtype = self.dtype
        for layer in self.layers:
            if not layer.built:
                layer.dtype = dtype
                layer.build(shape)
            if (layer.input_shape[1:], layer.dtype) != (shape[1:], dtype):
                raise ValueError(f"{layer} is built for inputs {layer.input_shape} of {layer.dtype}"
                                 f". Received: {shape} of {dtype}")
            shape = layer.output_shape
        self.built = True

    @property
    def input_shape(self) -> tuple:
        self._require_built("input_shape")
        return self.input_layer.batch_shape

    @property
    def output_shape(self) -> tuple:
        self._require_built("output_shape")
        return self.layers[-1].output_shape

    def get_layer(self, name: str) -> Layer:
        """The layer of that name."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"Model {self.name!r}: expected one of the layers "
                         f"{[layer.name for layer in self.layers]}. Received: {name!r}")

    def as_input(self, x) -> np.ndarray:
        """x as a batch of the model's precision and shape.

        Raises:
            ValueError: for another shape.
        """
        if not self.built:
            x = np.asarray(x, self.dtype)
            self.build((None, *x.shape[1:]))
        x = np.asarray(x, self.layers[0].dtype)  # one precision for all layers
        if x.shape[1:] != self.input_layer.batch_shape[1:]:
            raise ValueError(f"Model {self.name!r}: expected inputs of shape {self.input_shape}. "
                             f"Received: {x.shape}")
        return x

    def forward(self, x, training: bool = False) -> np.ndarray:
        """The output for a batch; every layer then remembers what its way back needs."""
        x = self.as_input(x)
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    __call__ = forward

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        """From the gradient with respect to the output, or to the last softmax's logits.

        Returns the gradient with respect to the input (None if not wanted); the layers' `grads`
        hold those with respect to the weights.
        """
        for layer in reversed(self.layers):
            wanted = wants_input_gradient or layer is not self.layers[0]
            if from_logits:
                gradient = layer.backward_from_logits(gradient, wanted)
                from_logits = False
            else:
                gradient = layer.backward(gradient, wanted)
        return gradient if wants_input_gradient else None

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, layer by layer, kernel before bias."""
        return [weight.copy() for layer in self.layers for weight in layer.params.values()]

    def set_weights(self, weights) -> None:
        """Take over values as `get_weights` gives them, in this model's precision.

        Raises:
            ValueError: for another number of arrays, or another shape; nothing is changed then.
        """
        self._require_built("set_weights")
        own = [(layer, name) for layer in self.layers for name in layer.params]
        weights = [np.asarray(weight, self.dtype) for weight in weights]
        if len(weights) != len(own):
            raise ValueError(f"Model {self.name!r}: expected {len(own)} weights. "
                             f"Received: {len(weights)}")
        for (layer, name), weight in zip(own, weights):
            if weight.shape != layer.params[name].shape:
                raise ValueError(f"{layer}: expected {name} of shape {layer.params[name].shape}. "
                                 f"Received: {weight.shape}")
        for (layer, name), weight in zip(own, weights):
            layer.params[name][...] = weight

    def _require_built(self, action: str) -> None:
        if not self.built:
            raise ValueError(f"Model {self.name!r} must be built before {action}: give it an "
                             "Input, call build(input_shape), or show it a batch.")

    def count_params(self) -> int:
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    def summary(self, print_fn=print) -> None:
        """Print the layers with their output shapes and numbers of weights."""
        self._require_built("summary")
        print_fn(summary_table(self))

    def __str__(self):
        return f"Model {self.name!r}"

    def get_config(self) -> dict:
        """Keras's config of the same model: `keras.Sequential.from_config` reads it."""
        dtype = self.dtype.name
        stack = [self.input_layer] if self.input_layer else []
        config = {
            "name": self.name, "trainable": self.trainable,
            "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype},
                      "registered_name": None},
            "layers": [layer_to_config(layer, dtype) for layer in stack + self.layers],
        }
        if self.built:
            config["build_input_shape"] = self.input_shape
        return config

    @classmethod
    def from_config(cls, config: dict) -> "Sequential":
        """A model from its own or from Keras's `get_config()`; new weights, as Keras makes them.

        Raises:
            UnsupportedError: for a layer or a setting that is not supported, by its name, and for
                a model whose layers are not a mere stack.
            ValueError: for a dictionary that is no Sequential's.
        """
        if not isinstance(config, dict) or not isinstance(config.get("layers"), (list, tuple)):
            raise ValueError("Expected a Sequential's config, a dictionary with 'name' and "
                             f"'layers'. Received: {config!r:.200}")
        if "output_layers" in config:
            raise UnsupportedError(f"Model {config.get('name')!r} is a functional model: not "
                                   "supported. Expected a Sequential's config.")
        layers = [layer_from_config(layer) for layer in config["layers"]]
        model = cls(layers, trainable=config.get("trainable", True), name=config.get("name"))
        shape = config.get("build_input_shape")
        if shape and not model.built:
            model.build(tuple(shape))
        return model
