"""Keras's config dictionary of a functional model, read into a graph and written from one.

Each layer's entry has, beside its own config, `inbound_nodes`: the calls of the layer, whose
arguments are tensors named by (layer, number of the call, number of its output). As a model's
output the call of a functional model has a number that is greater by one.
"""

from collections.abc import Callable
from typing import Any

from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config, layer_to_config
from scratch.layers import LAYERS, OWN_NAMES, Input
from scratch.layers.symbolic import SymbolicTensor
from scratch.layers.unknown_sizes import worked_out
from scratch.mask_config import without_masks
from scratch.operations import Operation, Piece, is_operation, is_tensor
from scratch.pieces_config import in_pieces

ONE_LIST = "the inputs, and the outputs, side by side in one list or dictionary"
CAUSAL = "use_causal_mask"  # what an attention is told at its call
Named = tuple[str, int]  # a call: the layer's name, and the number of the call
Output = tuple[Named, int]  # one of a call's outputs, counted from 0
Reads = tuple[list[Output], Callable | None]  # and the form in which they are handed over


def write(model) -> dict:
    """The config of a `scratch.Model`."""
    dtype = model.policy.name
    open_sizes = model.has_open_sizes
    entries: dict[str, dict] = {}
    for unit in model.stack:
        entry = layer_to_config(unit, dtype) if isinstance(unit, Input) else \
            layer_to_config(unit, dtype, open_sizes)
        known = entries.setdefault(_entry_name(unit), {**entry, "name": _entry_name(unit),
                                                       "inbound_nodes": []})
        if any(known[key] != value for key, value in entry.items()):
            raise ValueError(f"{model}: expected pieces of {_entry_name(unit)!r} that are cut in "
                             f"one way. Received: {known['config']} and {entry['config']}")
    made: dict[tuple[int, int], dict] = {  # by the call and the number of its output
        (-1 - k, 0): _described(source.shape, entries[source.name]["config"]["dtype"],
                                (source.name, 0, 0))
        for k, source in enumerate(model.inputs)}
    for i, call in enumerate(model.calls):
        unit, tensors = call.unit, [made[each] for each in call.read]
        shapes = [tensor["config"]["shape"] for tensor in tensors]
        number = _called(unit, tensors, entries[_entry_name(unit)]["inbound_nodes"])
        outputs = worked_out(unit.compute_output_shape,
                             shapes if unit.called_on_list else shapes[0])
        for place, shape in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            made[i, place] = _described(shape, (unit.requested_policy or model.policy).compute,
                                        (_entry_name(unit), number,
                                         unit.place if isinstance(unit, Piece) else place))
    ends = []
    for each in model.made_by:
        name, number, place = made[each]["config"]["keras_history"]
        ends.append([name, number + _first_as_output(entries[name]), place])
    inputs = [[source.name, 0, 0] for source in model.inputs]
    return {"name": model.name, "trainable": model.trainable, "layers": list(entries.values()),
            "input_layers": model.inputs_as.packed(inputs) if model.inputs_as else inputs[0],
            "output_layers": model.outputs_as.packed(ends) if model.outputs_as else ends[0]}


def _entry_name(unit) -> str:
    """By which name Keras's config has a layer; all pieces of a tensor are one operation's."""
    return unit.whole if isinstance(unit, Piece) else unit.name


def _called(unit, tensors: list, calls: list[dict]) -> int:
    """The number of a call, which is put down unless another piece of the same tensor has been."""
    kwargs: dict[str, Any] = {CAUSAL: True} if getattr(unit, CAUSAL, False) else {}
    if isinstance(unit, Operation):
        kwargs = unit.keyword_arguments()
    call = {"args": _arguments(unit, tensors), "kwargs": kwargs}
    if isinstance(unit, Piece) and call in calls:
        return calls.index(call)
    calls.append(call)
    return len(calls) - 1


def _described(shape: tuple, dtype: str, history: tuple) -> dict:
    """A tensor as Keras writes it among a call's arguments."""
    return {"class_name": "__keras_tensor__", "config": {
        "shape": shape, "dtype": dtype, "keras_history": list(history)}}


def _arguments(unit, tensors: list) -> tuple:
    """What a call is made on, as Keras writes it."""
    if isinstance(unit, Operation):
        return unit.arguments(tensors)
    inputs_as = getattr(unit, "inputs_as", None)
    if inputs_as is not None:
        return (inputs_as.packed(tensors),)
    return (tensors,) if unit.called_on_list and not unit.calls_apart else tuple(tensors)


