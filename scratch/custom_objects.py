"""Somebody's own classes and functions, by the names that a config or a file has for them.

    class Swishy(scratch.layers.Layer): ...
    scratch.load_model("model.keras", custom_objects={"mine>Swishy": Swishy})

A name is the one under which Keras has the class registered, or the class's own; that of a Lambda,
whose function has none, is the layer's. Nothing is imported that a file names.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

_KNOWN: ContextVar[dict[str, Any] | None] = ContextVar("custom_objects", default=None)
LAMBDA = "Lambda"


@contextlib.contextmanager
def custom_object_scope(objects: dict[str, Any] | None) -> Iterator[None]:
    """Within the block, configs may name these.

    Args:
        objects: by name a class derived from `scratch.layers.Layer`; or for a function, as an
            activation or in a Lambda, a pair (function(z) -> y, gradient(dy, z, y) -> dz), or a
            `scratch.activations.Activation`. None for none.

    Raises:
        TypeError: for anything else, naming it.
    """
    for name, value in (objects or {}).items():
        pair = isinstance(value, tuple) and len(value) == 2 and all(map(callable, value))
        if not isinstance(name, str) or not (pair or isinstance(value, type)
                                             or hasattr(value, "gradient")):
            raise TypeError("Expected custom_objects to hold, by name, classes derived from "
                            "scratch.layers.Layer, or pairs (function, gradient). "
                            f"Received: {name!r}: {value!r:.80}")
    token = _KNOWN.set({**(_KNOWN.get() or {}), **(objects or {})})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def names_of(entry: dict) -> list[str]:
    """The names under which an object of a config may be given, the most particular one first."""
    config = entry.get("config")
    if entry.get("class_name") == LAMBDA and isinstance(config, dict):
        return [str(config.get("name"))]
    if entry.get("class_name") == "function":
        names = [config]
    else:
        names = [entry.get("registered_name"), entry.get("class_name")]
    found = [name for name in names if isinstance(name, str)]
    return [*found, *(name.rpartition(">")[2] for name in found if ">" in name)]


def given(entry: dict) -> Any:
    """What was given for an object of a config, None for nothing."""
    known = _KNOWN.get() or {}
    return next((known[name] for name in names_of(entry) if name in known), None)


def of_layers(layers: list) -> dict[str, Any]:
    """What was given for the layers of a model, by name: to make such layers anew."""
    found: dict[str, Any] = {}
    for layer in layers:
        function = getattr(layer, "activation", None)
        if layer.described_as is not None:
            found[names_of(layer.described_as)[0]] = function if type(layer).__name__ == LAMBDA \
                else type(layer)
        if function is not None and is_custom(function):
            found[names_of(function.config)[0]] = function._replace(config=None)
    return found


def is_custom(activation: Any) -> bool:
    """Whether an activation is a function of somebody's own."""
    config = getattr(activation, "config", None)
    return isinstance(config, dict) and config.get("class_name") == "function"
