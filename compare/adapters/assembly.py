"""A list of wrapped layers as a network: each takes the place of Keras's layer at its position."""

import copy
from typing import Any

import scratch
from compare.adapters import fused_loss, spanning
from compare.adapters.activation import as_activation
from compare.adapters.conventions import Conventions
from compare.adapters.keras_only import is_unknown
from compare.tracing.configs import compile_understood, keras_config, layer_entries, plain
from compare.tracing.model_kinds import is_keras, is_scratch, kind
from compare.tracing.trace import Trace
from compare.tracing.validation import require_single
from scratch.layer_config import layer_from_config
from scratch.layers import LAYERS, AffineLayer, Layer


def assemble(items, twin, loss=None, optimizer=None) -> scratch.Sequential:
    """The network that a list of layers makes, with the weights, loss and optimizer of `twin`.

    Args:
        items: for each layer of the twin something that `compare.wrap` gave, a layer of scratch's
            kind, or None for scratch's own. Where the twin has an activation inside a layer, a pair
            (layer, activation), or the two one after the other.
        twin: a Keras model, a scratch model or a Trace of either; a mere stack of layers, among
            which stacks may be.
        loss, optimizer: somebody's own, as `compare.wrap(..., like=...)` gave them; None for those
            of the twin, by scratch.

    Raises:
        TypeError: for other things in the list.
        ValueError: for a list of another length, and for layers that cannot stand where they do.
    """
    config, compiled, weights = specified(twin)
    entries = _entries(config)
    items = _paired(spanning.spread(list(items)), entries)
    joined = _joined_one(items[-1])
    live = _live_layers(twin)
    layers = [layer_for(item, entry, i, live.get(entry["config"]["name"]))
              for i, (item, entry) in enumerate(zip(items, entries))]
    model: Any = scratch.Sequential([scratch.Input(batch_shape=_input_shape(config)), *layers],
                               name=config.get("name"), trainable=config.get("trainable", True),
                               dtype=_dtype(config, twin, entries))
    model.spans = spanning.spans(items, [entry["config"]["name"] for entry in entries])
    model.set_weights(weights)
    if compiled:
        compile_understood(model, compiled)
        if joined is not None:
            model.loss = fused_loss.as_loss(joined, model.loss)
        if loss is not None:
            model.loss = loss
        if optimizer is not None:
            model.optimizer = optimizer
    return model


def _live_layers(twin) -> dict:
    """Keras's own layers, by their paths; none beside other networks than Keras's."""
    if not is_keras(twin):
        return {}
    import reference

    return {op.name: op.layer for op in reference.ops_of(twin)}


def _entries(config: dict) -> list[dict]:
    """The layers of a stack, those of stacks in it in place and by their paths.

    Raises:
        ValueError: if it is no stack, or has a functional model in it.
    """
    if any("output_layers" in each for each in _models(config)):
        raise ValueError("Expected a Sequential model beside a list of layers. Received a "
                         "functional one: wrap its layers with like=..., in a scratch.Model")
    return [{**entry, "config": {**entry["config"], "name": path}}
            for path, entry in layer_entries(config) if entry["class_name"] != "InputLayer"]


def _models(config: dict):
    """The config of a model, and of all models in it."""
    yield config
    for entry in config["layers"]:
        if "layers" in entry["config"]:
            yield from _models(entry["config"])


def specified(twin) -> tuple[dict, dict, list]:
    """(config, compile config, weights) of the model that the list is held against."""
    if isinstance(twin, Trace):
        return twin.config, twin.compile_config, list(twin.weights().values())
    if is_scratch(twin):
        return keras_config(twin), twin.get_compile_config(), twin.get_weights()
    if not is_keras(twin):
        raise TypeError("Expected a Keras model, a scratch model or a Trace beside a list of "
                        f"layers. Received: {type(twin).__name__}")
    import reference

    return plain(twin.get_config()), plain(reference.compile_config(twin)), twin.get_weights()


def stand_in(twin, beside: str) -> tuple[Any, dict]:
    """(a scratch model with the twin's config and weights, the compile config), whose layers give
    their places to those of a network of another kind.

    Args:
        beside: that kind, such as 'PyTorch module'.

    Raises:
        ValueError: for a model that does not know its input shape, or that has several inputs or
            outputs.
    """
    config, compiled, weights = specified(twin)
    model: Any = scratch.model_from_config(config)
    if not model.built:
        raise ValueError("Expected a model that knows its input shape. Received one without an "
                         "Input: build it first.")
    require_single(model, beside)
    model.set_weights(weights)
    return model, compiled


def _input_shape(config: dict) -> tuple:
    first = config["layers"][0]
    if first["class_name"] == "InputLayer":
        return tuple(first["config"].get("batch_shape") or first["config"]["batch_input_shape"])
    if config.get("build_input_shape"):
        return tuple(config["build_input_shape"])
    raise ValueError("Expected a model that knows its input shape. Received one without an Input: "
                     "build it first.")


