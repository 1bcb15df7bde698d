"""Keras's config dictionary of a functional model, read into a graph and written from one.

Each layer's entry has, beside its own config, `inbound_nodes`: the calls of the layer, whose
arguments are tensors named by (layer, number of the call, number of its output). As a model's
output the call of a functional model has a number that is greater by one.
"""

from collections.abc import Callable
from typing import Any

from scratch.call_config import (
    CAUSAL,
    STATES,
    TRAINING,
    Named,
    call_of,
    called_on,
    calls_in,
    causal_at,
    told_at,
    with_states,
)
from scratch.errors import UnsupportedError
from scratch.layer_config import layer_from_config, layer_to_config
from scratch.layers import OWN_NAMES, Input
from scratch.layers.symbolic import SymbolicTensor
from scratch.layers.unknown_sizes import worked_out
from scratch.mask_config import without_masks
from scratch.operations import Operation, Piece
from scratch.pieces_config import in_pieces
from scratch.precision import Policy

ONE_LIST = "the inputs, and the outputs, side by side in one list or dictionary"


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
        number = _called(unit, tensors, entries[_entry_name(unit)]["inbound_nodes"], call.told)
        outputs = worked_out(unit.compute_output_shape,
                             shapes if unit.called_on_list else shapes[0])
        for place, shape in enumerate(outputs if isinstance(outputs, list) else [outputs]):
            made[i, place] = _described(shape, _made_in(unit, tensors, model.policy),
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


def _called(unit, tensors: list, calls: list[dict], told: bool) -> int:
    """The number of a call, which is put down unless another piece of the same tensor has been."""
    call = called_on(unit, tensors, told)
    if isinstance(unit, Piece) and call in calls:
        return calls.index(call)
    calls.append(call)
    return len(calls) - 1


def _made_in(unit, tensors: list, policy: Policy) -> str:
    """The precision of what a call makes; an operation's is that of all it reads, or the wider."""
    if not isinstance(unit, Operation):
        return (unit.requested_policy or policy).compute
    if unit.gives_truth:
        return "bool"
    read = {tensor["config"]["dtype"] for tensor in tensors} - {"bool"}
    return read.pop() if len(read) == 1 else policy.held.name


def _described(shape: tuple, dtype: str, history: tuple) -> dict:
    """A tensor as Keras writes it among a call's arguments."""
    return {"class_name": "__keras_tensor__", "config": {
        "shape": shape, "dtype": dtype, "keras_history": list(history)}}


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
    sources = _packed(config["input_layers"], lambda tensor: call_of(tensor, owner)[0][0], owner)
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
             for call, read in calls_in(name, entry)}
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
        layer = layers[call[0]]
        said: dict[str, Any] = {}
        if hasattr(layer, CAUSAL):
            said[CAUSAL] = causal_at(entries[call[0]])
        if form is with_states:
            values, said = values[:1], {STATES: values[1:]}
        if told_at(entries[call[0]], call[1]):
            said[TRAINING] = True
        made = layer(values[0] if form in (None, with_states) else form(values), **said)
        structure = layer.outputs_as
        tensors[call] = [made] if structure is None else structure.flat(made)

    def output(history) -> SymbolicTensor:
        (name, number), place = call_of(history, owner)
        number -= _first_as_output(entries[name]) if name in entries else 0
        return tensor(*cut.get(((name, number), place), ((name, number), place)))

    return (_packed(config["input_layers"], lambda tensor: layers[call_of(tensor, owner)[0][0]],
                    owner), _packed(config["output_layers"], output, owner))


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
