"""Which steps of a sequence count: masks, and how they go through a network, as in Keras.

A Masking layer and an Embedding with mask_zero make a mask, (batch, steps), of what they read. It
goes along with their output through the layers that keep steps apart, up to one that uses it, such
as an LSTM, or that has no use for it, such as a convolution, where it ends. A layer that uses a
mask reads it as one more input.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scratch.errors import UnsupportedError
from scratch.mask_config import require_expected

# Layers that hand a mask on unread: those of Keras that support masking without looking at it.
PASSING = frozenset((
    "Activation", "ActivityRegularization", "AlphaDropout", "Dense", "Dropout", "ELU",
    "GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization",
    "LeakyReLU", "Normalization", "PReLU", "ReLU", "Rescaling", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "UnitNormalization"))
# Layers that do something else with a mask in Keras.
USING = frozenset((
    "Add", "AdditiveAttention", "Attention", "Average", "BatchNormalization", "Concatenate", "Dot",
    "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "Softmax", "Subtract",
    "TimeDistributed"))


class Mask(NamedTuple):
    """A mask on its way.

    Attributes:
        maker: the layer that makes it.
        read: the position of what it is made of, -1 - k for the network's input k.
        position: that of the maker.
    """

    maker: Any
    read: int
    position: int


def taken(layer, read: list):
    """What a layer is run on, given all that it reads: a list where it merges, with a mask in the
    place of what that is made of."""
    if not getattr(layer, "merges", False):
        return read[0]
    maker = getattr(layer, "masked_by", None)
    return read if maker is None else [*read[:-1], maker.compute_mask(read[-1])]


def with_masks(layers: Sequence, sources: Sequence[tuple[int, ...]]
               ) -> tuple[list[tuple[int, ...]], list[Mask | None]]:
    """(what each layer reads, of a layer that uses a mask also what the mask is made of; for each
    layer the mask that goes along with its output, or None).

    Sets `masked_by` of the layers that use masks.

    Raises:
        UnsupportedError: for a layer that Keras hands a mask and that does not take one here, and
            for masks that are not those that Keras carries along.
    """
    masks: list[Mask | None] = []
    found = []
    for i, (layer, reads) in enumerate(zip(layers, sources)):
        reads = reads[:1] if layer.uses_masks else reads
        given = [masks[source] if source >= 0 else None for source in reads]
        mask = next((each for each in given if each is not None), None)
        if mask is not None:
            _require(layer, layers[mask.position])
        if layer.uses_masks:
            read_name = layers[mask.read].name if mask is not None and mask.read >= 0 else None
            require_expected(layer, None if mask is None else mask.maker, read_name)
            layer.take_mask(None if mask is None else mask.maker)
            reads = reads if mask is None else (*reads, mask.read)
        found.append(reads)
        kinds = {cls.__name__ for cls in type(layer).__mro__}
        if layer.makes_masks:
            mask = Mask(layer, reads[0], i)
        elif not (layer.hands_masks_on or kinds & PASSING):
            mask = None
        masks.append(mask)
    return found, masks


def _require(layer, maker) -> None:
    """Raise an error if the layer cannot be handed a mask."""
    kinds = {cls.__name__ for cls in type(layer).__mro__}
    if kinds & USING:
        raise UnsupportedError(f"{layer} does not support the mask that comes from {maker}. "
                               "Expected: no mask, or one that an LSTM, a GRU, a SimpleRNN, a "
                               "Bidirectional of them or a GlobalAveragePooling1D uses before.")
    if layer.name and maker.name and (
            layer.name.rpartition(".")[0] != maker.name.rpartition(".")[0]):
        raise UnsupportedError(f"{layer} does not support the mask that comes from {maker}, out of "
                               "a model or into one that stands inside another. Expected: a mask "
                               "that is used where it is made.")
