"""Layers of several outputs: all of them side by side, and single ones taken out.

Recurrent layers put out their states beside their output, and a Bidirectional that merges nothing
two outputs. An op has one array: the states, and behind them the outputs, each sample's numbers in
a row, (batch, numbers). What others read of it, an op of its own takes out.
"""

from typing import Any

from reference.operations import WithoutWeights
from reference.quiet import keras, tf

RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)


class OneOutput(WithoutWeights):
    """Takes one of a layer's outputs out of all.

    Attributes:
        layer: that has several.
        place: which of them it is.
        returns_sequences: whether it is a sequence, with which a mask goes along.
    """

    class_name = "OneOutput"

    def __init__(self, layer: Any, place: int) -> None:
        self.layer, self.place, self.name = layer, place, f"{layer.name}[{place}]"
        self.widths = _state_widths(layer) if layer.return_state else []
        self.count = _count(layer)
        self.returns_sequences = place < self.count and layer.return_sequences

    def __call__(self, x, training=None):
        """One output, (batch, units) or (batch, steps, units), of all, (batch, numbers)."""
        first = sum(self.widths)
        if self.place >= self.count:
            start = sum(self.widths[:self.place - self.count])
            return x[:, start:start + self.widths[self.place - self.count]]
        size = (x.shape[1] - first) // self.count
        y = x[:, first + self.place * size:first + (self.place + 1) * size]
        if not self.returns_sequences:
            return y
        return tf.reshape(y, [x.shape[0], -1, _width(self.layer)])


def several(layer: Any) -> bool:
    """Whether the layer puts out more than one array."""
    return isinstance(layer, RECURRENT) and (layer.return_state or _count(layer) > 1)


def side_by_side(layer: Any, made: Any) -> Any:
    """What a layer has put out as one array."""
    if not several(layer):
        return made
    count = _count(layer)
    parts = [tf.reshape(part, [part.shape[0], -1]) for part in (*made[count:], *made[:count])]
    return tf.concat(parts, axis=1)


def _count(layer: Any) -> int:
    """How many outputs there are without states."""
    both = isinstance(layer, keras.layers.Bidirectional) and layer.merge_mode is None
    return 2 if both else 1


def _state_widths(layer: Any) -> list[int]:
    if isinstance(layer, keras.layers.Bidirectional):
        return [*_state_widths(layer.forward_layer), *_state_widths(layer.backward_layer)]
    return list(layer.state_size)


def _width(layer: Any) -> int:
    if not isinstance(layer, keras.layers.Bidirectional):
        return int(layer.units)
    width = int(layer.forward_layer.units)
    return width + int(layer.backward_layer.units) if layer.merge_mode == "concat" else width
