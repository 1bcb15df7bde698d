"""Activations that are layers: Keras lets some layers stand inside another one by their config.

Those layers are made of activations, so nothing here imports them: each enters itself where it is
defined.
"""

from typing import Any, TypeVar

from scratch.activations.activation import Activation
from scratch.errors import UnsupportedError
from scratch.naming import snake_case

Class = TypeVar("Class", bound=type)

# layer classes by name, in the order in which they were defined
LAYERS: dict[str, Any] = {}


def may_stand_inside(cls: Class) -> Class:
    """Decorator of a layer class that may take the place of an activation's name in another layer.

    Its objects have an `activation`.
    """
    LAYERS[cls.__name__] = cls
    return cls


def from_layer(config: dict) -> Activation:
    """The activation that a layer is, kept with that layer's config.

    Args:
        config: Keras's dictionary of one of the `LAYERS`.

    Raises:
        UnsupportedError: for a softmax along several axes.
    """
    class_name = config["class_name"]
    layer = LAYERS[class_name].from_config({"name": snake_case(class_name), **config["config"]})
    if len(getattr(layer, "axes", ())) > 1:
        raise UnsupportedError(f"Activation {config!r} is not supported: inside another layer a "
                               "softmax may have one axis only.")
    settings = layer.get_config()
    if layer.requested_dtype is None:
        del settings["dtype"]
    return layer.activation._replace(
        name=layer.name,
        config={"module": "keras.layers", "class_name": class_name, "config": settings,
                "registered_name": None})
