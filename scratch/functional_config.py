"""Keras's config dictionary of a functional model, read into a graph and written from one.

Each layer's entry has, beside its own config, `inbound_nodes`: one call of the layer, whose
arguments are tensors named by (layer, number of the call, number of its output).
"""

from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config, layer_to_config
from scratch.layers import LAYERS, Input
from scratch.layers.symbolic import SymbolicTensor


def write(model) -> dict:
    """The config of a `scratch.Model`."""
    dtype = model.dtype.name
    names = [*(layer.name for layer in model.layers), model.input_layer.name]  # -1: the input
    shapes = [*(layer.output_shape for layer in model.layers), model.input_layer.shape]
    entries = [{**layer_to_config(model.input_layer, dtype), "name": model.input_layer.name,
                "inbound_nodes": []}]
    for layer, sources in zip(model.layers, model.sources):
        tensors = [{"class_name": "__keras_tensor__",
                    "config": {"shape": shapes[i], "dtype": dtype,
                               "keras_history": [names[i], 0, 0]}} for i in sources]
        entries.append({**layer_to_config(layer, dtype), "name": layer.name, "inbound_nodes": [
            {"args": (tensors,) if layer.merges else tuple(tensors), "kwargs": {}}]})
    return {"name": model.name, "trainable": model.trainable, "layers": entries,
            "input_layers": [model.input_layer.name, 0, 0],
            "output_layers": [model.layers[-1].name, 0, 0]}


def read(config: dict) -> tuple[Input, SymbolicTensor]:
    """The input and the output of the graph that a config describes.

    Raises:
        UnsupportedError: for a layer, a setting or a kind of graph that is not supported.
        ValueError: for a dictionary that is no functional model's.
    """
    owner, entries = _checked(config)
    inputs = [name for name, entry in entries.items() if entry["class_name"] == "InputLayer"]
    source = _only(config["input_layers"], "input", owner)
    if inputs != [source]:
        raise UnsupportedError(f"{owner}: expected one input, {source!r}, whose layer is an "
                               f"InputLayer. Received the InputLayers: {inputs}.")
    layers = {name: layer_from_config(entry) for name, entry in entries.items()}
    calls = {name: _call(name, entry) for name, entry in entries.items() if name != source}
    tensors = {source: layers[source]}
    for name in _in_order(source, calls, owner):
        read, merges = calls[name]
        values = [tensors[r] for r in read]
        tensors[name] = layers[name](values if merges else values[0])
    output = _only(config["output_layers"], "output", owner)
    if output not in tensors:
        raise ValueError(f"{owner}: expected the output to be one of the layers {list(tensors)}. "
                         f"Received: {output!r}")
    return layers[source], tensors[output]


def _in_order(source: str, calls: dict, owner: str) -> list[str]:
    """The layers' names, each after those that it reads; wave by wave, as far as they are from the
    input, and within one as the config has them.

    Args:
        calls: for each layer's name (the names that it reads, whether as a list).
    """
    readers: dict[str, list[str]] = {}
    missing = {}  # how many of what a layer reads is not there yet
    for name, (read, _) in calls.items():
        missing[name] = len(set(read))
        for each in set(read):
            readers.setdefault(each, []).append(name)
    position = {name: i for i, name in enumerate(calls)}
    order, wave = [], [source]
    while wave:
        ready = []
        for name in wave:
            for reader in readers.get(name, ()):
                missing[reader] -= 1
                if not missing[reader]:
                    ready.append(reader)
        wave = sorted(ready, key=position.__getitem__)
        order += wave
    if len(order) < len(calls):
        done = set(order)
        name = next(name for name in calls if name not in done)
        raise ValueError(f"{owner}: expected layers that can be reached from its input. "
                         f"Received: {name!r}, which reads {calls[name][0]}")
    return order


