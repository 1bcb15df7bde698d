"""Layers whose states go on from batch to batch, run as functions: each run begins with zeros."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from reference.quiet import keras


def stateful_layers(layers: Iterable[Any]) -> list[Any]:
    """Those layers that go on from their last states; one of two directions, and both inside it."""
    found: dict[int, Any] = {}
    for layer in layers:
        if isinstance(layer, keras.layers.Bidirectional):
            inner = stateful_layers([layer.forward_layer, layer.backward_layer])
            found.update({id(each): each for each in (layer, *inner) if each.stateful})
        elif isinstance(layer, keras.layers.RNN) and layer.stateful:
            found[id(layer)] = layer
    return list(found.values())


@contextlib.contextmanager
def from_zeros(layers: Iterable[Any]) -> Iterator[None]:
    """As long as the block lasts these layers begin with zeros and keep nothing; what they had kept
    stays."""
    found = stateful_layers(layers)
    for layer in found:
        layer.stateful = False
    try:
        yield
    finally:
        for layer in found:
            layer.stateful = True