def _first_as_output(entry: dict) -> int:
    """By which number the first call of an entry's layer goes among a model's outputs."""
    return 1 if entry["class_name"] in ("Functional", "Model") else 0


def read(config: dict) -> tuple[Any, Any]:
    """The inputs and the outputs of the graph that a config describes, each in its form.

    Raises:
        UnsupportedError: for a layer, a setting or a kind of graph that is not supported.
        ValueError: for a dictionary that is no functional model's.
    """
    owner, entries = _checked(config)
    inputs = [name for name, entry in entries.items() if entry["class_name"] == "InputLayer"]
    sources = _packed(config["input_layers"], lambda tensor: _call_of(tensor, owner)[0][0], owner)
    named = [sources] if isinstance(sources, str) else \
        list(sources.values() if isinstance(sources, dict) else sources)
    if sorted(inputs) != sorted(named):
        raise UnsupportedError(f"{owner}: expected the inputs {named}, whose layers are "
                               f"InputLayers. Received the InputLayers: {inputs}.")
    entries, cut = in_pieces(without_masks(entries), config["output_layers"])
    layers = {name: layer_from_config(entry) for name, entry in entries.items()}
    for name, entry in entries.items():
        if "expects_mask" in entry:
            layers[name].expects_mask = entry["expects_mask"]
    calls = {call: read for name, entry in entries.items() if name not in inputs
             for call, read in _calls(name, entry)}
    for call, (each_read, form) in calls.items():
        calls[call] = ([cut.get(source, source) for source in each_read], form)
    tensors: dict[Named, list] = {(name, 0): [layers[name]] for name in inputs}

    def tensor(call: Named, place: int) -> SymbolicTensor:
        if call not in tensors or place >= len(tensors[call]):
            where = f"call {call[1]}" if place == 0 else f"call {call[1]}, output {place}"
            raise ValueError(f"{owner}: expected the output to be one of the layers "
                             f"{[name for name, _ in tensors]}. Received: {call[0]!r}, {where}")
        return tensors[call][place]

    for call in _in_order([(name, 0) for name in inputs], calls, owner):
        read, form = calls[call]
        values = [tensor(*each) for each in read]
        said = {CAUSAL: causal_at(entries[call[0]])} if hasattr(layers[call[0]], CAUSAL) else {}
        made = layers[call[0]](values[0] if form is None else form(values), **said)
        structure = getattr(layers[call[0]], "outputs_as", None)
        tensors[call] = [made] if structure is None else structure.flat(made)

    def output(history) -> SymbolicTensor:
        (name, number), place = _call_of(history, owner)
        number -= _first_as_output(entries[name]) if name in entries else 0
        return tensor(*cut.get(((name, number), place), ((name, number), place)))

    return (_packed(config["input_layers"], lambda tensor: layers[_call_of(tensor, owner)[0][0]],
                    owner), _packed(config["output_layers"], output, owner))


def causal_at(entry: dict) -> bool:
    """Whether an attention was told at its calls that no query sees a key behind its own place.

    Raises:
        UnsupportedError: if it was at some of them alone.
    """
    said = {bool(node.get("kwargs", {}).get(CAUSAL)) for node in entry.get("inbound_nodes", ())
            if isinstance(node, dict)}
    if len(said) > 1:
        raise UnsupportedError(f"Layer {entry['config'].get('name')!r}: expected {CAUSAL} to be "
                               "the same at all calls of the layer. Received: True and False.")
    return True in said


def _packed(tensors, function: Callable, owner: str) -> Any:
    """function(history) of each tensor in a config's inputs or outputs, in the same form.

    Raises:
        UnsupportedError: for lists or dictionaries inside others.
    """
    if isinstance(tensors, dict):
        tensors, keys = list(tensors.values()), list(tensors)
        return dict(zip(keys, _packed(tensors, function, owner)))
    if tensors and isinstance(tensors[0], str):  # Keras leaves the brackets of a single one out
        return function(tensors)
    if any(isinstance(value, dict) or (value and not isinstance(value[0], str))
           for value in tensors):
        raise UnsupportedError(f"{owner}: expected {ONE_LIST}. Received one with others inside: "
                               f"{tensors!r:.200}")
    return type(tensors)(function(value) for value in tensors)


