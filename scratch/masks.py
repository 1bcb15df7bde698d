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
    "SpatialDropout2D", "SpatialDropout3D", "TimeDistributed", "UnitNormalization"))
# Layers that join several inputs element by element.
JOINING = frozenset(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"))
# Layers that do something else with a mask in Keras.
USING = frozenset((
    "AdditiveAttention", "Attention", "ConvLSTM", "MultiHeadAttention", "Softmax"))


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


class Mixed(NamedTuple):
    """What goes along with the output of a layer where masks meet that are not the same."""

    where: Any


def taken(layer, read: list):
    """What a layer is run on, given all that it reads: a list where it merges, with a mask in the
    place of what that is made of."""
    if not getattr(layer, "merges", False):
        return read[0]
    maker = getattr(layer, "masked_by", None)
    return read if maker is None else [*read[:-1], maker.compute_mask(read[-1])]


def with_masks(layers: Sequence, sources: Sequence[tuple[int, ...]]
               ) -> tuple[list[tuple[int, ...]], list[Mask | Mixed | None]]:
    """(what each layer reads, of a layer that uses a mask also what the mask is made of; for each
    layer the mask that goes along with its output, or None).

    Sets `masked_by` of the layers that use masks.

    Raises:
        UnsupportedError: for a layer that Keras hands a mask and that does not take one here, and
            for masks that are not those that Keras carries along.
    """
    masks: list[Mask | Mixed | None] = []
    found = []
    for i, (layer, reads) in enumerate(zip(layers, sources)):
        reads = reads[:1] if layer.uses_masks else reads
        given = [masks[source] if source >= 0 else None for source in reads]
        mask = met(layer, given) if layer.merges and not layer.uses_masks else given[0]
        if mask is not None and not isinstance(mask, Mixed):
            _require(layer, layers[mask.position])
        if layer.uses_masks:
            if isinstance(mask, Mixed):
                raise UnsupportedError(f"{layer} does not support the mask of {mask.where}, where "
                                       "others meet. Expected: the same mask of all its inputs.")
            read_name = layers[mask.read].name if mask is not None and mask.read >= 0 else None
            require_expected(layer, None if mask is None else mask.maker, read_name)
            layer.take_mask(None if mask is None else mask.maker)
            reads = reads if mask is None else (*reads, mask.read)
        found.append(reads)
        if layer.makes_masks:
            mask = Mask(layer, reads[0], i)
        elif not (layer.hands_masks_on or kinds_of(layer) & (PASSING | JOINING | {"Concatenate"})):
            mask = None
        masks.append(mask)
    return found, masks


def kinds_of(layer) -> set[str]:
    """The names of a layer's classes."""
    return {cls.__name__ for cls in type(layer).__mro__}


def met(layer, given: list):
    """What goes on of the masks of the inputs of a layer that merges: of those that all have the
    same, that; of sums and the like nothing where one has none. Where features are put together, a
    step counts as soon as it does in one of them: one without a mask leaves all in.
    """
    if not given or all(mask is None for mask in given):
        return None
    along = kinds_of(layer) & {"Concatenate"}
    lying = along and not _joins_features(layer)
    if any(mask is None for mask in given) and not lying:
        return None
    same = all(not isinstance(mask, Mixed) and mask == given[0] for mask in given)
    return given[0] if same and not lying else Mixed(layer)


def _joins_features(layer) -> bool:
    """Whether a Concatenate puts features together, not steps; a rank that is not known yet is
    taken for three."""
    rank = len(layer.output_shape) if layer.built else 3
    return layer.axis % rank == rank - 1


def _require(layer, maker) -> None:
    """Raise an error if the layer cannot be handed a mask."""
    inside = kinds_of(layer.layer) if kinds_of(layer) & {"TimeDistributed"} else set()
    masked_inside = inside & (USING | {"TimeDistributed"}) or (inside and layer.layer.uses_masks)
    if kinds_of(layer) & USING or masked_inside:
        raise UnsupportedError(f"{layer} does not support the mask that comes from {maker}. "
                               "Expected: no mask, or one that an LSTM, a GRU, a SimpleRNN, a "
                               "Bidirectional of them or a GlobalAveragePooling1D uses before.")
