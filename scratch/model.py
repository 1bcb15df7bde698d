"""A graph of layers, where an output may be read more than once and layers may merge several.

    x = scratch.Input((8, 8, 3))
    y = scratch.Conv2D(3, 3, padding="same")(x)
    z = scratch.Add()([y, x])                       # a skip connection
    model = scratch.Model(x, scratch.Flatten()(z))

Forward, each layer runs when all that it reads is there; backward, an output that was read more
than once gets the sum of what comes back.
"""

from collections import Counter

from scratch import functional_config
from scratch.errors import UnsupportedError
from scratch.graph import layers_between
from scratch.layers import Input
from scratch.layers.symbolic import SymbolicTensor
from scratch.naming import Names
from scratch.network import Network, back_through


class Model(Network):
    """The layers between an `Input` and an output; Keras's functional model.

    Args:
        inputs: one `Input`, or a list of it alone.
        outputs: one symbolic tensor, or a list of it alone.
        name: the model's name.
        dtype: 'float32' (default) or 'float64', for inputs, weights, outputs and gradients alike.

    Raises:
        TypeError: for inputs or outputs of another type.
        ValueError: for names used twice, or a graph without a layer.
        UnsupportedError: for several inputs or outputs, a layer called more than once, and layers
            that ask for different precisions.
    """

    def __init__(self, inputs, outputs, name=None, trainable=True, dtype=None):
        super().__init__(name or "functional", trainable, dtype)
        source, output = only(inputs, "input", self), only(outputs, "output", self)
        if not isinstance(source, Input):
            raise UnsupportedError(f"{self}: expected inputs to be a scratch.Input. Received: "
                                   f"{source!r}, which a layer makes.")
        tensors, self._sources = layers_between(source, output, self)
        self.input_layer = source
        source.name = source.name or "input_layer"
        self.layers = [tensor.layer for tensor in tensors]
        self._name_layers(tensors)
        self.build(source.shape)

    def _name_layers(self, tensors) -> None:
        """Check given names, and give the others in the order in which layers were called."""
        names = [self.input_layer.name, *(layer.name for layer in self.layers)]
        counts = Counter(name for name in names if name is not None)
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"{self}: expected each layer's name once. Received twice: {twice!r}")
        taken = Names(counts)
        for tensor in sorted(tensors, key=lambda tensor: tensor.number):
            taken.give(tensor.layer)

    @property
    def sources(self):
        return self._sources

    def build(self, input_shape: tuple) -> None:
        shapes = [*self.layers, tuple(input_shape)]  # the last place, -1, is the model's input
        dtype = self.dtype
        for i, layer in enumerate(self.layers):
            read = [shapes[j] for j in self._sources[i]]
            self._build_layer(layer, read if layer.merges else read[0], dtype)
            shapes[i] = layer.output_shape
        self.built = True

    def forward(self, x, training=False):
        outputs = [*self.layers, self.as_input(x)]  # the last place, -1, is the model's input
        for i, layer in enumerate(self.layers):
            read = [outputs[j] for j in self._sources[i]]
            outputs[i] = y = layer.forward(read if layer.merges else read[0], training)
            if layer.activity_regularizer is not None:
                layer.last_output = y
        return y

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        due = [None] * len(self.layers) + [None]  # the gradient of each output; the input's is last
        due[len(self.layers) - 1] = gradient
        for i, layer in reversed(list(enumerate(self.layers))):
            wanted = wants_input_gradient or max(self._sources[i]) >= 0
            dx = back_through(layer, due[i], wanted, from_logits)
            from_logits = False
            due[i] = None
            if not wanted:
                continue
            for j, share in zip(self._sources[i], dx if layer.merges else [dx], strict=True):
                due[j] = share if due[j] is None else due[j] + share
        return due[-1] if wants_input_gradient else None

    def get_config(self) -> dict:
        """Keras's config of the same model: `keras.Model.from_config` reads it."""
        return functional_config.write(self)

    def saved_as(self):
        return {"module": "keras.src.models.functional", "class_name": "Functional",
                "registered_name": "Functional", "build_config": {"input_shape": None}}

    @classmethod
    def from_config(cls, config: dict) -> "Model":
        """A model from its own or from Keras's `get_config()`; new weights, as Keras makes them.

        Raises:
            UnsupportedError: for a layer, a setting or a kind of graph that is not supported, by
                its name.
            ValueError: for a dictionary that is no functional model's.
        """
        source, output = functional_config.read(config)
        return cls(source, output, name=config.get("name"),
                   trainable=config.get("trainable", True))


def only(tensors, what: str, owner) -> SymbolicTensor:
    """The one symbolic tensor, bare or alone in a list.

    Raises:
        TypeError: if it is none.
        UnsupportedError: for several.
    """
    if isinstance(tensors, (list, tuple, dict)):
        if len(tensors) != 1 or isinstance(tensors, dict):
            raise UnsupportedError(f"{owner}: expected one {what}. Received: {len(tensors)} in a "
                                   f"{type(tensors).__name__}.")
        tensors = tensors[0]
    if not isinstance(tensors, SymbolicTensor):
        raise TypeError(f"{owner}: expected the {what} to be a symbolic tensor, as scratch.Input "
                        f"and calls of layers give. Received: {tensors!r:.80} of type "
                        f"{type(tensors).__name__}")
    return tensors
