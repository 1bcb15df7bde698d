"""A check of some of a network's layers, for who cannot wait for all of it.

What is judged is judged as in a full check; the report says which layers were not, and nothing of
the network as a whole: that its layers hold one by one says nothing of those that were left out.
"""

import difflib
import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.tracing.trace import Trace

WHOLE = ("the network as a whole", "the optimizer's later steps", "training in lockstep")
LISTED = 12  # names in a sentence; the others are counted


class UnknownLayerError(ValueError):
    """A name that no layer has."""


@dataclass(frozen=True)
class ChosenLayers:
    """The layers to check.

    Attributes:
        names: of those that are checked, in the network's order.
        others: of those that are not.
        why: how they were chosen, in words.
        positions: of their parts in the trace.
    """

    names: tuple[str, ...]
    others: tuple[str, ...]
    why: str
    positions: frozenset[int]

    @property
    def share(self) -> str:
        """As '3 of 156 layers'."""
        return f"{len(self.names)} of {len(self.names) + len(self.others)} layers"

    @property
    def left_out(self) -> list[str]:
        """What no row is about, in a few words each."""
        return [f"{len(self.others)} of {len(self.names) + len(self.others)} layers", *WHOLE]

    def note(self) -> str:
        """Which layers are checked, which are not, and why."""
        return (f"Checked are only {self.share}, {self.why}: {listed(self.names)}. Not checked: "
                f"{listed(self.others)}; nor what takes all layers: {', '.join(WHOLE)}.")


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")


def chosen(trace: Trace, layers: Sequence[str] | str | None, sample: int | None,
           seed: int) -> ChosenLayers | None:
    """What is asked for; None for all layers, also where a sample is as large.

    Args:
        layers: names or paths of layers, or patterns of them such as 'block_1_*'.
        sample: how many layers to draw.
        seed: of that draw.

    Raises:
        ValueError: for both at once, or a sample below 1.
        UnknownLayerError: for a name that no layer has.
    """
    if layers is None and sample is None:
        return None
    known = list(dict.fromkeys(part.layer for part in trace.parts))
    if layers is not None and sample is not None:
        raise ValueError("Expected layers or a sample of them. Received: both")
    if sample is not None:
        if sample < 1:
            raise ValueError(f"Expected a sample of at least 1 layer. Received: {sample}")
        if sample >= len(known):
            return None
        drawn = np.random.default_rng(seed).choice(len(known), sample, replace=False)
        taken, why = {known[i] for i in drawn}, f"drawn with seed {seed}"
    else:
        patterns = [layers] if isinstance(layers, str) else list(layers or ())
        taken, why = set(), "as asked for"
        if not patterns:
            raise ValueError("Expected the name of a layer at least. Received: none")
        for pattern in patterns:
            found = {name for name in known if name == pattern} or set(
                fnmatch.filter(known, pattern))
            if not found:
                raise UnknownLayerError(unknown(pattern, known))
            taken |= found
    names = tuple(name for name in known if name in taken)
    others = tuple(name for name in known if name not in taken)
    if not others:
        return None
    return ChosenLayers(names, others, why, frozenset(
        i for i, part in enumerate(trace.parts) if part.layer in taken))


def unknown(name: str, known: list[str]) -> str:
    """What to say of a name that no layer has."""
    close = difflib.get_close_matches(name, known, 1)
    hint = f", which may mean {close[0]!r}" if close else ""
    return f"Expected the name of a layer: {listed(known)}. Received: {name!r}{hint}"
