"""How a layer of Keras is handed its masks and initial states when it is called alone."""

from typing import Any

from reference.outputs import RECURRENT
from reference.quiet import keras, tf


def handed(layer: Any, x: list, masks: list) -> tuple[Any, dict[str, Any]]:
    """(what the layer is called on, the masks and states among its arguments), given its inputs and
    masks."""
    if isinstance(layer, RECURRENT):
        return x[0], ({"initial_state": x[1:]} if len(x) > 1 else {}) | (
            {"mask": masks[0]} if masks else {})
    if not masks:
        return x, {}
    if isinstance(layer, keras.layers.MultiHeadAttention):
        query = tf.identity(x[0])
        query._keras_mask = masks[0]  # where Keras reads it, whatever its argument says
        return [query, *x[1:]], {"value_mask": masks[1]}
    if isinstance(layer, keras.layers.GroupQueryAttention):
        return x, {"query_mask": masks[0], "value_mask": masks[1]}
    if isinstance(layer, keras.layers.Attention):
        return x, {"mask": masks}
    return x[0], {"mask": masks[0]}
