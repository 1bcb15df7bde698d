"""Keras's JSON config dictionaries for layers, read and written.

The dictionary is the one specification of a network. Keys that say nothing about the mathematics
are ignored; a layer or a setting that changes it and is not supported is refused by name.
"""

from typing import Any

import numpy as np

from scratch import custom_objects
from scratch.activations import Activation
from scratch.errors import OwnClassError, UnsupportedError
from scratch.layers import IN_CONFIGS, LAYERS, OWN_NAMES, Input, Layer
from scratch.layers.activation import ActivationLayer
from scratch.operations import OPERATIONS, Operation, described, is_operation, kind_of
from scratch.precision import Policy
from scratch.suggestions import did_you_mean

# Layers that Keras takes for built when they are made: into their configs it writes no shape.
# So it does with all that pool.
BUILT_AT_ONCE = {"Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU",
                 "GaussianDropout", "GaussianNoise", "Identity", "LeakyReLU", "Masking", "ReLU",
                 "Reshape", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
                 "UnitNormalization"}
# What Keras writes for a class that does not say itself what stands in its config.
UNSAID = (("autocast", True), ("activity_regularizer", None))
MODELS: dict[str, Any] = {}  # by the class names in configs; filled as the classes are defined


def layer_to_config(layer: Any, dtype_name: str, of_any_size: bool = False) -> dict:
    """The dictionary by which Keras knows this layer, the input, or a model among layers.

    Args:
        of_any_size: whether the layer is built for the next batch only, whose sizes say nothing.
    """
    if hasattr(layer, "calls"):  # a model
        return {**layer.saved_as(), "config": layer.get_config()}
    if isinstance(layer, Input):
        return {"module": "keras.layers", "class_name": "InputLayer",
                "config": {**layer.get_config(),
                           "dtype": layer.whole or _of_input(layer, dtype_name)},
                "registered_name": None}
    if isinstance(layer, Operation):
        return layer.keras_entry()
    if layer.described_as is not None:
        return {**layer.described_as,
                "config": {**layer.described_as["config"], "name": layer.name}}
    name, module = type(layer).__name__, type(layer).keras_module
    config = {"module": module, "class_name": IN_CONFIGS.get(name, name),
              "config": plain(layer.get_config()),
              "registered_name": None if module == Layer.keras_module else name}
    # a layer that is not built yet has still to learn the model's precision
    if layer.requested_policy is not None:
        dtype_name = layer.requested_policy.name
    policy = config["config"]["dtype"]
    if isinstance(policy, dict):
        policy["config"]["name"] = dtype_name
    else:
        config["config"]["dtype"] = dtype_name
    inside = config["config"].get("activation")
    if isinstance(inside, dict) and isinstance(inside["config"], dict):
        inside["config"]["dtype"]["config"]["name"] = dtype_name
    for argument in layer.inner_layers:
        config["config"][argument] = layer_to_config(getattr(layer, argument), dtype_name,
                                                     of_any_size)
    kinds = {cls.__name__ for cls in type(layer).__mro__}
    at_once = kinds & BUILT_AT_ONCE or any("Pooling" in kind and not kind.startswith("Adaptive")
                                           for kind in kinds)
    if layer.built and not of_any_size and not at_once:
        config["build_config"] = layer.build_config()
    return config


