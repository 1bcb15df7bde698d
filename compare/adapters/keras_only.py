"""What stands for a layer of Keras's that scratch does not have, where somebody's object is to be
held against it: its config, its weights and its shapes, as far as Keras tells them.

What it computes is the object's matter. The oracle is then Keras's own layer in float64, see
`compare.checks.outside`, so that a live Keras model must stand on the other side.
"""

from typing import Any

from compare.tracing.configs import plain
from compare.tracing.model_kinds import is_keras
from scratch import initializers
from scratch.errors import UnsupportedError
from scratch.layers import LAYERS, Layer


class KerasOnly(Layer):
    """Base of such layers, of one input and one output.

    Attributes:
        keras_layer: Keras's own, of which a class is made for each; not copied with the layer.

    Raises:
        UnsupportedError: by `build`, for a layer that has several inputs or outputs, draws at
            random, or has penalties or constraints of its own.
    """

    keras_layer: Any = None

    def build(self, input_shape) -> None:
        import reference

        if not all(size is None or isinstance(size, int) for size in input_shape):
            raise UnsupportedError(f"Expected a layer of one input. Received: {self} "
                                   f"({type(self.keras_layer).__name__}) for {input_shape}")
        try:
            told = reference.outline(self.keras_layer, tuple(input_shape), self.dtype.name)
        except ValueError as error:
            raise UnsupportedError(str(error)) from error
        self._output = told.output_shape
        self.non_trainable = told.non_trainable
        for name, weight in told.weights.items():
            self.add_weight(name, weight.shape, initializers.get("zeros"))
            self.params[name][...] = weight
        super().build(input_shape)

    def compute_output_shape(self, input_shape) -> tuple:
        return self._output


def is_unknown(entry: dict) -> bool:
    """Whether scratch has no layer of a config's class."""
    return entry["class_name"] not in LAYERS


def stand_in(entry: dict, keras_layer: Any) -> type[KerasOnly]:
    """The class of the layer that stands for one that scratch does not have.

    Args:
        entry: its config, a dictionary with 'class_name' and 'config'.
        keras_layer: the live one.

    Raises:
        UnsupportedError: if there is none.
    """
    if not is_keras(keras_layer):
        raise UnsupportedError(
            f"Layer {entry['config'].get('name')!r} is of class {entry['class_name']}, which "
            "scratch does not have: only Keras's own layer can be its oracle. Expected the live "
            "one: a Keras model beside the list, or like=layer. Received: its config alone")
    # of somebody's own class without its module, which nobody is to import
    own = type(keras_layer).__module__.split(".")[0] != "keras"
    described = {"module": None if own else "keras.layers", "class_name": entry["class_name"],
                 "registered_name": entry.get("registered_name", entry["class_name"] if own
                                              else None), "config": plain(entry["config"])}
    return type("KerasOnly", (KerasOnly,), {"keras_layer": keras_layer, "described_as": described})


def classes_of(layers: list) -> dict[str, type]:
    """Keras's own classes that such layers among some stand for, by name."""
    return {type(layer.keras_layer).__name__: type(layer.keras_layer) for layer in layers
            if isinstance(layer, KerasOnly)}


def settings_of(entry: dict) -> dict:
    """The arguments of such a layer: those that all layers have."""
    config = entry["config"]
    return {key: config[key] for key in ("name", "trainable", "dtype") if key in config}
