"""Dropout of PyTorch's: this project's own layer draws in its place, with its kind and rate."""

import copy
from typing import Any

from compare.adapters.pytorch.recording import Call
from compare.tracing.model_kinds import kind
from scratch.layer_config import layer_from_config
from scratch.layers import Layer

KINDS = {"Dropout": "Dropout", "Dropout1d": "SpatialDropout1D", "Dropout2d": "SpatialDropout2D",
         "Dropout3d": "SpatialDropout3D", "AlphaDropout": "AlphaDropout"}
RANKS = {"1D": 3, "2D": 4, "3D": 5}  # axes of what a spatial one reads
RATE = 0.5  # PyTorch's default


def own(call: Call, layer: Layer) -> Layer:
    """The layer that stands in the place of Keras's, with the settings that PyTorch's has.

    Args:
        layer: scratch's own, built, with Keras's settings.

    Raises:
        ValueError: for a module that drops channels of what has none.
    """
    made: Any = copy.deepcopy(layer)
    wanted = KINDS.get(type(call.module).__name__, kind(layer))
    if wanted != kind(layer):
        if wanted[-2:] in RANKS and len(layer.input_shape) != RANKS[wanted[-2:]]:
            raise ValueError(f"Expected a module that drops as {kind(layer)} does, for "
                             f"{layer.name!r}. Received: {call}")
        made = layer_from_config({"class_name": wanted, "config": {"rate": 0.0,
                                                                   "name": layer.name}})
        made.dtype = layer.dtype
        made.build(layer.input_shape)
    made.rate = _rate(call)
    return made


def _rate(call: Call) -> float:
    if call.module is not None:
        return float(call.module.p)
    given = call.kwargs.get("p", call.args[1] if len(call.args) > 1 else RATE)
    return float(given)
