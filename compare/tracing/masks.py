"""Masks in a trace: what a part that uses one reads, worked out of the network's config."""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.tracing.configs import layer_config
from compare.tracing.model_kinds import KINDS
from compare.tracing.trace import WHOLE, Trace
from compare.tracing.types import Config
from scratch.masks import JOINING, PASSING

Read = Callable[[int], np.ndarray]


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
    return np.asarray(_made(trace, maker, read), np.float64)


def along(trace: Trace, end: int, read: Read | None = None) -> np.ndarray | None:
    """The mask that goes along with the output of a part, boolean, (batch, steps); None for none.

    Args:
        read: gives what the mask is made of, by the position of the part that puts it out, -1 - k
            for the network's input k; None for what the part that makes it has read in the trace.
    """
    maker = _maker(trace, end)
    if maker is None:
        return None
    given = trace.parts[maker].inputs[0] if read is None else read(trace.sources[maker][0])
    return _made(trace, maker, given)


def _maker(trace: Trace, end: int) -> int | None:
    """The part that makes the mask which goes along with the output of another."""
    if end < 0:
        return None
    part = trace.parts[end]
    kind, config = KINDS.get(part.class_name), layer_config(trace, part.layer)
    if part.part not in ("", WHOLE):  # an activation
        return _maker(trace, trace.sources[end][0])
    if kind is not None and _makes(kind, config):
        return end
    if kind is None or not _hands_on(kind, config):
        return None
    if not kind.merges:
        return _maker(trace, trace.sources[end][0])
    found = [_maker(trace, source) for source in trace.sources[end]]
    return None if any(maker is None for maker in found) else found[0]


def _makes(kind: Any, config: Config) -> bool:
    return "compute_mask" in vars(kind) and bool(config.get("mask_zero", True))


def _hands_on(kind: Any, config: Config) -> bool:
    """Whether a layer hands on a mask of its input."""
    if getattr(kind, "uses_masks", False):
        inner = config.get("layer", {}).get("config", config)
        return bool(inner.get("return_sequences", kind.hands_masks_on is True))
    return bool({cls.__name__ for cls in kind.__mro__} & (PASSING | JOINING | {"Concatenate"}))


def _made(trace: Trace, maker: int, read: Any) -> np.ndarray:
    """What a part makes of what it reads."""
    config = layer_config(trace, trace.parts[maker].layer)
    if "mask_value" not in config:  # of class numbers, of which 0 is padding
        return np.asarray(np.asarray(read) != 0)
    left_out = np.asarray(config["mask_value"]).astype(trace.dtype)
    return np.asarray((np.asarray(read) != left_out).any(axis=-1))
