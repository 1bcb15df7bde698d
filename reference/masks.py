"""Which layers of Keras make masks, use them, or hand them on."""

from typing import Any

from reference.quiet import keras

USING = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.GlobalAveragePooling1D)


def makes_masks(layer: Any) -> bool:
    """Whether the layer makes a mask of what it reads."""
    return isinstance(layer, keras.layers.Masking) or (
        isinstance(layer, keras.layers.Embedding) and layer.mask_zero)


def uses_masks(layer: Any) -> bool:
    """Whether the layer computes something else where its input comes with a mask."""
    return isinstance(layer, USING)


def masked(layer: Any) -> bool:
    """Whether a mask that comes with the layer's input goes along with its output."""
    if isinstance(layer, keras.layers.GlobalAveragePooling1D):
        return False
    if uses_masks(layer):
        return bool(getattr(layer, "return_sequences", False))
    return isinstance(layer, keras.Layer) and layer.supports_masking and not isinstance(
        layer, keras.layers.Embedding)
