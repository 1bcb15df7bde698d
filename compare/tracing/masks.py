"""Masks in a trace: what a part that uses one reads, worked out of the network's config."""

from typing import Any

import numpy as np

from compare.tracing.configs import layer_config
from compare.tracing.model_kinds import KINDS
from compare.tracing.trace import Trace


def is_masked(trace: Trace, i: int) -> bool:
    """Whether the last input of a part is a mask, not what its source put out."""
    part = trace.parts[i]
    return isinstance(part.input, tuple) and bool(
        getattr(KINDS.get(part.class_name), "uses_masks", False))


def mask_of(trace: Trace, i: int, read: Any) -> np.ndarray:
    """The mask, ones and zeros, that a part uses, given what it is made of.

    The layer that makes it is the nearest one before the part that makes any.
    """
    maker = trace.sources[i][0]
    while "compute_mask" not in vars(KINDS[trace.parts[maker].class_name]):
        maker = trace.sources[maker][0]
    config = layer_config(trace, trace.parts[maker].layer)
    if "mask_value" not in config:  # of class numbers, of which 0 is padding
        return np.asarray(np.asarray(read) != 0, np.float64)
    left_out = np.asarray(config["mask_value"]).astype(trace.dtype)
    return np.asarray((np.asarray(read) != left_out).any(axis=-1), np.float64)
