"""Keras's config dictionary of a functional model, read into a graph and written from one.

Each layer's entry has, beside its own config, `inbound_nodes`: the calls of the layer, whose
arguments are tensors named by (layer, number of the call, number of its output). As a model's
output the call of a functional model has a number that is greater by one.
"""


from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config, layer_to_config
from scratch.layers import LAYERS, Input
from scratch.layers.symbolic import SymbolicTensor
from scratch.layers.unknown_sizes import has_unknown, worked_out
from scratch.operations import Operation, is_operation

Named = tuple[str, int]  # a call: the layer's name, and the number of the call

def write(model) -> dict:
    """The config of a `scratch.Model`."""
    dtype = model.policy.name
    source = model.input_layer
    # by the calls; the last place, -1, is the input
    made: list[dict] = [{"class_name": "__keras_tensor__", "config": {
        "shape": source.shape, "dtype": dtype, "keras_history": [source.name, 0, 0]}}]
    entries = {source.name: {**layer_to_config(source, dtype), "name": source.name,
                             "inbound_nodes": []}}
    for unit in model.units:
        entries[unit.name] = {**layer_to_config(unit, dtype, has_unknown(source.shape)),
                              "name": unit.name, "inbound_nodes": []}
    for unit, sources in model.calls:
        tensors = [made[i] for i in sources]
        shapes = [tensor["config"]["shape"] for tensor in tensors]
        calls = entries[unit.name]["inbound_nodes"]
        number = len(calls)
        calls.append({"args": _arguments(unit, tensors), "kwargs": {}})
        made.insert(-1, {"class_name": "__keras_tensor__", "config": {
            "shape": worked_out(unit.compute_output_shape, shapes if unit.merges else shapes[0]),
            "dtype": dtype, "keras_history": [unit.name, number, 0]}})
    name, number, _ = made[-2]["config"]["keras_history"]
    return {"name": model.name, "trainable": model.trainable, "layers": list(entries.values()),
            "input_layers": [source.name, 0, 0],
            "output_layers": [name, number + _first_as_output(entries[name]), 0]}


def _arguments(unit, tensors: list) -> tuple:
    """What a call is made on, as Keras writes it."""
    if isinstance(unit, Operation):
        return unit.arguments(tensors)
    return (tensors,) if unit.merges and not unit.calls_apart else tuple(tensors)


def _first_as_output(entry: dict) -> int:
    """By which number the first call of an entry's layer goes among a model's outputs."""
    return 1 if entry["class_name"] in ("Functional", "Model") else 0


def read(config: dict) -> tuple[Input, SymbolicTensor]:
    """The input and the output of the graph that a config describes.

    Raises:
        UnsupportedError: for a layer, a setting or a kind of graph that is not supported.
        ValueError: for a dictionary that is no functional model's.
    """
    owner, entries = _checked(config)
    inputs = [name for name, entry in entries.items() if entry["class_name"] == "InputLayer"]
    source, _ = _only(config["input_layers"], "input", owner)
    if inputs != [source]:
        raise UnsupportedError(f"{owner}: expected one input, {source!r}, whose layer is an "
                               f"InputLayer. Received the InputLayers: {inputs}.")
    layers = {name: layer_from_config(entry) for name, entry in entries.items()}
    calls = {call: read for name, entry in entries.items() if name != source
             for call, read in _calls(name, entry)}
    tensors = {(source, 0): layers[source]}
    for call in _in_order((source, 0), calls, owner):
        read, merges = calls[call]
        values = [tensors[r] for r in read]
        tensors[call] = layers[call[0]](values if merges else values[0])
    name, number = _only(config["output_layers"], "output", owner)
    output = name, number - (_first_as_output(entries[name]) if name in entries else 0)
    if output not in tensors:
        raise ValueError(f"{owner}: expected the output to be one of the layers "
                         f"{[name for name, _ in tensors]}. Received: {output[0]!r}, "
                         f"call {output[1]}")
    return layers[source], tensors[output]


def _in_order(source: Named, calls: dict, owner: str) -> list[Named]:
    """The calls, each after those that it reads; wave by wave, as far as they are from the input,
    and within one as the config has them.

    Args:
        calls: for each call (the calls that it reads, whether as a list).
    """
    readers: dict[Named, list[Named]] = {}
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
        call = next(call for call in calls if call not in done)
        reads = [name for name, _ in calls[call][0]]
        raise ValueError(f"{owner}: expected layers that can be reached from its input. "
                         f"Received: {call[0]!r}, which reads {reads}")
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