def _in_order(sources: list[Named], calls: dict, owner: str) -> list[Named]:
    """The calls, each after those that it reads; wave by wave, as far as they are from the inputs,
    and within one as the config has them.

    Args:
        calls: for each call (the outputs of calls that it reads, in which form).
    """
    readers: dict[Named, list[Named]] = {}
    missing = {}  # how many of what a layer reads is not there yet
    for name, (read, _) in calls.items():
        needed = {call for call, _ in read}
        missing[name] = len(needed)
        for each in needed:
            readers.setdefault(each, []).append(name)
    position = {name: i for i, name in enumerate(calls)}
    order, wave = [], list(sources)
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
        reads = [name for (name, _), _ in calls[call][0]]
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
        name = settings.get("name", entry.get("name"))  # which some classes leave out
        if not isinstance(name, str) or name in entries or entry.get("name", name) != name:
            raise ValueError(f"{owner}: expected each layer to have a name of its own. "
                             f"Received: {entry.get('name')!r} with {name!r} in its config")
        entries[name] = {**entry, "config": {**settings, "name": name},
                         "class_name": OWN_NAMES.get(entry["class_name"], entry["class_name"])}
    return owner, entries


def _call_of(history, owner: str) -> Output:
    """The call and which of its outputs, named in (layer, number of the call, number of output)."""
    whole = isinstance(history, (list, tuple)) and len(history) == 3
    if not whole or not isinstance(history[0], str) or type(history[1]) is not int:
        raise ValueError(f"{owner}: expected a tensor as [layer, 0, 0]. Received: {history!r:.200}")
    if type(history[2]) is not int or history[2] < 0:
        raise ValueError(f"{owner}: expected the number of an output. Received: {history!r}")
    return (history[0], history[1]), history[2]


def _calls(name: str, entry: dict):
    """Of each call of a layer (its name and number, (the outputs of calls that it reads, the form
    in which it takes them: None for one, or a function of their list)).
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
        if hasattr(layer, CAUSAL):
            node = {**node, "kwargs": {key: value for key, value in node.get("kwargs", {}).items()
                                       if key != CAUSAL}}
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


def _operands(node: dict, name: str) -> Reads:
    """What an operation reads, as `_read_by` tells it; its operands may be numbers, too."""
    args = list(node.get("args", ()))
    listed = len(args) == 1 and isinstance(args[0], (list, tuple))
    read = [_tensor(value, f"Operation {name!r}") for value in (args[0] if listed else args)
            if is_tensor(value)]
    return read, list if listed or len(read) > 1 else None


def _read_by(node: dict, owner: str, unsaid: bool) -> Reads:
    """(the outputs of calls that a call reads, the form in which it takes them).

    Args:
        unsaid: what Keras writes for `training` where nothing was said, if not False.
    """
    # `training` is what fit, evaluate and predict say it is, whatever was said when the model was
    # put together; where nothing was said Keras writes False, for some layers True
    own = {key: value for key, value in node.get("kwargs", {}).items()
           if not (_is_none(value) or (key == "training" and value in (False, unsaid)))}
    args = list(node.get("args", ()))
    if not args and "inputs" in own:
        args = [own.pop("inputs")]
    if own or len(args) != 1:
        raise UnsupportedError(f"{owner}: expected to be called on its inputs alone. Received: "
                               f"{len(args)} arguments and {own!r:.200}.")
    if isinstance(args[0], dict) and args[0].get("class_name") != "__keras_tensor__":
        keys = list(args[0])
        return ([_tensor(value, owner) for value in args[0].values()],
                lambda values: dict(zip(keys, values)))
    merges = isinstance(args[0], (list, tuple))
    return ([_tensor(value, owner) for value in (args[0] if merges else args)],
            list if merges else None)


def _is_none(value) -> bool:
    """Whether an argument is None, or holds nothing else, as the masks of several inputs."""
    if isinstance(value, dict):
        return all(map(_is_none, value.values()))
    return all(map(_is_none, value)) if isinstance(value, (list, tuple)) else value is None


def _tensor(value, owner: str) -> Output:
    """The call that makes a tensor among a call's arguments, and which of its outputs that is."""
    if not isinstance(value, dict) or value.get("class_name") != "__keras_tensor__":
        raise UnsupportedError(f"{owner}: expected to be called on the outputs of layers. "
                               f"Received: {value!r:.200}.")
    return _call_of(value.get("config", {}).get("keras_history"), owner)
