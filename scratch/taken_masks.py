"""Masks that a MultiHeadAttention takes off its inputs, where more than these inputs lose them.

Keras takes the mask off an array itself. Layers that hand on the very array that they read, as a
dropout does at inference, have then two names for it; and a model inside a model puts the mask back
on that the outer one has worked out before. What such networks compute differs from training to
inference, or from the outer to the inner model: they are refused.
"""

from collections.abc import Sequence

from scratch.errors import UnsupportedError

# Layers that put out the very array that they read, always or at inference.
RETURNING = frozenset((
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout",
    "GaussianNoise", "Identity", "SpatialDropout1D"))


def refuse(layers: Sequence, sources: Sequence[tuple[int, ...]], masked: Sequence,
           taker: int, taken: Sequence[int], ends: Sequence[int]) -> None:
    """Raise an error if another layer's output loses its mask, too, and is read behind, or is one
    of the network's.

    Args:
        masked: for each layer what goes along with its output, worked out without any taking off.
        taker: the position of the MultiHeadAttention.
        taken: those of the layers of whose outputs it takes the masks off.
        ends: those of the layers that make the network's outputs.

    Raises:
        UnsupportedError: for such a network.
    """
    for source in taken:
        same = _same(layers, sources, source, taker) - {source}
        for end in same & set(ends):
            if masked[end] is not None:
                raise UnsupportedError(
                    f"{layers[end]}, an output, does not support a mask that {layers[taker]} has "
                    f"taken off before, by way of {layers[source]}: Keras's loss then has it in "
                    "training alone. Expected: attentions on that output itself.")
        for j in range(taker + 1, len(layers)):
            other = {read for read in sources[j] if read in same and masked[read] is not None}
            back = source in sources[j] and _model(layers[j]) not in ("", _model(layers[source]))
            if (other or back) and masked[j] is not None:
                raise UnsupportedError(
                    f"{layers[j]} does not support a mask that {layers[taker]} has taken off "
                    f"before, by way of {layers[source]}. Expected: attentions and the layers "
                    "beside them on one and the same output.")


def _same(layers, sources, source: int, before: int) -> set[int]:
    """The layers that may put out the very array that a layer puts out."""
    first = source
    while _returns(layers[first]) and sources[first][0] >= 0:
        first = sources[first][0]
    found = {first}
    for j in range(before):
        if _returns(layers[j]) and sources[j][0] in found:
            found.add(j)
    return found


def _returns(layer) -> bool:
    return bool({cls.__name__ for cls in type(layer).__mro__} & RETURNING)


def _model(layer) -> str:
    """The path of the model that the layer stands in; '' for the outermost."""
    return str(layer.name or "").rpartition(".")[0]