def plain(value: Any) -> Any:
    """What stands in a config, numbers of NumPy as Python's own: JSON and Keras know no others."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    return value.item() if isinstance(value, np.generic) else value


def _of_input(layer: Input, dtype_name: str) -> str:
    """The precision of what is fed: its own, or the model's; float32 where that is low, as Keras
    has it."""
    given = layer.requested_policy
    if given is None:
        return Policy(dtype_name).held.name
    return given.compute


def layer_from_config(config: dict):
    """A layer, the `Input`, or a model among layers from its dictionary.

    Raises:
        UnsupportedError: for a class or a setting that is not supported, named with the layer.
        ValueError: for a dictionary that is no layer's.
    """
    if not isinstance(config, dict) or "class_name" not in config or "config" not in config:
        raise ValueError("Expected a layer's config, a dictionary with 'class_name' and 'config'. "
                         f"Received: {config!r:.200}")
    class_name, settings = config["class_name"], config["config"]
    if isinstance(class_name, str):
        class_name = OWN_NAMES.get(class_name, class_name)
    if not isinstance(class_name, str) or not isinstance(settings, dict):
        raise ValueError("Expected a layer's class by its name, and its settings as a dictionary. "
                         f"Received: {class_name!r:.100} and {settings!r:.200}")
    name = settings.get("name")
    own = None if class_name in LAYERS else custom_objects.given(config)
    if own is not None:
        return _somebodys(own, config)
    if class_name in MODELS and str(config.get("module", "keras")).split(".")[0] == "keras":
        return MODELS[class_name].from_config(settings)
    operation = is_operation(config)
    known: dict[str, Any] = OPERATIONS if operation else LAYERS
    if operation and f"{class_name}Operation" in OPERATIONS:
        class_name, settings = described(config, kind_of(config)).values()
    elif operation:
        raise UnsupportedError(
            f"{name!r} is an operation between layers, {class_name}, which is not supported. "
            f"Expected one of: {', '.join(name.removesuffix('Operation') for name in OPERATIONS)}.")
    _refuse_foreign(name, config)
    if class_name == custom_objects.LAMBDA:
        raise OwnClassError(
            f"Layer {name!r} is a Lambda, whose function is never taken out of a config. Give what "
            f"it is here, by the layer's name: custom_objects={{{name!r}: (function, gradient)}}. "
            "If it is made of keras.ops and operators, `parity check --model module:callable` "
            "opens it in the live model.")
    if class_name != "InputLayer" and class_name not in known:
        raise UnsupportedError(f"Layer {name!r} is of class {class_name}, which is not supported."
                               f"{did_you_mean(class_name, LAYERS)} "
                               f"Expected one of: {', '.join(LAYERS)}.")
    try:
        if class_name == "InputLayer":
            return Input(**settings)
        inner = {argument: layer_from_config(settings[argument])
                 for argument in getattr(known[class_name], "inner_layers", ())
                 if settings.get(argument) is not None}
        settings = {**settings, **inner}
        return known[class_name].from_config(settings)
    except UnsupportedError as error:
        if repr(name) in str(error):
            raise
        raise UnsupportedError(f"{class_name} {name!r}: {error}") from None
    except TypeError as error:
        raise ValueError(f"{class_name} {name!r}: {error}") from None


class Lambda(ActivationLayer):
    """A function of somebody's own, in the place of Keras's Lambda; see `scratch.custom_objects`.
    """

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activation


def _somebodys(own, config: dict) -> Layer:
    """The layer that was given for an entry that is none of Keras's.

    Raises:
        TypeError: if what was given is no layer's.
        ValueError: if it cannot be made with the entry's settings.
    """
    settings = config["config"]
    named = {key: settings.get(key) for key in ("name", "trainable", "dtype") if key in settings}
    if isinstance(own, type) and issubclass(own, Layer):
        try:
            layer = own.from_config({key: value for key, value in settings.items()
                                     if (key, value) not in UNSAID})
        except TypeError as error:
            raise ValueError(f"{own.__name__} {settings.get('name')!r}: expected a class that is "
                             f"made with {settings!r:.200}. Received: {error}") from None
    elif isinstance(own, type):
        raise TypeError(f"Expected for {config['class_name']!r} a class derived from "
                        f"scratch.layers.Layer. Received: {own!r:.80}")
    else:
        layer = Lambda(own if isinstance(own, Activation) else
                       Activation(str(settings.get("name")), *own), **named)
    # without its module, which nobody is to import
    layer.described_as = {"module": None, **{key: config.get(key) for key in
                                             ("class_name", "registered_name", "config")}}
    return layer


def known_module(class_name) -> str | None:
    """The module in which Keras has a layer that is known here; None for any other class."""
    layer = LAYERS.get(class_name) if isinstance(class_name, str) else None
    return None if layer is None else layer.keras_module


def _refuse_foreign(name, config: dict) -> None:
    """Raises an UnsupportedError for a class that is none of Keras's layers, whatever its name."""
    registered, module = config.get("registered_name"), config.get("module")
    if is_operation(config) and registered == config["class_name"]:
        return
    if module is not None and module == known_module(config["class_name"]) != Layer.keras_module:
        return  # which Keras registers as classes of somebody's own
    if registered and not str(registered).startswith("keras"):
        raise OwnClassError(f"Layer {name!r} is a custom class, {registered!r}. Give its "
                            f"counterpart: custom_objects={{{registered!r}: class}}, derived "
                            "from scratch.layers.Layer. If it only puts Keras's layers and "
                            "operations together, `parity check --model module:callable` opens "
                            "it in the live model.")
    if module is not None and not str(module).startswith(("keras.layers", "keras.src.layers")):
        raise UnsupportedError(f"Layer {name!r} is of class {config['class_name']} from {module!r}:"
                               " not supported. Expected a class of keras.layers, or its "
                               f"counterpart: custom_objects={{{config['class_name']!r}: class}}.")
