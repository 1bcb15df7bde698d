"""Which layers of Keras make masks, use them, or hand them on."""

from typing import Any

from reference.outputs import OneOutput
from reference.quiet import keras, tf

ATTENDING = (keras.layers.Attention, keras.layers.MultiHeadAttention,
             keras.layers.GroupQueryAttention)
USING = (*ATTENDING, keras.layers.RNN, keras.layers.Bidirectional,
         keras.layers.GlobalAveragePooling1D, keras.layers.BatchNormalization)


def makes_masks(layer: Any) -> bool:
    """Whether the layer makes a mask of what it reads."""
    return isinstance(layer, keras.layers.Masking) or (
        isinstance(layer, keras.layers.Embedding) and layer.mask_zero)


def uses_masks(layer: Any) -> bool:
    """Whether the layer computes something else where its input comes with a mask."""
    return isinstance(layer, USING)


class EveryStep:
    """In the place of a layer that makes a mask: of an input that comes without one."""

    def compute_mask(self, x: Any) -> Any:
        """Ones, (batch, steps)."""
        return tf.ones(tf.shape(x)[:2], bool)


def of_attention(layer: Any, masks: list, sources: tuple[int, ...]) -> list:
    """The masks of query and keys, each (what makes it, what that reads), of an attention that
    reads these sources with these masks; none where neither has one."""
    query, *others = masks
    keys = others[:1] if isinstance(layer, keras.layers.Attention) else others
    there = [mask for mask in keys if mask is not None]
    if query is None and not there:
        return []
    if any(mask != there[0] for mask in there):
        raise ValueError(f"Layer {layer.name!r}: expected the same mask of value and key. "
                         "Received: several")
    return [mask or (EveryStep(), read) for mask, read in (
        (query, sources[0]), (there[0] if there else None, sources[1]))]


def takes_mask_from_config(layer: Any) -> bool:
    """Whether a config may say of a call which mask it takes, where that comes by itself."""
    return (uses_masks(layer) and not isinstance(layer, ATTENDING)) or isinstance(
        layer, (keras.Model, keras.layers.TimeDistributed))


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
    if isinstance(layer, OneOutput):
        return layer.returns_sequences
    if isinstance(layer, (keras.layers.BatchNormalization, *ATTENDING)):
        return True
    if uses_masks(layer):
        return bool(getattr(layer, "return_sequences", False))
    return isinstance(layer, keras.Layer) and layer.supports_masking and not isinstance(
        layer, keras.layers.Embedding)
