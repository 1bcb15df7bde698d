"""Masks in a trace: what a part that uses one reads, worked out of the network's config."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from compare.tracing.configs import INITIAL_STATES, layer_config
from compare.tracing.model_kinds import KINDS
from compare.tracing.trace import WHOLE, Trace
from compare.tracing.types import Config
from scratch.layers.one_output import OneOutput
from scratch.masks import JOINING, PASSING, kinds

Read = Callable[[int], np.ndarray]


def mask_count(trace: Trace, i: int) -> int:
    """How many of the last inputs of a part are masks, not what its sources put out."""
    part = trace.parts[i]
    kind = KINDS.get(part.class_name)
    if not isinstance(part.input, tuple) or not getattr(kind, "uses_masks", False):
        return 0
    if getattr(kind, "calls_with_several", False):
        return len(part.input) - len(_own_sources(trace, i))
    return len(part.input) - 1 - int(layer_config(trace, part.layer).get(INITIAL_STATES, 0))


def masks_of(trace: Trace, i: int, read: list[Any]) -> list[np.ndarray]:
    """The masks, ones and zeros, that a part uses, given what they are made of.

    Of a part with one input the layer that makes it is the nearest one before that makes any; an
    attention has a mask of its queries and one of its keys.
    """
    if not read:
        return []
    if getattr(KINDS[trace.parts[i].class_name], "calls_with_several", False):
        return [np.asarray(made, np.float64) for made in _of_attention(trace, i, read)]
    maker = trace.sources[i][0]
    while "compute_mask" not in vars(KINDS[trace.parts[maker].class_name]):
        maker = trace.sources[maker][0]
    return [np.asarray(_made(trace, maker, read[0]), np.float64)]


def _of_attention(trace: Trace, i: int, read: list[Any]) -> Iterator[np.ndarray]:
    query, *others = _own_sources(trace, i)
    kind = KINDS[trace.parts[i].class_name]
    keys = others if getattr(kind, "uses_mask_of_key", False) else others[:1]
    for sources, given in zip(([query], keys), read):
        makers = [_maker(trace, source, i) for source in sources]
        maker = next((maker for maker in makers if maker is not None), None)
        yield np.ones(np.shape(given)[:2]) if maker is None else _made(trace, maker, given)


def _own_sources(trace: Trace, i: int) -> tuple[int, ...]:
    """The sources of an attention's query, value and key, without those of its masks."""
    kind: Any = KINDS[trace.parts[i].class_name]
    return tuple(kind.unmasked(trace.sources[i]))


def along(trace: Trace, end: int, read: Read | None = None) -> np.ndarray | None:
    """The mask that goes along with the output of a part, boolean, (batch, steps); None for none.

    Args:
        read: gives what the mask is made of, by the position of the part that puts it out, -1 - k
            for the network's input k; None for what the part that makes it has read in the trace.
    """
    maker = _maker(trace, end, len(trace.parts))
    if maker is None:
        return None
    given = trace.parts[maker].inputs[0] if read is None else read(trace.sources[maker][0])
    return _made(trace, maker, given)


def _maker(trace: Trace, end: int, reader: int) -> int | None:
    """The part that makes the mask which goes along with the output of another, when the part
    `reader` reads that: none if a layer between them has taken it off."""
    if end < 0 or any(end in _own_sources(trace, j) for j in range(end + 1, reader)
                      if getattr(KINDS.get(trace.parts[j].class_name), "takes_masks_off", False)):
        return None
    part = trace.parts[end]
    kind, config = KINDS.get(part.class_name), layer_config(trace, part.layer)
    if part.part not in ("", WHOLE):  # an activation
        return _maker(trace, trace.sources[end][0], end)
    if kind is not None and _makes(kind, config):
        return end
    if kind is None or not _hands_on(kind, config):
        return None
    if not kind.merges or getattr(kind, "uses_masks", False):
        return _maker(trace, trace.sources[end][0], end)
    found = [_maker(trace, source, end) for source in trace.sources[end]]
    return None if any(maker is None for maker in found) else found[0]


def _makes(kind: Any, config: Config) -> bool:
    return "compute_mask" in vars(kind) and bool(config.get("mask_zero", True))


def _hands_on(kind: Any, config: Config) -> bool:
    """Whether a layer hands on a mask of its input."""
    if getattr(kind, "uses_masks", False):
        inner = config.get("layer", {}).get("config", config)
        return bool(inner.get("return_sequences", kind.hands_masks_on is True))
    if kind is OneOutput:
        return bool(config["return_sequences"])
    return bool(kinds(kind) & (PASSING | JOINING | {"Concatenate"}))


def _made(trace: Trace, maker: int, read: Any) -> np.ndarray:
    """What a part makes of what it reads."""
    config = layer_config(trace, trace.parts[maker].layer)
    if "mask_value" not in config:  # of class numbers, of which 0 is padding
        return np.asarray(np.asarray(read) != 0)
    left_out = np.asarray(config["mask_value"]).astype(trace.dtype)
    return np.asarray((np.asarray(read) != left_out).any(axis=-1))
