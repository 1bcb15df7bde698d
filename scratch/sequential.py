"""A stack of layers: built for an input shape, run forward, run backward.

    model = scratch.Sequential([scratch.Input((28, 28, 1)), scratch.Flatten(), scratch.Dense(10)])
    y = model.forward(x)          # layer after layer
    dx = model.backward(dy)       # and back again; each layer then holds its weights' gradients

What all models share is in `network.py`, training in `training/`.
"""

from scratch.backward import back_through
from scratch.custom_objects import custom_object_scope
from scratch.errors import UnsupportedError
from scratch.layer_config import MODELS, layer_from_config, layer_to_config
from scratch.layers import Input, Layer
from scratch.layers.unknown_sizes import has_unknown
from scratch.naming import Names
from scratch.nesting import Call
from scratch.network import Network
from scratch.suggestions import with_suggestions


class Sequential(Network):
    """Layers one after the other, with one precision for all of them.

    Args:
        layers: an `Input` first, if the weights are to be made at once; otherwise they are made
            when the first batch tells its shape. Models may be among the layers.
        name: the model's name.
        dtype: the precision of all layers that ask for none, such as 'float32' (default) or
            'mixed_float16'.

    Raises:
        ValueError: for layers that cannot follow one another, or names used twice.
        UnsupportedError: if the layers ask for different precisions.
    """

    @with_suggestions
    def __init__(self, layers=None, trainable=True, name=None, dtype=None):
        super().__init__(name, "sequential", trainable, dtype)
        names = Names()
        for layer in layers or ():
            self._append(layer, names)
        self._write_out()
        self._build_if_possible()

    def add(self, layer) -> None:
        """Put a layer, or first an `Input`, on top of the stack."""
        self._append(layer, Names(other.name for other in self.units))
        self._write_out()
        self._build_if_possible()

    def pop(self, rebuild: bool = True):
        """Take the layer on top off the stack; returns it, or None if there is none.

        Args:
            rebuild: as in Keras; it changes nothing here, where the layers below stay as they are.
        """
        if not self.calls:
            return None
        unit = self.calls.pop().unit
        self._write_out()
        self.built = self.built and bool(self.calls)
        return unit

    def _append(self, layer, names: Names) -> None:
        """Put a layer on top; `names` are those of the layers below, and then its own, too."""
        if isinstance(layer, Input):
            if self.input_layer is not None or self.calls:
                raise ValueError(f"Model {self.name!r}: expected one Input, before all layers. "
                                 f"Received another: {layer}")
            self.inputs = [layer]
            layer.name = layer.name or "input_layer"
            return
        if not isinstance(layer, (Layer, Network)):
            raise TypeError(f"Model {self.name!r}: expected layers of scratch. Received: {layer!r} "
                            f"of type {type(layer).__name__}")
        if layer.called_on_list or getattr(layer, "outputs_as", None) is not None:
            does = "merges" if layer.called_on_list else "makes"
            raise ValueError(f"Model {self.name!r}: expected layers of one input and one "
                             f"output. Received: {layer}, which {does} several; use scratch.Model")
        if layer.name in names and names.given(layer):  # also of one that stands here twice
            raise ValueError(f"Model {self.name!r}: expected each layer's name once. "
                             f"Received twice: {layer.name!r}")
        names.give(layer)
        self.calls.append(Call(layer, (len(self.calls) - 1,)))

    def _build_if_possible(self) -> None:
        if self.input_layer is not None and self.calls:
            self.build(self.input_layer.batch_shape)

    def build(self, input_shape: tuple) -> None:
        if not self.calls:
            raise ValueError(f"Model {self.name!r}: expected at least one layer. Received: none")
        if not self.inputs:
            self.inputs = [Input(batch_shape=tuple(input_shape), name="input_layer")]
        super().build(input_shape)
        if self.low:
            self._plain = False
        for layer in self.layers:
            # as when a Keras model's flag is set: its layers follow, and move no statistics either;
            # that of a functional model comes out of a config before its layers do, who keep theirs
            layer.trainable = layer.trainable and self.trainable

    def _write_out(self):
        super()._write_out()
        # no model with branches stands in it, no layer is called twice, and no mask goes along
        self._plain = (len(self.layers) == len(self.calls) == len(self.unique_layers)
                       and not self.has_output_masks
                       and not any(layer.masked_by for layer in self.layers))

    def forward(self, x, training=False):
        if not self._plain:
            return super().forward(x, training)
        x = self.as_input(x)
        for layer in self.layers:
            x = layer.forward(x, training)
            if layer.activity_regularizer is not None:
                layer.last_output = x
        return x

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        if not self._plain:
            return super().backward(gradient, from_logits, wants_input_gradient)
        for layer in reversed(self.layers):
            wanted = wants_input_gradient or layer is not self.layers[0]
            if from_logits or layer.activity_regularizer is not None:
                gradient = back_through(layer, None if from_logits else gradient, wanted,
                                        gradient if from_logits else None)
                from_logits = False
            else:
                gradient = layer.backward(gradient, wanted)
        return gradient if wants_input_gradient else None

    def get_config(self) -> dict:
        """Keras's config of the same model: `keras.Sequential.from_config` reads it."""
        dtype = self.policy.name
        stack = [self.input_layer] if self.input_layer else []
        config = {
            "name": self.name, "trainable": self.trainable,
            "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype},
                      "registered_name": None},
            "layers": [layer_to_config(layer, dtype, self.built and has_unknown(self.input_shape))
                       for layer in stack + self.units],
        }
        if self.built:
            config["build_input_shape"] = self.input_shape
        return config

    def saved_as(self):
        return {"module": "keras", "class_name": "Sequential", "registered_name": None,
                "build_config": {"input_shape": self.input_shape}}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> "Sequential":
        """A model from its own or from Keras's `get_config()`; new weights, as Keras makes them.

        Args:
            custom_objects: somebody's own classes and functions, see `scratch.custom_objects`.

        Raises:
            UnsupportedError: for a layer or a setting that is not supported, by its name, and for
                a model whose layers are not a mere stack.
            ValueError: for a dictionary that is no Sequential's.
        """
        if not isinstance(config, dict) or not isinstance(config.get("layers"), (list, tuple)):
            raise ValueError("Expected a Sequential's config, a dictionary with 'name' and "
                             f"'layers'. Received: {config!r:.200}")
        if "output_layers" in config:
            raise UnsupportedError(f"Model {config.get('name')!r} is a functional model: expected "
                                   "a Sequential's config. scratch.Model reads the other kind.")
        with custom_object_scope(custom_objects):
            layers = [layer_from_config(layer) for layer in config["layers"]]
        model = cls(layers, trainable=config.get("trainable", True), name=config.get("name"))
        shape = config.get("build_input_shape")
        if shape and not model.built:
            model.build(tuple(shape))
        return model


MODELS["Sequential"] = Sequential
