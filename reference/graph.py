"""Which layer of a Keras model reads whose output, for a Sequential and for a functional model.

A functional model's own config says it: each layer's entry names the tensors that it was called on.
Models inside models are written out at their place, their layers by path: `base.conv2d`; a layer
that is called again makes a call of its own, `conv2d (call 2)`. Only models with one input and one
output can be observed.
"""

import inspect
from collections import Counter
from typing import Any, NamedTuple

from reference.operations import Called
from reference.quiet import keras

CALLED_APART = keras.layers.MultiHeadAttention  # on its inputs one by one, not on a list of them
Named = tuple[str, int]  # a call in a config: the layer's name, and the number of the call


class Call(NamedTuple):
    """One call of a layer, or of an operation between layers.

    Attributes:
        layer: the Keras layer; of an operation a `Called`.
        name: its path, and of a further call the number.
        sources: positions of the calls whose outputs it reads; -1 is the model's input.
        merges: whether it takes them as a list.
        tied_to: the name of the layer's first call; None for that itself.
    """

    layer: Any
    name: str
    sources: tuple[int, ...]
    merges: bool
    tied_to: str | None = None


def layers_of(model) -> list:
    """The model's layers in the order of their calls, one that is called again as often, without
    its input; layers of models inside it among them. Of a model that is no graph of layers with one
    input and one output the layers as it lists them."""
    try:
        return [call.layer for call in calls_of(model)]
    except ValueError:
        return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]


def layers_by_name(model) -> dict[str, Any]:
    """The layer of each call by the call's name."""
    return {call.name: call.layer for call in calls_of(model)}


def calls_of(model) -> list[Call]:
    """All calls of layers in the model, in the order of computation.

    Raises:
        ValueError: for several inputs or outputs, or a layer called with arguments of its own.
    """
    calls: list[Call] = []
    first: dict[int, str] = {}
    times: Counter[int] = Counter()
    for layer, path, sources, merges in _written_out(model, ""):
        key = id(layer.operation if isinstance(layer, Called) else layer)
        times[key] += 1
        name = path if key not in first else f"{path} (call {times[key]})"
        calls.append(Call(layer, name, sources, merges, first.get(key)))
        first.setdefault(key, name)
    return calls


def _written_out(model, inside: str) -> list[tuple]:
    """(layer, path, sources, merges) for each call in a model, those of models in it in place."""
    found: list[tuple] = []
    ends = {-1: -1}
    for i, (unit, read, merges) in enumerate(_units(model)):
        start, read, path = len(found), tuple(ends[source] for source in read), inside + unit.name
        if isinstance(unit, keras.Model):
            for layer, name, sources, several in _written_out(unit, f"{path}."):
                found.append((layer, name, tuple(start + source if source >= 0 else read[0]
                                                 for source in sources), several))
        else:
            found.append((unit, path, read, merges))
        ends[i] = len(found) - 1
    return found


def _units(model) -> list[tuple]:
    """(layer or model, positions of the calls that it reads, whether as a list) for each call that
    a model makes itself, in Keras's order."""
    if isinstance(model, keras.Sequential):
        return [(layer, (i - 1,), False) for i, layer in enumerate(model.layers)]
    config = model.get_config()
    if "output_layers" not in config:
        raise ValueError(f"Expected a Sequential or a functional model. Received: {model.name!r}, "
                         f"a {type(model).__name__}, whose config says nothing of its connections")
    source = _only(config["input_layers"], "input", model)
    name, number = _only(config["output_layers"], "output", model)
    units = {operation.name: operation for operation in model.operations}
    arguments = {}
    for entry in config["layers"]:
        own = entry["config"]["name"]
        arguments.update({(own, i): _arguments(own, call, model)
                          for i, call in enumerate(entry["inbound_nodes"])})
    reads = {call: list(_tensors(args)) for call, args in arguments.items()}
    end = name, number - isinstance(units[name], keras.Model) * (
        not isinstance(units[name], keras.Sequential))  # whose outputs are counted from 1
    order = ordered(end, reads)
    position = {source: -1, **{call: i for i, call in enumerate(c for c in order if c != source)}}
    return [_called(units[call[0]], arguments[call],
                    tuple(position[read] for read in reads[call]))
            for call in order if call != source]


def _called(unit, arguments: list, sources: tuple[int, ...]) -> tuple:
    """(layer or model, what it reads, whether as a list) for one call."""
    several = isinstance(arguments[0], (list, tuple))
    if isinstance(unit, keras.Layer):
        return unit, sources, several or len(sources) > 1
    return Called(unit, arguments), sources, several or len(sources) > 1


def ordered(end: Named, reads: dict[Named, list[Named]]) -> list[Named]:
    """The calls from which `end` is computed, and itself, as Keras sorts layers: by depth, the
    longest way to the output, deepest first, then as they are met on the way back from it. Of a
    layer that is called again its deepest call counts.

    Args:
        reads: for each call those whose outputs it reads, in order.
    """
    met, finished = _followed_back(end, reads)
    depth: dict[Named, int] = {}
    deepest: dict[str, int] = {}  # call of each layer
    first_met: dict[str, int] = {}
    for i, (name, _) in enumerate(met):
        first_met.setdefault(name, i)
    for call in reversed(finished):
        depth[call] = deepest[call[0]] = max(depth.get(call, 0), deepest.get(call[0], 0))
        for source in reads.get(call, ()):
            depth[source] = max(depth.get(source, 0), depth[call] + 1)
    when = {call: i for i, call in enumerate(depth)}  # calls of one layer and depth run so
    return sorted(depth, key=lambda call: (-depth[call], first_met[call[0]], when[call]))


def _followed_back(end: Named, reads: dict[Named, list[Named]]) -> tuple[list, list]:
    """(the calls as they are met, the calls in the order in which all before them was done)."""
    met, finished = {end: None}, []
    way = [(end, iter(reads.get(end, ())))]
    while way:
        call, sources = way[-1]
        for source in sources:
            if source not in met:
                met[source] = None
                way.append((source, iter(reads.get(source, ()))))
                break
        else:
            finished.append(call)
            way.pop()
    return list(met), finished


def _only(tensors, what: str, model) -> Named:
    """The one call in a config's list of inputs or outputs."""
    if isinstance(tensors, dict):
        tensors = list(tensors.values())
    if tensors and isinstance(tensors[0], str):  # Keras leaves the brackets of a single one out
        tensors = [tensors]
    if len(tensors) != 1:
        raise ValueError(f"Model {model.name!r}: expected one {what}. Received: {len(tensors)}")
    return tensors[0][0], tensors[0][1]


def _arguments(name: str, call: dict, model) -> list:
    """What a layer was called on."""
    # `training` is what the model around it is called with, whatever was said at this call; where
    # nothing was said Keras writes False, or what the layer takes then
    unsaid = None
    if call["kwargs"].get("training") is True:
        parameters = inspect.signature(model.get_layer(name).call).parameters
        unsaid = getattr(parameters.get("training"), "default", False)
    own = {key: value for key, value in call["kwargs"].items()
           if value is not None and not (key == "training" and value in (False, unsaid))}
    more = []
    if own and isinstance(model.get_layer(name), CALLED_APART):
        more = [own.pop(key) for key in ("query", "value", "key") if key in own]
    if own:
        raise ValueError(f"Model {model.name!r}: expected layers called on tensors alone. "
                         f"Received: {name!r}, called with {own}")
    return [*call["args"], *more]


def _tensors(value):
    """The calls whose outputs are among a call's arguments, in their order."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, number, _ = value["config"]["keras_history"]
        yield name, number
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