def _only(tensors, what: str, owner: str) -> Named:
    """The one call in a config's list of inputs or outputs."""
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    if tensors and isinstance(tensors[0], str):  # Keras leaves the brackets of a single one out
        tensors = [tensors]
    if len(tensors) != 1:
        raise UnsupportedError(f"{owner}: expected one {what}. Received: {len(tensors)}, "
                               f"{tensors!r:.200}.")
    return _call_of(tensors[0], owner)


def _call_of(history, owner: str) -> Named:
    """The call named in (layer, number of the call, number of its output)."""
    whole = isinstance(history, (list, tuple)) and len(history) == 3
    if not whole or not isinstance(history[0], str) or type(history[1]) is not int:
        raise ValueError(f"{owner}: expected a tensor as [layer, 0, 0]. Received: {history!r:.200}")
    if history[2] != 0:
        raise UnsupportedError(f"{owner}: expected layers that have one output. "
                               f"Received: {history!r}, output numbered from 0.")
    return history[0], history[1]


def _calls(name: str, entry: dict):
    """Of each call of a layer (its name and number, (the calls that it reads, whether as a list)).
    """
    nodes = entry["inbound_nodes"]
    if len(nodes) == 0 or not all(isinstance(node, dict) for node in nodes):
        raise ValueError(f"Layer {name!r}: expected calls as Keras 3 writes them, with 'args' and "
                         f"'kwargs'. Received: {nodes!r:.200}")
    for number, node in enumerate(nodes):
        layer = LAYERS.get(str(entry.get("class_name")))
        unsaid = getattr(layer, "called_in_training", False)
        if layer is not None and layer.calls_apart:
            node = _listed(node)
        yield (name, number), (_operands(node, name) if is_operation(entry) else
                               _read_by(node, f"Layer {name!r}", unsaid))


def _listed(node: dict) -> dict:
    """A call on query, value and key as one on a list of them."""
    named = dict(node.get("kwargs", {}))
    args = list(node.get("args", ()))
    for key in ("query", "value", "key")[len(args):]:
        if named.get(key) is None:
            break
        args.append(named.pop(key))
    return {"args": [[value for value in args if value is not None]], "kwargs": named}


def _operands(node: dict, name: str) -> tuple[list[Named], bool]:
    """What an operation reads, as `_read_by` tells it; its operands may be numbers, too."""
    args = list(node.get("args", ()))
    listed = len(args) == 1 and isinstance(args[0], (list, tuple))
    read = [_tensor(value, f"Operation {name!r}") for value in (args[0] if listed else args)
            if isinstance(value, dict)]
    return read, listed or len(read) > 1


def _read_by(node: dict, owner: str, unsaid: bool) -> tuple[list[Named], bool]:
    """(the calls whose outputs a call reads, whether it takes them as a list).

    Args:
        unsaid: what Keras writes for `training` where nothing was said, if not False.
    """
    # `training` is what fit, evaluate and predict say it is, whatever was said when the model was
    # put together; where nothing was said Keras writes False, for some layers True
    own = {key: value for key, value in node.get("kwargs", {}).items()
           if value is not None and not (key == "training" and value in (False, unsaid))}
    args = list(node.get("args", ()))
    if not args and "inputs" in own:
        args = [own.pop("inputs")]
    if own or len(args) != 1:
        raise UnsupportedError(f"{owner}: expected to be called on its inputs alone. Received: "
                               f"{len(args)} arguments and {own!r:.200}.")
    merges = isinstance(args[0], (list, tuple))
    return [_tensor(value, owner) for value in (args[0] if merges else args)], merges


def _tensor(value, owner: str) -> Named:
    """The call that makes a tensor among a call's arguments."""
    if not isinstance(value, dict) or value.get("class_name") != "__keras_tensor__":
        raise UnsupportedError(f"{owner}: expected to be called on the outputs of layers. "
                               f"Received: {value!r:.200}.")
    return _call_of(value.get("config", {}).get("keras_history"), owner)
