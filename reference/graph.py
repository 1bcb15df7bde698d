"""Which layer of a Keras model reads whose output, for a Sequential and for a functional model.

A functional model's own config says it: each layer's entry names the tensors that it was called on.
Models inside models are written out at their place, their layers by path: `base.conv2d`; a layer
that is called again makes a call of its own, `conv2d (call 2)`.
"""

from collections import Counter
from typing import Any, NamedTuple

from reference.masks import (
    ATTENDING,
    makes_masks,
    masked,
    met,
    of_attention,
    takes_mask_from_config,
    uses_masks,
)
from reference.operations import Called
from reference.outputs import RECURRENT, OneOutput, several
from reference.quiet import keras
from reference.steps import CALLED_APART, OnSteps, around_model

Named = tuple[str, int]  # a call in a config: the layer's name, and the number of the call


class Call(NamedTuple):
    """One call of a layer, or of an operation between layers.

    Attributes:
        layer: the Keras layer; of an operation a `Called`.
        name: its path, and of a further call the number.
        sources: positions of the calls whose outputs it reads; -1 - k is the model's input k.
        merges: whether it takes them as a list.
        tied_to: the name of the layer's first call; None for that itself.
        masked_by: the layers that make the masks it uses, of what the last of its sources put out.
        along: (what makes the mask that goes along with its output, the position of what that
            reads), or None.
        causal: whether an attention was called so that no query sees a key behind its own place.
    """

    layer: Any
    name: str
    sources: tuple[int, ...]
    merges: bool
    tied_to: str | None = None
    masked_by: tuple = ()
    along: tuple[Any, int] | None = None
    causal: bool = False


def layers_of(model) -> list:
    """The model's layers in the order of their calls, one that is called again as often, without
    its inputs; layers of models inside it among them. Of a model that is no graph of layers the
    layers as it lists them."""
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
        ValueError: for a model that is no graph, or a layer called with arguments of its own.
    """
    calls: list[Call] = []
    first: dict[Any, str] = {}
    times: Counter[Any] = Counter()
    for layer, path, sources, merges, causal in _written_out(model, "")[0]:
        key = _identity(layer)
        times[key] += 1
        name = path if key not in first else f"{path} (call {times[key]})"
        calls.append(Call(layer, name, sources, merges, first.get(key), causal=causal))
        first.setdefault(key, name)
    return with_masks(calls)


def _identity(layer: Any) -> Any:
    """What all calls of a layer, of an operation or of one of a layer's outputs have in common."""
    if isinstance(layer, OnSteps):
        return _identity(layer.layer)
    if isinstance(layer, OneOutput):
        return id(layer.layer), layer.place
    return (id(layer.operation), layer.place) if isinstance(layer, Called) else id(layer)


def with_masks(calls: list[Call]) -> list[Call]:
    """The calls, those that use masks with what these are made of as one more source.

    Layers of one input use the masks that Keras works out when the graph is put together;
    attentions, and the loss, those that come along with the numbers, which a MultiHeadAttention
    takes off its inputs.
    """
    wired: list = []  # for each call (what makes the mask that goes along, what that reads)
    carried: list = []
    found = []
    for call in calls:
        attends = isinstance(call.layer, ATTENDING)
        given = [(carried if attends else wired)[source] if source >= 0 else None
                 for source in call.sources]
        used = []
        if attends:
            used = of_attention(call.layer, given, call.sources)
        elif uses_masks(call.layer) and given[0] is not None and len(call.sources) == 1:
            # which Keras does not hand on to a recurrent layer that is called on initial states
            used = given[:1]
        for masks in (wired, carried):
            masks.append(_along(call, [masks[source] if source >= 0 else None
                                       for source in call.sources]))
        if isinstance(call.layer, keras.layers.MultiHeadAttention):
            for source in call.sources:
                if source >= 0:
                    carried[source] = None
        if used:
            call = call._replace(sources=(*call.sources, *(read for _, read in used)), merges=True,
                                 masked_by=tuple(maker for maker, _ in used))
        found.append(call)
    return [call._replace(along=mask) for call, mask in zip(found, carried)]