def _checked(config) -> tuple[str, dict]:
    """(the model's name for messages, the layers' entries by name) of a functional config."""
    keys = ("layers", "input_layers", "output_layers")
    if not isinstance(config, dict) or not all(isinstance(config.get(key), (list, tuple, dict))
                                               for key in keys):
        raise ValueError("Expected a functional model's config, a dictionary with 'name', 'layers',"
                         f" 'input_layers' and 'output_layers'. Received: {config!r:.200}")
    owner = f"Model {config.get('name')!r}"
    entries = {}
    for entry in config["layers"]:
        settings = entry.get("config") if isinstance(entry, dict) else None
        if not isinstance(settings, dict) or not isinstance(entry.get("class_name"), str) \
                or not isinstance(entry.get("inbound_nodes"), (list, tuple)):
            raise ValueError(f"{owner}: expected for each layer a dictionary with 'class_name', "
                             f"'config' and 'inbound_nodes'. Received: {entry!r:.200}")
        name = settings.get("name")
        if not isinstance(name, str) or name in entries or entry.get("name", name) != name:
            raise ValueError(f"{owner}: expected each layer to have a name of its own. "
                             f"Received: {entry.get('name')!r} with {name!r} in its config")
        entries[name] = entry
    return owner, entries


def _only(tensors, what: str, owner: str) -> str:
    """The name of the one layer in a config's list of inputs or outputs."""
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    if tensors and isinstance(tensors[0], str):  # Keras leaves the brackets of a single one out
        tensors = [tensors]
    if len(tensors) != 1:
        raise UnsupportedError(f"{owner}: expected one {what}. Received: {len(tensors)}, "
                               f"{tensors!r:.200}.")
    return _layer_of(tensors[0], owner)


def _layer_of(history, owner: str) -> str:
    """The layer named in (layer, number of the call, number of its output)."""
    whole = isinstance(history, (list, tuple)) and len(history) == 3
    if not whole or not isinstance(history[0], str):
        raise ValueError(f"{owner}: expected a tensor as [layer, 0, 0]. Received: {history!r:.200}")
    if list(history[1:]) != [0, 0]:
        raise UnsupportedError(f"{owner}: expected layers that are called once and have one output."
                               f" Received: {history!r}, call and output numbered from 0.")
    return history[0]


def _call(name: str, entry: dict) -> tuple[list[str], bool]:
    """(the names of the layers that a layer reads, whether it takes them as a list)."""
    owner = f"Layer {name!r}"
    nodes = entry["inbound_nodes"]
    if len(nodes) > 1:
        raise UnsupportedError(f"{owner} is called {len(nodes)} times. Shared layers are not "
                               "supported.")
    if len(nodes) == 0 or not isinstance(nodes[0], dict):
        raise ValueError(f"{owner}: expected one call as Keras 3 writes it, with 'args' and "
                         f"'kwargs'. Received: {nodes!r:.200}")
    # `training` is what fit, evaluate and predict say it is, whatever was said when the model was
    # put together; where nothing was said Keras writes False, for some layers True
    unsaid = getattr(LAYERS.get(str(entry.get("class_name"))), "called_in_training", False)
    own = {key: value for key, value in nodes[0].get("kwargs", {}).items()
           if value is not None and not (key == "training" and value in (False, unsaid))}
    args = list(nodes[0].get("args", ()))
    if not args and "inputs" in own:
        args = [own.pop("inputs")]
    if own or len(args) != 1:
        raise UnsupportedError(f"{owner}: expected to be called on its inputs alone. Received: "
                               f"{len(args)} arguments and {own!r:.200}.")
    merges = isinstance(args[0], (list, tuple))
    return [_tensor(value, owner) for value in (args[0] if merges else args)], merges


def _tensor(value, owner: str) -> str:
    """The layer that makes a tensor among a call's arguments."""
    if not isinstance(value, dict) or value.get("class_name") != "__keras_tensor__":
        raise UnsupportedError(f"{owner}: expected to be called on the outputs of layers. "
                               f"Received: {value!r:.200}.")
    return _layer_of(value.get("config", {}).get("keras_history"), owner)
