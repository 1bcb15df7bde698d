"""What `Sequential` and `Model` have in common: layers in an order, one precision, weights, files.

A chain is a graph, too: `sources` says for either which layers' outputs each layer reads, and both
run their layers in the order of `layers`, forward, and in the opposite one back.
"""

import numpy as np

from scratch import files, regularization
from scratch.errors import UnsupportedError
from scratch.layers import Input, Layer
from scratch.layers.base import dtype_from_policy
from scratch.layers.symbolic import is_symbolic
from scratch.summary import summary_html, summary_table
from scratch.training import Trainer


class Network(Trainer):
    """Base of the models: a subclass says what `sources`, `forward`, `backward` and `build` are.

    Attributes:
        input_layer: the `Input`; None before the model has one.
    """

    def __init__(self, name: str, trainable: bool, dtype):
        super().__init__()
        self.name = name
        self._trainable = trainable
        self.requested_dtype = None if dtype is None else dtype_from_policy(dtype)
        self.input_layer: Input = None  # type: ignore[assignment]  # there once it is built
        self.layers: list[Layer] = []
        self.built = False

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change any weight.

        Setting it sets every layer's, too, as in Keras: batch normalization then takes to its
        moving averages.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value) -> None:
        self._trainable = bool(value)
        for layer in self.layers:
            layer.trainable = bool(value)

    @property
    def sources(self) -> list[tuple[int, ...]]:
        """For each layer the positions of those whose outputs it reads; -1: the model's input."""
        raise NotImplementedError

    def get_config(self) -> dict:
        """Keras's config of the same model."""
        raise NotImplementedError

    def __call__(self, x, training: bool = False) -> np.ndarray:
        """`forward`.

        Raises:
            UnsupportedError: for a symbolic tensor: a model cannot be a layer of another.
        """
        if is_symbolic(x):
            raise UnsupportedError(f"{self} cannot be a layer of another model: nested models are "
                                   "not supported.")
        return self.forward(x, training)

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

    def _build_layer(self, layer: Layer, shape, dtype: np.dtype) -> None:
        """Make a layer's weights, or check that those it has are for such inputs.

        Raises:
            ValueError: if it cannot take them, or was built for others.
        """
        if not layer.built:
            layer.dtype = dtype
            layer.build(shape)
        if not layer.fits(shape) or layer.dtype != dtype:
            raise ValueError(f"{layer} is built for inputs {layer.input_shape} of {layer.dtype}"
                             f". Received: {shape} of {dtype}")

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
        if x.shape[1:] != self.input_layer.shape[1:]:
            raise ValueError(f"Model {self.name!r}: expected inputs of shape {self.input_shape}. "
                             f"Received: {x.shape}")
        return x

    def activity_penalty(self):
        """What the activity regularizers add to the loss, by the outputs of the last forward pass.

        Divided by the size of the batch, as in Keras; 0.0 if there are no such regularizers.
        """
        return sum([regularization.activity_penalty(layer.activity_regularizer, layer.last_output)
                    for layer in self.layers if layer.activity_regularizer is not None], start=0.0)

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
            layer.take_weight(name, weight)

    def _require_built(self, action: str) -> None:
        if not self.built:
            raise ValueError(f"Model {self.name!r} must be built before {action}: give it an "
                             "Input, call build(input_shape), or show it a batch.")

    def saved_as(self) -> dict:
        """By what Keras's files know this kind of model: its class, and how it is built."""
        raise NotImplementedError

    def description(self) -> dict:
        """The model's config, and how it is built and compiled, in the dictionary Keras saves."""
        return {**self.saved_as(), "config": self.get_config(),
                "compile_config": self.get_compile_config()}

    def save(self, filepath, overwrite: bool = True) -> None:
        """Write a `.keras` file; see `scratch.files.save_model`."""
        files.save_model(self, filepath, overwrite)

    def save_weights(self, filepath, overwrite: bool = True) -> None:
        """Write a `.weights.h5` file; see `scratch.files.save_weights`."""
        files.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath) -> None:
        """Read a `.weights.h5` or a `.keras` file; see `scratch.files.load_weights`."""
        files.load_weights(self, filepath)

    def count_params(self) -> int:
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    def summary(self, print_fn=print) -> None:
        """Print the layers with their output shapes, numbers of weights and, if the model is no
        mere stack, what each is connected to."""
        self._require_built("summary")
        print_fn(summary_table(self))

    def _repr_html_(self) -> str | None:
        """How a notebook shows it: the summary, or as text while there is none."""
        return summary_html(self) if self.built else None

    def __str__(self):
        return f"Model {self.name!r}"


def back_through(layer: Layer, gradient, wants_input_gradient: bool, from_logits: bool):
    """`layer.backward`, or `backward_from_logits`; with the gradient of its activity's penalty."""
    if layer.activity_regularizer is None:
        back = layer.backward_from_logits if from_logits else layer.backward
        return back(gradient, wants_input_gradient)
    assert layer.last_output is not None, "forward keeps it"
    penalty = regularization.activity_gradient(layer.activity_regularizer, layer.last_output)
    if not from_logits:
        return layer.backward(gradient + penalty, wants_input_gradient)
    # the loss's gradient begins at the softmax's input, the penalty's at its output
    dx = layer.backward_from_logits(gradient, wants_input_gradient)
    grads = dict(layer.grads)
    more = layer.backward(penalty, wants_input_gradient)
    layer.grads = {name: grads[name] + layer.grads[name] for name in grads}
    return None if dx is None or more is None or not wants_input_gradient else dx + more
