"""Layers whose states go on from batch to batch, judged as functions: each run begins with zeros.

So a run is the same whatever was run before it. That states are carried on is judged by itself.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from compare.tracing.types import Network


def stateful_layers(layers: list[Any]) -> list[Any]:
    """Those layers of scratch that go on from their last states; of one around others these."""
    found = []
    for layer in layers:
        inner = [getattr(layer, name) for name in getattr(layer, "inner_layers", ())]
        if inner:
            found += stateful_layers(inner)
        elif getattr(layer, "stateful", False):
            found.append(layer)
    return found


@contextlib.contextmanager
def from_zeros(model: Network | None = None, layer: Any = None) -> Iterator[None]:
    """As long as the block lasts, all layers of a model of scratch's, or a layer, begin with zeros
    and keep nothing; what they had kept stays."""
    layers = getattr(model, "layers", ()) if layer is None else [layer]
    found = [each for each in stateful_layers(list(layers)) if getattr(each, "carries", False)]
    for each in found:
        each.carries = False
    try:
        yield
    finally:
        for each in found:
            each.carries = True
