"""Keras's JSON config dictionaries for layers, read and written.

The dictionary is the one specification of a network. Keys that say nothing about the mathematics
are ignored; a layer or a setting that changes it and is not supported is refused by name.
"""

import re

from scratch.errors import UnsupportedError
from scratch.layers import LAYERS, Input


def snake_case(name: str) -> str:
    """A layer's class as Keras turns it into a default name: MaxPooling2D -> max_pooling2d."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def layer_to_config(layer, dtype_name: str) -> dict:
    """The dictionary by which Keras knows this layer, or the input."""
    if isinstance(layer, Input):
        return {"module": "keras.layers", "class_name": "InputLayer",
                "config": {**layer.get_config(), "dtype": dtype_name}, "registered_name": None}
    config = {"module": "keras.layers", "class_name": type(layer).__name__,
              "config": layer.get_config(), "registered_name": None}
    # a layer that is not built yet has still to learn the model's precision
    config["config"]["dtype"]["config"]["name"] = dtype_name
    if layer.built and (layer.params or type(layer).__name__ == "Flatten"):
        config["build_config"] = {"input_shape": layer.input_shape}
    return config


def layer_from_config(config: dict):
    """A layer, or the `Input`, from its dictionary.

    Raises:
        UnsupportedError: for a class or a setting that is not supported, named with the layer.
        ValueError: for a dictionary that is no layer's.
    """
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ValueError("Expected a layer's config, a dictionary with 'class_name' and 'config'. "
                         f"Received: {config!r:.200}")
    class_name, settings = config["class_name"], dict(config["config"])
    name = settings.get("name")
    registered = config.get("registered_name")
    if registered and not registered.startswith("keras"):
        raise UnsupportedError(f"Layer {name!r} is a custom class, {registered!r}: not supported.")
    if class_name == "InputLayer":
        return Input(**settings)
    if class_name not in LAYERS:
        raise UnsupportedError(f"Layer {name!r} is of class {class_name}, which is not supported. "
                               f"Expected one of: {', '.join(LAYERS)}.")
    try:
        return LAYERS[class_name].from_config(settings)
    except UnsupportedError as error:
        if repr(name) in str(error):
            raise
        raise UnsupportedError(f"{class_name} {name!r}: {error}") from None
    except TypeError as error:
        raise ValueError(f"{class_name} {name!r}: {error}") from None
