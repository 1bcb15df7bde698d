"""A module's forward pass as arrays alone, for one of which a part has no partner in Keras."""

import copy
from typing import Any

import numpy as np
import torch

from compare.adapters.pytorch.recording import Recording, recorded
from compare.adapters.pytorch.whole import as_input
from compare.tracing.layer_error import RAISED, sentence
from compare.tracing.trace import Trace


def watched(module: Any, x: np.ndarray) -> tuple[Recording, bool]:
    """(what a module computes of a batch of Keras's, with its arrays; whether channels come first).

    Raises:
        ValueError: if it runs on no such batch.
    """
    module = copy.deepcopy(module)
    dtype = next((p.dtype for p in module.parameters()), torch.float32)
    said = ""
    for first in ((True, False) if x.ndim > 2 else (False,)):
        try:
            return recorded(module, as_input(x, first, dtype), arrays=True), first
        except RAISED as error:  # somebody's module may raise anything
            said = sentence(error)
    raise ValueError(f"Expected a module that runs on inputs of shape {x.shape}, with the channels "
                     f"first. Received {type(module).__name__}, which raised {said}")


def holds_weights_of(module: Any, trace: Trace) -> bool:
    """Whether a kernel of the module has the numbers of one of Keras's, in whatever order."""
    keras = [np.sort(weight, axis=None) for part in trace.parts
             for weight in part.weights.values() if weight.ndim > 1]
    own = [np.sort(p.detach().numpy().astype(trace.dtype), axis=None)
           for p in module.parameters() if p.ndim > 1]
    return any(np.array_equal(mine, theirs) and np.ptp(mine) > 0 for mine in own
               for theirs in keras)
