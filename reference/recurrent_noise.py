"""The dropouts of recurrent layers, made to use given noise, (batch, 1, ...), at every step.

First the noise of the features, then that of the states, of layers with a recurrent dropout each
gate by gate; of a layer that runs in both directions first all of the one that reads forwards.
"""

from typing import Any

import numpy as np

from reference.quiet import keras, tf
from reference.steps import in_turn

RECURRENT = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU)


def drops(layer) -> bool:
    """Whether it is a recurrent layer, or two in both directions, with a dropout."""
    return any(each.dropout > 0 or each.recurrent_dropout > 0 for each in _inside(layer))


def _inside(layer) -> list:
    """The recurrent layers that a layer is made of."""
    if isinstance(layer, keras.layers.Bidirectional):
        return _inside(layer.forward_layer) + _inside(layer.backward_layer)
    return [layer] if isinstance(layer, RECURRENT) else []


def _shares(layer, features: int) -> list[tuple[float, int, int]]:
    """(the share that is dropped, how many gates have noise of their own, its width for each) of
    the features and of the states, as far as they are dropped."""
    gates = getattr(layer.cell, "dropout_mask_count", 1) if layer.recurrent_dropout else 1
    return [(rate, gates, width) for rate, width in
            ((layer.dropout, features), (layer.recurrent_dropout, layer.units)) if rate]


def drawn(layer: Any, x: Any) -> np.ndarray:
    """What the layer itself draws for a batch like x, (batch, 1, ...)."""
    found = []
    for inner in _inside(layer):
        for rate, gates, width in _shares(inner, x.shape[2]):
            dropout = keras.layers.Dropout(rate, seed=inner.cell.seed, dtype=inner.dtype)
            ones = tf.ones((x.shape[0], 1, gates * width), inner.dtype)
            found.append(dropout(ones, training=True))
    return np.concatenate(found, axis=2)


def handed(layer: Any, tensors: list) -> list:
    """Have the layer use this noise, one for each of its calls in turn.

    Returns:
        The layers whose `call` is another one from now on.
    """
    inside, at = _inside(layer), 0
    for inner in inside:
        width = sum(gates * size for _, gates, size in _shares(inner, inner.cell.kernel.shape[0]))
        inner.call = _using(inner, tensors, slice(at, at + width))
        at += width
    return inside


def _using(layer, tensors: list, place: slice):
    """A call of the layer in which its cell takes noise from that place at every step."""
    calls, own, cell = in_turn(tensors), layer.call, layer.cell

    def call(x, training=False, **more):
        if not training:
            return own(x, training=False, **more)
        # variables may hold it: they are read here
        noise = tf.cast(next(calls), x.dtype)[..., place]
        if noise.shape[1] > 1 and not layer.recurrent_dropout:
            # somebody draws anew at every step, which Keras's cell cannot be handed
            return own(x * noise, training=False, **more)
        given = _by_gate(layer, noise[:, 0])
        cell.get_dropout_mask = lambda step: given["dropout"]
        cell.get_recurrent_dropout_mask = lambda state: given["recurrent_dropout"]
        try:
            return own(x, training=True, **more)
        finally:
            # and the class's own are back
            del cell.get_dropout_mask, cell.get_recurrent_dropout_mask

    return call


def _by_gate(layer, noise) -> dict:
    """What the cell's two methods give: a tensor, where it has masks for each gate a list of them,
    or None."""
    found: dict[str, Any] = {"dropout": None, "recurrent_dropout": None}
    count, at = getattr(layer.cell, "dropout_mask_count", None), 0
    for name, width in (("dropout", layer.cell.kernel.shape[0]),
                        ("recurrent_dropout", layer.units)):
        if getattr(layer, name):
            gates = count if count and layer.recurrent_dropout else 1
            parts = [noise[:, at + k * width:at + (k + 1) * width] for k in range(gates)]
            found[name] = parts[0] if count is None else parts * (count // gates)
            at += gates * width
    return found
