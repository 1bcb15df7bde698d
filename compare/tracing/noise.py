"""What random layers use in one pass, drawn once so that both sides can be handed the same."""

import contextlib
import copy

import numpy as np

from compare.tracing.layer_error import RAISED
from compare.tracing.ops import untouched_generator
from compare.tracing.trace import Trace, layer_parts
from compare.tracing.types import Network, Noise


def drawn(model: Network, x: np.ndarray) -> Noise:
    """What each random layer of a scratch model draws for a batch, by the layer's position."""
    if not any(getattr(layer, "active", False) for layer in model.layers):
        return {}
    model = copy.deepcopy(model)
    with untouched_generator():
        try:
            model.forward(x, training=True)
        except RAISED:  # in somebody's own layer, of which a row will tell
            for layer in model.layers:
                with contextlib.suppress(Exception):
                    if getattr(layer, "active", False):
                        layer.forward(np.zeros((len(x), *layer.input_shape[1:]), layer.dtype),
                                      training=True)
    return {i: layer.noise for i, layer in enumerate(model.layers) if layer.noise is not None}


def noise_of(trace: Trace) -> Noise:
    """The noise in a trace, by the position of the layer that used it."""
    used = {i: trace.parts[first].noise for i, (first, *_) in enumerate(layer_parts(trace))}
    return {i: noise for i, noise in used.items() if noise is not None}
