"""Which steps of a sequence count: masks, and how they go through a network, as in Keras.

A Masking layer and an Embedding with mask_zero make a mask, (batch, steps), of what they read. It
goes along with their output through the layers that keep steps apart, up to one that uses it, such
as an LSTM, or that has no use for it, such as a convolution, where it ends. A layer that uses a
mask reads it as one more input.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from scratch import merged_masks, taken_masks
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
USING = frozenset(("ConvLSTM", "Softmax"))
# Layers that do not support masking there, but at inference put out the very array that they read,
# and so with the mask that goes along with it.
RETURNING = frozenset(("DrawnImages", "StochasticDepth", "UndrawnImages"))


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


class EveryStep:
    """In the place of a layer that makes a mask: of an input that comes without one."""

    def compute_mask(self, x: np.ndarray) -> np.ndarray:
        """Ones, (batch, steps)."""
        return np.ones(x.shape[:2], bool)


class Mixed(NamedTuple):
    """What goes along with the output of a layer where masks meet that are not the same."""

    where: Any


def taken(layer, read: list):
    """What a layer is run on, given all that it reads: a list where it merges, with masks in the
    place of what they are made of."""
    if not getattr(layer, "merges", False):
        return read[0]
    makers = getattr(layer, "masked_by", ())
    own = len(read) - len(makers)
    return [*read[:own], *(maker.compute_mask(each) for maker, each in zip(makers, read[own:]))]


def with_masks(layers: Sequence, sources: Sequence[tuple[int, ...]], ends: Sequence[int] = ()
               ) -> tuple[list[tuple[int, ...]], list[Mask | Mixed | None]]:
    """(what each layer reads, of a layer that uses a mask also what the mask is made of; for each
    layer the mask that goes along with its output, or None).

    Sets `masked_by` of the layers that use masks.

    Args:
        ends: the positions of the layers that make the network's outputs.

    Keras works masks out twice: when a graph is put together, and when it runs. Layers of a single
    input use the former. Attentions, and the loss, use what comes along with the numbers; and a
    MultiHeadAttention takes the masks of its inputs off them, so that what reads these behind it
    gets none.

    Raises:
        UnsupportedError: for a layer that Keras hands a mask and that does not take one here, and
            for masks that are not those that Keras carries along.
    """
    wired: list[Mask | Mixed | None] = []
    carried: list[Mask | Mixed | None] = []
    found: list[tuple[int, ...]] = []
    takers: dict[int, list[int]] = {}
    merged: list[list] = []  # for each layer the masks that come along with what it reads
    for i, (layer, reads) in enumerate(zip(layers, sources)):
        reads = layer.unmasked(reads) if layer.uses_masks else reads
        attends = layer.uses_masks and layer.calls_with_several
        given = [(carried if attends else wired)[source] if source >= 0 else None
                 for source in reads]
        if attends:
            used = _of_attention(layer, given, reads)
        else:
            mask = met(layer, given) if layer.merges and not layer.uses_masks else given[0]
            if mask is not None and not isinstance(mask, Mixed):
                _require(layer, layers[mask.position])
            # Keras hands a layer that is called on states no mask, though that goes along
            used = [mask] if (layer.uses_masks and mask is not None
                              and layer.own_inputs == 1) else []
        if layer.uses_masks:
            known = [_single(layer, mask) for mask in used]
            for mask in known[:1]:
                read_name = layers[mask.read].name if mask.read >= 0 else None
                require_expected(layer, mask.maker, read_name)
            if not known:
                require_expected(layer, None, None)
            layer.take_masks(tuple(mask.maker for mask in known))
            reads = (*reads, *(mask.read for mask in known))
        found.append(reads)
        own = layer.unmasked(reads) if layer.uses_masks else reads
        merged.append([carried[source] if source >= 0 else None for source in own])
        for masks in (wired, carried):
            masks.append(_along(layer, i, own, [masks[source] if source >= 0 else None
                                                for source in own]))
        if layer.takes_masks_off:
            takers[i] = [source for source in own if source >= 0 and carried[source] is not None]
            for source in takers[i]:
                carried[source] = None
    for taker, taken_off in takers.items():
        taken_masks.refuse(layers, found, wired, taker, taken_off, ends)
    merged_masks.refuse(layers, [kinds_of(layer) for layer in layers], found, merged, ends)
    return found, carried


def _along(layer, position: int, reads: tuple[int, ...], given: list):
    """The mask that goes along with a layer's output, given those of what it reads."""
    if layer.makes_masks:
        return Mask(layer, reads[0], position)
    if layer.hands_masks_on or kinds_of(layer) & (PASSING | JOINING | {"Concatenate"}):
        return met(layer, given) if layer.merges and not layer.uses_masks else given[0]
    return None


def _of_attention(layer, given: list, reads: tuple[int, ...]) -> list:
    """The masks of query and keys, or none where neither has one."""
    query, *others = given
    keys = others if layer.uses_mask_of_key else others[:1]
    there = [mask for mask in keys if mask is not None]
    if query is None and not there:
        return []
    if any(mask != there[0] for mask in there):
        raise UnsupportedError(f"{layer} does not support a mask of the key that is not that of "
                               "the value. Expected: the same mask of both.")
    return [Mask(EveryStep(), read, -1) if mask is None else mask
            for mask, read in ((query, reads[0]), (there[0] if there else None, reads[1]))]


def _single(layer, mask) -> Mask:
    if isinstance(mask, Mixed):
        raise UnsupportedError(f"{layer} does not support the mask of {mask.where}, where "
                               "others meet. Expected: the same mask of all its inputs.")
    return mask


def kinds_of(layer) -> set[str]:
    """See `kinds`."""
    return kinds(type(layer))


def kinds(cls) -> set[str]:
    """The names of a layer's classes. None of an operation, also where it computes as a layer does:
    what an operation makes goes on without a mask."""
    names = {each.__name__ for each in cls.__mro__}
    return set() if "Operation" in names else names


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
        also = " (nor does Keras's own: such a mask does not go with its input)" \
            if kinds_of(layer) & {"Softmax"} else ""
        raise UnsupportedError(f"{layer} does not support the mask that comes from {maker}{also}. "
                               "Expected: no mask, or one that an LSTM, a GRU, a SimpleRNN, a "
                               "Bidirectional of them or a GlobalAveragePooling1D uses before.")
    if kinds_of(layer) & RETURNING:
        raise UnsupportedError(f"{layer} does not support the mask that comes from {maker}: in "
                               "Keras it ends there in training and goes on at inference. "
                               "Expected: no mask.")