def _along(call: Call, given: list):
    """The mask that goes along with a call's output, given those of what it reads."""
    if makes_masks(call.layer):
        return call.layer, call.sources[0]
    if not masked(call.layer):
        return None
    return met(call.layer, given) if call.merges and not uses_masks(call.layer) else given[0]


def ends_of(model) -> list[int]:
    """The positions of the calls that make the model's outputs, as Keras orders those.

    Raises:
        ValueError: as `calls_of`, and for an output that is an input.
    """
    ends = _written_out(model, "")[1]
    if min(ends) < 0:
        raise ValueError(f"Model {model.name!r}: expected outputs that layers make. Received an "
                         "input as one: hand it on by keras.layers.Identity()(x)")
    return ends


def _written_out(model, inside: str) -> tuple[list[tuple], list[int]]:
    """((layer, path, sources, merges, causal) for each call in a model, those of models in it in
    place; the positions of those that make its outputs)."""
    found: list[tuple] = []
    units, outputs = _units(model)
    read_of: dict[int, list[int]] = {}  # which outputs of a unit are read
    for number, place in sorted({*outputs, *(each for _, reads, _, _ in units for each in reads)}):
        read_of.setdefault(number, []).append(place)
    ends: dict[tuple[int, int], int] = {}

    def position(read: tuple[int, int]) -> int:
        return ends[read] if read[0] >= 0 else read[0]

    for i, (unit, reads, merges, causal) in enumerate(units):
        start, read, path = len(found), tuple(map(position, reads)), inside + unit.name
        stepwise = around_model(unit)
        if isinstance(unit, keras.Model) or stepwise:
            inner, within = (unit.layer, f"{path}.{unit.layer.name}.") if stepwise else (
                unit, f"{path}.")
            calls, made = _written_out(inner, within)
            for layer, name, sources, *told in calls:
                layer = OnSteps(layer) if stepwise else layer
                found.append((layer, name, tuple(start + source if source >= 0
                                                 else read[-1 - source] for source in sources),
                              *told))
            for place, end in enumerate(made):
                ends[i, place] = start + end if end >= 0 else read[-1 - end]
        elif isinstance(unit, Called) and unit.cuts:
            for place in read_of.get(i, []):
                ends[i, place] = len(found)
                found.append((unit.at(place), f"{path}:{place}", read, merges, causal))
        else:
            found.append((unit, path, read, merges, causal))
            ends[i, 0] = start
            for place in read_of.get(i, []) if several(unit) else ():
                ends[i, place] = len(found)
                part = OneOutput(unit, place)
                found.append((part, inside + part.name, (start,), False, False))
    return found, [position(output) for output in outputs]


def _units(model) -> tuple[list[tuple], list[tuple[int, int]]]:
    """((layer or model, what it reads, whether as a list, `Call.causal`) for each call that a model
    makes itself, in Keras's order; what the model's outputs are). What is read is (position of a
    call, which of its outputs); the model's input k has the position -1 - k."""
    if isinstance(model, keras.Sequential):
        return ([(layer, ((i - 1, 0),), False, False) for i, layer in enumerate(model.layers)],
                [(len(model.layers) - 1, 0)])
    try:
        config = model.get_config()
    except NotImplementedError:  # a subclass whose arguments Keras cannot write down
        config = {}
    if "output_layers" not in config:
        raise ValueError(f"Expected a Sequential or a functional model. Received: {model.name!r}, "
                         f"a {type(model).__name__}, whose config says nothing of its connections")
    inputs = [(name, number) for name, number, _ in _listed(config["input_layers"])]
    units = {operation.name: operation for operation in model.operations}
    arguments, masks, causal = {}, {}, set()
    keywords: dict[Named, dict] = {}
    for entry in config["layers"]:
        own = entry["name"]
        for i, call in enumerate(entry["inbound_nodes"]):
            if isinstance(units[own], keras.Layer):
                arguments[own, i], keywords[own, i] = _arguments(own, call, model), {}
            else:
                arguments[own, i] = call["args"]
                keywords[own, i] = {key: value for key, value in call["kwargs"].items()
                                    if value is not None}
            masks[own, i] = [each for each, _ in _tensors(call["kwargs"].get("mask"))]
            if call["kwargs"].get("use_causal_mask"):
                causal.add((own, i))
    reads = {call: list(_tensors(args)) for call, args in arguments.items()}
    ends = [((name, number - _first_as_output(units[name])), place)
            for name, number, place in _listed(config["output_layers"])]
    named = {call: [each for each, _ in read] for call, read in reads.items()}
    computed = set(ordered([call for call, _ in ends], named))
    # operations that make masks count where calls are sorted, and are none of these themselves
    order = ordered([call for call, _ in ends],
                    {call: read + masks[call] for call, read in named.items()})
    own = [call for call in order if call in computed and call not in inputs]
    position = {**{source: -1 - k for k, source in enumerate(inputs)},
                **{call: i for i, call in enumerate(own)}}
    return ([(*_called(units[call[0]], arguments[call], keywords[call],
                       tuple((position[read], place) for read, place in reads[call])),
              call in causal) for call in own], [(position[call], place) for call, place in ends])


