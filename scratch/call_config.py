"""The calls of a layer as they stand in a functional model's config: `inbound_nodes`.

Beside tensors a call may say how: an attention's causal mask, a recurrent layer's initial states.
"""

from collections.abc import Callable

from scratch.errors import UnsupportedError
from scratch.layers import LAYERS
from scratch.operations import Operation, is_operation, is_tensor

CAUSAL = "use_causal_mask"  # what an attention is told at its call
STATES = "initial_state"  # what a recurrent layer is
TRAINING = "training"  # what any layer is
Named = tuple[str, int]  # a call: the layer's name, and the number of the call
Output = tuple[Named, int]  # one of a call's outputs, counted from 0
Reads = tuple[list[Output], Callable | None]  # and the form in which they are handed over


def called_on(unit, tensors: list, told: bool = False) -> dict:
    """What a call is made on, as Keras writes it.

    Args:
        told: whether it is made with training=True.
    """
    more = {TRAINING: True} if told else {}
    if hasattr(unit, "state_widths") and unit.own_inputs > 1:
        return {"args": tensors[:1], "kwargs": {STATES: tensors[1:], **more}}
    kwargs = unit.keyword_arguments() if isinstance(unit, Operation) else (
        {CAUSAL: True} if getattr(unit, CAUSAL, False) else {}) | more
    return {"args": _arguments(unit, tensors), "kwargs": kwargs}


def _arguments(unit, tensors: list) -> tuple:
    """The arguments of a call that have no names."""
    if isinstance(unit, Operation):
        return unit.arguments(tensors)
    inputs_as = getattr(unit, "inputs_as", None)
    if inputs_as is not None:
        return (inputs_as.packed(tensors),)
    return (tensors,) if unit.called_on_list and not unit.calls_apart else tuple(tensors)


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


def told_at(entry: dict, number: int) -> bool:
    """Whether a layer or a model was told at one of its calls that it is in training.

    Where nothing was said Keras writes False, for layers that then take themselves to be in
    training True.
    """
    layer = LAYERS.get(str(entry.get("class_name")))
    return entry["inbound_nodes"][number].get("kwargs", {}).get(TRAINING) is True and not getattr(
        layer, "called_in_training", False)


def initial_states_at(entry: dict) -> int:
    """On how many initial states a recurrent layer is called."""
    for node in entry.get("inbound_nodes", ()):
        states = node.get("kwargs", {}).get(STATES) if isinstance(node, dict) else None
        if states is not None:
            return len(states) if isinstance(states, (list, tuple)) else 1
    return 0


def calls_in(name: str, entry: dict):
    """Of each call of a layer (its name and number, (the outputs of calls that it reads, the form
    in which it takes them: None for one, or a function of their list)).
    """
    nodes = entry["inbound_nodes"]
    if len(nodes) == 0 or not all(isinstance(node, dict) for node in nodes):
        raise ValueError(f"Layer {name!r}: expected calls as Keras 3 writes them, with 'args' and "
                         f"'kwargs'. Received: {nodes!r:.200}")
    for number, node in enumerate(nodes):
        layer = LAYERS.get(str(entry.get("class_name")))
        if layer is not None and layer.calls_apart:
            node = _listed(node)
        if hasattr(layer, CAUSAL):
            node = {**node, "kwargs": {key: value for key, value in node.get("kwargs", {}).items()
                                       if key != CAUSAL}}
        own = dict(node.get("kwargs", {}))
        states = own.pop(STATES, None) if hasattr(layer, "state_widths") else None
        if states is not None:
            (first, *_), _ = _read_by({**node, "kwargs": own}, f"Layer {name!r}")
            listed = states if isinstance(states, (list, tuple)) else [states]
            yield (name, number), ([first, *(_tensor(each, f"{STATES} of layer {name!r}")
                                             for each in listed)], with_states)
            continue
        yield (name, number), (_operands(node, name) if is_operation(entry) else
                               _read_by(node, f"Layer {name!r}"))


def with_states(values: list) -> list:
    """The form of a call on an input and initial states."""
    return values


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


def _read_by(node: dict, owner: str) -> Reads:
    """(the outputs of calls that a call reads, the form in which it takes them)."""
    # `training` is what fit, evaluate and predict say it is, whatever was said when the model was
    # put together, see `told_at`
    own = {key: value for key, value in node.get("kwargs", {}).items()
           if not (_is_none(value) or (key == TRAINING and isinstance(value, bool)))}
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
    return call_of(value.get("config", {}).get("keras_history"), owner)


def call_of(history, owner: str) -> Output:
    """The call and which of its outputs, named in (layer, number of the call, number of output)."""
    whole = isinstance(history, (list, tuple)) and len(history) == 3
    if not whole or not isinstance(history[0], str) or type(history[1]) is not int:
        raise ValueError(f"{owner}: expected a tensor as [layer, 0, 0]. Received: {history!r:.200}")
    if type(history[2]) is not int or history[2] < 0:
        raise ValueError(f"{owner}: expected the number of an output. Received: {history!r}")
    return (history[0], history[1]), history[2]
