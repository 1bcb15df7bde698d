"""Which layer of a Keras model reads whose output, for a Sequential and for a functional model.

A functional model's own config says it: each layer's entry names the tensors that it was called on.
Only models with one input and one output, in which every layer is called once, can be observed.
"""

import inspect
from typing import NamedTuple

from reference.quiet import keras


class Reads(NamedTuple):
    """What one layer reads.

    Attributes:
        sources: positions of the layers whose outputs it reads; -1 is the model's input.
        merges: whether it takes them as a list.
    """

    sources: tuple[int, ...]
    merges: bool


def layers_of(model) -> list:
    """The model's layers in the order of computation, without its input."""
    return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


def reads_of(model) -> list[Reads]:
    """What each of the model's layers reads.

    Raises:
        ValueError: for several inputs or outputs, a layer called more than once or with arguments
            of its own, a model as a layer, or an operation that is none.
    """
    layers = layers_of(model)
    for layer in layers:
        if isinstance(layer, keras.Model):
            raise ValueError(f"Model {model.name!r}: expected layers, none of which is a model "
                             f"itself. Received: {layer.name!r}")
    if isinstance(model, keras.Sequential):
        return [Reads((i - 1,), False) for i in range(len(layers))]
    config = model.get_config()
    if "output_layers" not in config:
        raise ValueError(f"Expected a Sequential or a functional model. Received: {model.name!r}, "
                         f"a {type(model).__name__}, whose config says nothing of its connections")
    source = _only(config["input_layers"], "input", model)
    end = _only(config["output_layers"], "output", model)
    positions = {source: -1, **{layer.name: i for i, layer in enumerate(layers)}}
    entries = {entry["config"]["name"]: entry for entry in config["layers"]}
    for name in entries:
        if name not in positions:
            raise ValueError(f"Model {model.name!r}: expected layers only. Received: {name!r}, an "
                             "operation that is no layer")
    reads = []
    for layer in layers:
        arguments = _arguments(entries[layer.name], model)
        sources = tuple(positions[name] for name in _tensors(arguments))
        reads.append(Reads(sources, isinstance(arguments[0], (list, tuple))))
    if positions[end] != len(layers) - 1:
        raise ValueError(f"Model {model.name!r}: expected the output to be the last layer's. "
                         f"Received: that of {end!r}")
    return reads


def _only(tensors, what: str, model) -> str:
    """The name of the one layer in a config's list of inputs or outputs."""
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    if tensors and isinstance(tensors[0], str):  # Keras leaves the brackets of a single one out
        tensors = [tensors]
    if len(tensors) != 1:
        raise ValueError(f"Model {model.name!r}: expected one {what}. Received: {len(tensors)}")
    return tensors[0][0]


def _arguments(entry: dict, model) -> list:
    """What a layer was called on."""
    name, calls = entry["config"]["name"], entry["inbound_nodes"]
    if len(calls) != 1:
        raise ValueError(f"Model {model.name!r}: expected each layer to be called once. "
                         f"Received: {name!r}, called {len(calls)} times")
    # where nothing was said Keras writes training=False, or what the layer takes then; a model
    # called as a whole says it anew
    unsaid = inspect.signature(model.get_layer(name).call).parameters.get("training")
    own = {key: value for key, value in calls[0]["kwargs"].items()
           if value is not None and not (
               key == "training" and value in (False, getattr(unsaid, "default", False)))}
    if own:
        raise ValueError(f"Model {model.name!r}: expected layers called on tensors alone. "
                         f"Received: {name!r}, called with {own}")
    return calls[0]["args"]


def _tensors(value):
    """The names of the layers whose outputs are among a call's arguments, in their order."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        yield value["config"]["keras_history"][0]
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
