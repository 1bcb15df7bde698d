"""A graph of layers, where an output may be read more than once and layers may merge several.

    x = scratch.Input((8, 8, 3))
    y = scratch.Conv2D(3, 3, padding="same")(x)
    z = scratch.Add()([y, x])                       # a skip connection
    model = scratch.Model(x, scratch.Flatten()(z))

Forward, each layer runs when all that it reads is there; backward, an output that was read more
than once gets the sum of what comes back. A layer, or a model, that is called more than once uses
the same weights each time, and their gradient is the sum of what each call gives.
"""

from collections import Counter

from scratch import functional_config
from scratch.errors import UnsupportedError
from scratch.graph import calls_between
from scratch.layer_config import MODELS
from scratch.layers import Input
from scratch.layers.symbolic import SymbolicTensor
from scratch.naming import Names
from scratch.nesting import Call
from scratch.network import Network


class Model(Network):
    """The layers between an `Input` and an output; Keras's functional model.

    Args:
        inputs: one `Input`, or a list of it alone.
        outputs: one symbolic tensor, or a list of it alone.
        name: the model's name.
        dtype: the precision of all layers that ask for none, such as 'float32' (default) or
            'mixed_float16'.

    Raises:
        TypeError: for inputs or outputs of another type.
        ValueError: for names used twice, or a graph without a layer.
        UnsupportedError: for several inputs or outputs, and layers that ask for different
            precisions.
    """

    def __init__(self, inputs, outputs, name=None, trainable=True, dtype=None):
        super().__init__(name, "functional", trainable, dtype)
        source, output = only(inputs, "input", self), only(outputs, "output", self)
        if not isinstance(source, Input):
            raise UnsupportedError(f"{self}: expected inputs to be a scratch.Input. Received: "
                                   f"{source!r}, which a layer makes.")
        tensors, sources = calls_between(source, output, self)
        self.input_layer = source
        source.name = source.name or "input_layer"
        self.calls = [Call(tensor.layer, read) for tensor, read in zip(tensors, sources)]
        self._name_layers(tensors)
        self._write_out()
        self.build(source.shape)

    def _name_layers(self, tensors) -> None:
        """Check given names, and give the others in the order in which layers were called."""
        names = [self.input_layer.name, *(unit.name for unit in self.units if Names.given(unit))]
        counts = Counter(names)
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"{self}: expected each layer's name once. Received twice: {twice!r}")
        taken = Names(counts)
        for unit in dict.fromkeys(tensor.layer for tensor in
                                  sorted(tensors, key=lambda tensor: tensor.number)):
            if not Names.given(unit):
                taken.give(unit)

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


MODELS["Functional"] = MODELS["Model"] = Model


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
