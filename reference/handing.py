"""How a layer of Keras is handed its masks when it is called alone."""

from typing import Any

from reference.quiet import keras, tf


def with_masks(layer: Any, x: list, masks: list) -> tuple[Any, dict[str, Any]]:
    """(what the layer is called on, the masks among its arguments), given its inputs and masks."""
    if isinstance(layer, keras.layers.MultiHeadAttention):
        query = tf.identity(x[0])
        query._keras_mask = masks[0]  # where Keras reads it, whatever its argument says
        return [query, *x[1:]], {"value_mask": masks[1]}
    if isinstance(layer, keras.layers.GroupQueryAttention):
        return x, {"query_mask": masks[0], "value_mask": masks[1]}
    if isinstance(layer, keras.layers.Attention):
        return x, {"mask": masks}
    return x[0], {"mask": masks[0]}
