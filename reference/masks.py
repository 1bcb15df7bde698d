"""Which layers of Keras make masks, use them, or hand them on."""

from typing import Any

from reference.quiet import keras

USING = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.GlobalAveragePooling1D,
         keras.layers.BatchNormalization)


def makes_masks(layer: Any) -> bool:
    """Whether the layer makes a mask of what it reads."""
    return isinstance(layer, keras.layers.Masking) or (
        isinstance(layer, keras.layers.Embedding) and layer.mask_zero)


def uses_masks(layer: Any) -> bool:
    """Whether the layer computes something else where its input comes with a mask."""
    return isinstance(layer, USING)


def takes_mask_from_config(layer: Any) -> bool:
    """Whether a config may say of a call which mask it takes, where that comes by itself."""
    return uses_masks(layer) or isinstance(layer, (keras.Model, keras.layers.TimeDistributed))


def met(layer: Any, masks: list) -> Any:
    """What goes on of the masks of a call's inputs: the same of all, or of sums and the like none
    where one has none. Where features are put together, one without a mask leaves all steps in.

    Raises:
        ValueError: for masks that are not the same.
    """
    if isinstance(layer, keras.layers.Dot) or not masks or all(mask is None for mask in masks):
        return None
    if len(masks) == 1:
        return masks[0]
    along_steps = isinstance(layer, keras.layers.Concatenate) and layer.axis in (1, -2)
    if any(mask is None for mask in masks) and not along_steps:
        return None
    if along_steps or any(mask != masks[0] for mask in masks):
        raise ValueError(f"Layer {layer.name!r}: expected the same mask of all its inputs. "
                         "Received: several")
    return masks[0]


def masked(layer: Any) -> bool:
    """Whether a mask that comes with the layer's input goes along with its output."""
    if isinstance(layer, keras.layers.GlobalAveragePooling1D):
        return False
    if isinstance(layer, keras.layers.BatchNormalization):
        return True
    if uses_masks(layer):
        return bool(getattr(layer, "return_sequences", False))
    return isinstance(layer, keras.Layer) and layer.supports_masking and not isinstance(
        layer, keras.layers.Embedding)
