"""A graph of layers, where an output may be read more than once and layers may merge several.

    x = scratch.Input((8, 8, 3))
    y = scratch.Conv2D(3, 3, padding="same")(x)
    z = scratch.Add()([y, x])                       # a skip connection
    model = scratch.Model(x, scratch.Flatten()(z))

Forward, each layer runs when all that it reads is there; backward, an output that was read more
than once gets the sum of what comes back. A layer, or a model, that is called more than once uses
the same weights each time, and their gradient is the sum of what each call gives.

There may be several inputs and outputs, in a list or a dictionary, each output with its own loss:

    model = scratch.Model([left, right], {"class": scores, "box": corners})
    model.compile("adam", {"class": "categorical_crossentropy", "box": "mse"},
                  loss_weights={"class": 1.0, "box": 0.2})
"""

from collections import Counter

from scratch import functional_config
from scratch.custom_objects import custom_object_scope
from scratch.errors import UnsupportedError
from scratch.graph import calls_between, cut_of
from scratch.layer_config import MODELS
from scratch.layers import Input
from scratch.layers.symbolic import SymbolicTensor
from scratch.naming import Names
from scratch.nesting import Call
from scratch.network import Network
from scratch.operations.pieces import Piece
from scratch.several import Structure
from scratch.suggestions import with_suggestions


class Model(Network):
    """The layers between `Input`s and outputs; Keras's functional model.

    Args:
        inputs: an `Input`, or a list, a tuple or a dictionary of them.
        outputs: a symbolic tensor, or likewise several.
        name: the model's name.
        dtype: the precision of all layers that ask for none, such as 'float32' (default) or
            'mixed_float16'.

    Raises:
        TypeError: for inputs or outputs of another type.
        ValueError: for names used twice, or a graph without a layer.
        UnsupportedError: for lists or dictionaries inside others, an input that is an output, too,
            and layers that ask for different precisions.
    """

    @with_suggestions
    def __init__(self, inputs, outputs, name=None, trainable=True, dtype=None):
        super().__init__(name, "functional", trainable, dtype)
        sources, self.inputs_as = tensors_in(inputs, "input", self)
        made, self.outputs_as = tensors_in(outputs, "output", self)
        foreign = next((source for source in sources if not isinstance(source, Input)), None)
        if foreign is not None:
            raise UnsupportedError(f"{self}: expected inputs to be a scratch.Input. Received: "
                                   f"{foreign!r}, which a layer makes.")
        if len(set(sources)) < len(sources):
            raise ValueError(f"{self}: expected each Input once. Received twice: "
                             f"{Counter(sources).most_common(1)[0][0]!r}")
        tensors, read, self._made_by, order = calls_between(sources, made, self)
        self.inputs = sources
        self.calls = [Call(tensor.layer, tuple(position for position, _ in each),
                           tuple(place for _, place in each) if any(p for _, p in each) else (),
                           tensor.told)
                      for tensor, each in zip(tensors, read)]
        self._name_inputs()
        self._name_layers(tensors)
        self.stack = list(dict.fromkeys(tensor.layer or tensor for tensor in order))
        self._write_out()
        shapes = [source.shape for source in sources]
        self.build(shapes[0] if self.inputs_as is None else self.inputs_as.packed(shapes))

    @property
    def made_by(self) -> list[tuple[int, int]]:
        return self._made_by

    def _name_inputs(self) -> None:
        """Give names to those that have none, in the order in which they were made."""
        names = Names(source.name for source in self.inputs if source.name)
        for source in sorted(self.inputs, key=lambda source: source.number):
            if not source.name:
                source.name = "input_layer"
                names.give(source)

    def _name_layers(self, tensors) -> None:
        """Check given names, and give the others in the order in which layers were called."""
        names = [*self.input_names, *(unit.name for unit in self.units if Names.given(unit))]
        counts = Counter(names)
        twice = next((name for name, count in counts.items() if count > 1), None)
        if twice is not None:
            raise ValueError(f"{self}: expected each layer's name once. Received twice: {twice!r}")
        taken = Names([*counts, *(unit.whole for unit in self.units if isinstance(unit, Piece)
                                  and Names.given(unit))])
        cuts: dict[tuple, str] = {}  # Keras's one name for all pieces of a tensor
        named = set()
        for tensor in sorted(tensors, key=lambda tensor: tensor.number):
            unit = tensor.layer
            if unit in named or Names.given(unit):
                continue
            named.add(unit)
            if isinstance(unit, Piece):
                taken.give_piece(unit, cuts, cut_of(tensor))
            else:
                taken.give(unit)

    def get_config(self) -> dict:
        """Keras's config of the same model: `keras.Model.from_config` reads it."""
        return functional_config.write(self)

    def saved_as(self):
        return {"module": "keras.src.models.functional", "class_name": "Functional",
                "registered_name": "Functional", "build_config": {"input_shape": None}}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Model":
        """A model from its own or from Keras's `get_config()`; new weights, as Keras makes them.

        Args:
            custom_objects: somebody's own classes and functions, see `scratch.custom_objects`.

        Raises:
            UnsupportedError: for a layer, a setting or a kind of graph that is not supported, by
                its name.
            ValueError: for a dictionary that is no functional model's.
        """
        with custom_object_scope(custom_objects):
            inputs, outputs = functional_config.read(config)
        return cls(inputs, outputs, name=config.get("name"),
                   trainable=config.get("trainable", True))


MODELS["Functional"] = MODELS["Model"] = Model


def tensors_in(given, what: str, owner) -> tuple[list, Structure | None]:
    """(the symbolic tensors in the inner order, the form in which there are several).

    One that is alone in a list has no form, as in Keras, which hands out what it makes without the
    list.

    Raises:
        TypeError: if one of them is none.
        UnsupportedError: for lists inside lists.
    """
    structure = None
    tensors = [given]
    if isinstance(given, (list, tuple, dict)):
        structure = Structure(given, what, owner)
        tensors = structure.flat(given)
    if not tensors:
        raise ValueError(f"{owner}: expected at least one {what}. Received: none")
    for tensor in tensors:
        if not isinstance(tensor, SymbolicTensor):
            raise TypeError(f"{owner}: expected the {what} to be a symbolic tensor, as "
                            "scratch.Input and calls of layers give. Received: "
                            f"{tensor!r:.80} of type {type(tensor).__name__}")
    alone = len(tensors) == 1 and not isinstance(given, dict)
    return tensors, None if alone else structure
