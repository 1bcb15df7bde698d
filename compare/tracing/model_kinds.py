"""What somebody handed over: a scratch model, a Keras model, a trace, or none of these."""

from collections import ChainMap
from collections.abc import Container, Mapping
from typing import Any

from compare.tracing.trace import Trace
from scratch.layers import LAYERS
from scratch.layers.one_output import OneOutput
from scratch.operations import OPERATIONS
from scratch.training.trainer import Trainer

KINDS: Mapping[str, Any] = ChainMap[str, Any](
    LAYERS, OPERATIONS, {OneOutput.__name__: OneOutput})


def require_network(model: object) -> None:
    """Raises a TypeError for what is neither a model nor a Trace."""
    if not is_scratch(model) and not isinstance(model, Trace) and not is_keras(model):
        raise TypeError("Expected a scratch.Sequential, a keras.Sequential or a Trace, or a "
                        f"functional model of either. Received: {type(model).__name__}")


def is_keras(model: object) -> bool:
    """Whether this is a Keras model, told without importing Keras."""
    return any(cls.__module__.split(".")[0] == "keras" for cls in type(model).__mro__)


def is_scratch(model: object) -> bool:
    """Whether this is one of scratch's models, a stack of layers or a graph."""
    return isinstance(model, Trainer)


def kind(thing: object, known: Container[str] = KINDS) -> str:
    """The Keras class, of those known, that a layer (loss, optimizer) is or is derived from."""
    described = getattr(thing, "described_as", None)
    if described is not None:
        return str(described["class_name"])
    return next((cls.__name__ for cls in type(thing).__mro__ if cls.__name__ in known),
                type(thing).__name__)
