"""Where a module that cannot be run to its end first leaves Keras's shapes."""

from typing import Any

import torch

from compare.adapters.pytorch import kinds, settings
from compare.adapters.pytorch.recording import Call, until_it_stops
from compare.tracing.model_kinds import kind


def said_of(module: Any, x: torch.Tensor, model: Any) -> str:
    """A sentence on the first of its modules that reads what a layer of Keras's reads, and gives
    another shape; '' if there is none.

    Args:
        x: a batch as the module takes it.
        model: scratch's own, with Keras's layers.
    """
    begin = 0
    for call in until_it_stops(module, x):
        for i, layer in enumerate(model.layers[begin:], begin):
            if layer.merges or not kinds.stands_for(call.kind, kind(layer)) or \
                    not _as(call.read, layer.input_shape) or not _of_its_size(call, layer):
                continue
            begin = i + 1
            if not _as(call.made, layer.output_shape):
                words = settings.in_words(call, layer, ": ")
                return (f". The first whose output has another shape than Keras's: {call} for "
                        f"{layer.name!r}, {call.made[1:]} in place of "
                        f"{_first(layer.output_shape[1:])}{words}")
            break
    return ""


def _of_its_size(call: Call, layer: Any) -> bool:
    kernel = layer.params.get("kernel")
    own = getattr(call.module, "weight", None)
    return kernel is None or own is None or sorted(kernel.shape) == sorted(own.shape)


def _first(shape: tuple) -> tuple:
    return (shape[-1], *shape[:-1])


def _as(own: tuple, keras: tuple) -> bool:
    """Whether a shape is Keras's, channels first or last, whatever the batch."""
    return tuple(own[1:]) in (tuple(keras[1:]), _first(tuple(keras[1:])))