def _dtype(config: dict, twin, entries: list):
    if isinstance(twin, Trace):
        return twin.dtype
    if is_keras(twin) and any(map(is_unknown, entries)):  # which scratch cannot be made of
        import reference

        return reference.model_dtype(twin)
    return scratch.Sequential.from_config(config).dtype.name


def _paired(items, entries: list) -> list:
    """One item for each layer; an activation inside a layer stands with it in a pair.

    A softmax joined with a loss may stand behind all layers, if these end in logits.
    """
    items = list(items)
    inner = [inner_activation(entry) for entry in entries]
    extra = items[-1:] if items and _is_joined(items[-1]) and \
        len(items) - 1 in (len(entries), len(entries) + sum(map(bool, inner))) and \
        not is_softmax(entries[-1]) and inner[-1] != "softmax" else []
    body = items[:len(items) - len(extra)]
    apart = [entry for entry, name in zip(entries, inner) if name]
    if len(body) == len(entries) + len(apart) and apart:
        rest, body = iter(body), []
        for name in inner:
            body.append((next(rest), next(rest)) if name else next(rest))
    if len(body) != len(entries):
        names = ", ".join(f"{entry['class_name']}" for entry in entries)
        or_so = (f", or {len(entries) + len(apart)} with the activations inside layers apart"
                 if apart else "")
        raise ValueError(f"Expected {len(entries)} layers, one for each of {names}{or_so}. "
                         f"Received: {len(body)}; an object that stands for several of them says "
                         "so by compare.wrap(..., layers=2)")
    return [*body, *extra]


def is_softmax(entry: dict) -> bool:
    return entry["class_name"] == "Softmax" or (
        entry["class_name"] == "Activation" and entry["config"].get("activation") == "softmax")


def _joined_one(last) -> Conventions | None:
    """The last object, if softmax and loss are one in it."""
    end = last[-1] if isinstance(last, tuple) and last else last
    return end if _is_joined(end) else None


def _is_joined(item) -> bool:
    return isinstance(item, Conventions) and item.joined


def inner_activation(entry: dict) -> str | None:
    """The activation inside a layer with weights, by name, None for none."""
    named, kind = entry["config"].get("activation"), entry["class_name"]
    if kind == "Activation" or named in (None, "linear") or not getattr(
            LAYERS.get(kind), "has_inner_activation", False):
        return None
    return named if isinstance(named, str) else named["class_name"]


def layer_for(item, entry: dict, i: int, keras_layer=None) -> Layer:
    """The layer for one position, at which Keras's own may be known."""
    if isinstance(item, (tuple, list)):
        return _with_activation(item, entry, i)
    if item is None or isinstance(item, spanning.Place):
        return layer_from_config(entry)
    if isinstance(item, Conventions):
        if item.joined and not is_softmax(entry):
            raise ValueError(f"Expected labels to be taken by a softmax that is the loss, too, at "
                             f"the end of the list. Received at position {i + 1}: {item.name}, for "
                             f"{entry['class_name']}")
        if item.joined and not fused_loss.gives_probabilities(item):
            return layer_from_config(entry)
        return item.placed(entry, keras_layer)
    if not isinstance(item, Layer):
        raise TypeError(f"Expected layers that compare.wrap gave, layers of scratch, or None for "
                        f"scratch's own. Received at position {i + 1}: {type(item).__name__}")
    if kind(item) != entry["class_name"]:
        raise ValueError(f"Expected at position {i + 1} a layer that stands for "
                         f"{entry['class_name']}. Received: {kind(item)}")
    layer = copy.deepcopy(item)
    layer.name = entry["config"]["name"]
    return layer


def _with_activation(pair, entry: dict, i: int) -> Layer:
    """A layer whose inner activation is an object of its own."""
    name = inner_activation(entry)
    if len(pair) != 2 or name is None:
        raise ValueError(f"Expected at position {i + 1} one layer for {entry['class_name']}"
                         + (" and one for its activation" if name else "")
                         + f". Received: {len(pair)}")
    outer, inner = pair
    if isinstance(outer, Conventions):
        outer = copy.copy(outer)
        outer.activation = "apart"
    layer = layer_for(outer, entry, i)
    if not isinstance(layer, AffineLayer):
        raise ValueError(f"Expected at position {i + 1} a layer for {entry['class_name']}, with "
                         f"its {name} inside. Received: a pair")
    if inner is not None:
        named = entry["config"]["activation"]
        alone = {"class_name": "Activation", "config": {"activation": named}} \
            if isinstance(named, str) else named
        function = layer_for(inner, alone, i) if isinstance(inner, Conventions) else inner
        layer.activation = as_activation(function, layer.activation.name, layer.activation.config)
    return layer


def activation_alone(layer) -> Layer:
    """The activation inside a layer as a layer of its own, built for that layer's output."""
    named = layer.get_config()["activation"]
    alone = {"class_name": "Activation", "config": {"activation": named}} \
        if isinstance(named, str) else named
    made = layer_from_config(alone)
    made.dtype = layer.dtype
    made.build(layer.output_shape)
    return made
