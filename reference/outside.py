"""Layers and functions of somebody's own in a Keras model: made anew, also in float64.

Keras finds such a class by its name only where it is registered, and never the function of a
Lambda. Here the live model has them, and what is made anew takes them from it.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from reference.ops import Op, inner_activation, without_activation
from reference.quiet import keras, precision


def is_somebodys(thing) -> bool:
    """Whether a class's object or a function is none of Keras's own."""
    named = thing if hasattr(thing, "__name__") else type(thing)
    return str(getattr(named, "__module__", "")).split(".")[0] != "keras"


def objects_of(model) -> dict:
    """The classes and the functions of somebody's own in a model, by the names in its config."""
    found = {}
    for layer in model._flatten_layers():
        if is_somebodys(layer):
            found[type(layer).__name__] = type(layer)
        function = getattr(layer, "activation", None)
        if callable(function) and is_somebodys(function):
            found[keras.saving.get_registered_name(function)] = function
    return found


def lambdas_of(model) -> list:
    """The Lambda layers of a model, those of models in it among them."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Lambda)]


@contextlib.contextmanager
def known_from(model) -> Iterator[None]:
    """Within the block Keras finds what a live model has of somebody's own."""
    with keras.saving.CustomObjectScope(objects_of(model)), \
            keras.src.saving.serialization_lib.SafeModeScope(not lambdas_of(model)):
        yield


def take_functions(copy, model) -> None:
    """Give the Lambdas of a model's copy the functions that the model's own have."""
    for made, own in zip(lambdas_of(copy), lambdas_of(model)):
        made.function = own.function


def in_float64(op: Op) -> Op:
    """The same op with a layer of its own that computes in float64.

    Raises:
        ValueError: for a layer that cannot be made anew from its config.
    """
    if op.is_activation:
        return op
    layer = op.layer
    try:
        with precision("float64"):
            if isinstance(layer, keras.layers.Lambda):
                made = keras.layers.Lambda(layer.function, arguments=layer.arguments,
                                           dtype="float64", name=layer.name)
            else:
                config = {**layer.get_config(), "dtype": "float64"}
                with keras.saving.CustomObjectScope({type(layer).__name__: type(layer)}):
                    made = type(layer).from_config(config)
                built = layer.get_build_config() if layer.built else None
                if built:
                    made.build_from_config(built)
    except Exception as error:  # somebody's own constructor may raise anything
        raise ValueError(f"Layer {op.name!r} ({type(layer).__name__}): expected a layer that "
                         "from_config makes anew from its own get_config, as it is to be run in "
                         f"float64. Received: {type(error).__name__}: {error}") from error
    made.trainable = layer.trainable
    inside = not op.part and inner_activation(layer) is not None  # which is an op of its own
    return replace(op, layer=made, call=without_activation(made) if inside else made,
                   variables=made.weights)