def _first_as_output(unit) -> int:
    """By which number the first call goes among a model's outputs: of a functional model by 1."""
    return isinstance(unit, keras.Model) and not isinstance(unit, keras.Sequential)


def _listed(tensors) -> list:
    """The [layer, call, output] of a config's inputs or outputs, in Keras's own order."""
    if isinstance(tensors, dict):
        return [tensors[key] for key in sorted(tensors)]
    if tensors and isinstance(tensors[0], str):  # Keras leaves the brackets of a single one out
        return [tensors]
    return list(tensors)


def _called(unit, arguments: list, keywords: dict, sources: tuple) -> tuple:
    """(layer or model, what it reads, whether as a list) for one call."""
    several = isinstance(arguments[0], (list, tuple))
    if isinstance(unit, keras.Layer):
        return unit, sources, several or len(sources) > 1
    return Called(unit, arguments, keywords), sources, several or len(sources) > 1


def ordered(ends: list[Named], reads: dict[Named, list[Named]]) -> list[Named]:
    """The calls from which `ends` are computed, and themselves, as Keras sorts layers: by depth,
    the longest way to an output, deepest first, then as they are met on the way back from one
    output after the other. Of a layer that is called again its deepest call counts.

    Args:
        reads: for each call those whose outputs it reads, in order.
    """
    met, finished = _followed_back(ends, reads)
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


def _followed_back(ends: list[Named], reads: dict[Named, list[Named]]) -> tuple[list, list]:
    """(the calls as they are met, the calls in the order in which all before them was done)."""
    met: dict[Named, None] = {}
    finished = []
    for end in ends:
        if end in met:
            continue
        met[end] = None
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


def _arguments(name: str, call: dict, model) -> list:
    """What a layer was called on."""
    # `training` is what fit, evaluate and predict say it is, whatever was said at this call
    own = {key: value for key, value in call["kwargs"].items()
           if not (_is_none(value) or (key == "training" and isinstance(value, bool)))}
    more = []
    if own and isinstance(model.get_layer(name), CALLED_APART):
        more = [own.pop(key) for key in ("query", "value", "key") if key in own]
    if "initial_state" in own and isinstance(model.get_layer(name), RECURRENT):
        states = own.pop("initial_state")
        more = list(states) if isinstance(states, (list, tuple)) else [states]
    if "use_causal_mask" in own and isinstance(model.get_layer(name), ATTENDING):
        del own["use_causal_mask"]
    if isinstance(own.get("mask"), dict) and takes_mask_from_config(model.get_layer(name)):
        del own["mask"]  # as it comes with the input
    if own:
        raise ValueError(f"Model {model.name!r}: expected layers called on tensors alone. "
                         f"Received: {name!r}, called with {own}")
    return [*call["args"], *more]


def _is_none(value) -> bool:
    """Whether an argument is None, or holds nothing else, as the masks of several inputs."""
    if isinstance(value, dict):
        return all(map(_is_none, value.values()))
    return all(map(_is_none, value)) if isinstance(value, (list, tuple)) else value is None


def _tensors(value):
    """The outputs of calls among a call's arguments, in their order: of a dictionary by its keys.
    """
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, number, place = value["config"]["keras_history"]
        yield (name, number), place
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from _tensors(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)
