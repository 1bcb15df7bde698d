"""Masks that come to layers which, in Keras, merge otherwise where steps are masked.

There a Multiply takes a masked input for 1, and puts out 0 where all are masked; a Maximum or a
Minimum compares the others alone, and puts out the first input where all are masked. Here they
merge what they read. So they take a mask only where that is the same: if all inputs come with the
same one, and what is computed of the masked steps is read by nobody.
"""

from collections.abc import Sequence

from scratch.errors import UnsupportedError

APART = frozenset(("Maximum", "Minimum", "Multiply"))
# Layers that compute each step of itself.
STEP_BY_STEP = frozenset((
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Dense", "Dropout", "ELU",
    "GaussianDropout", "GaussianNoise", "Identity", "LayerNormalization", "LeakyReLU", "PReLU",
    "ReLU", "Rescaling", "SpatialDropout1D", "Subtract", "TimeDistributed",
    "UnitNormalization")) | APART
# Layers to which a step that their mask leaves out is as if it were not there.
SKIPPING = frozenset(("Bidirectional", "GlobalAveragePooling1D", "Recurrent"))


def refuse(layers: Sequence, kinds: Sequence[set[str]], sources: Sequence[tuple[int, ...]],
           given: Sequence[list], ends: Sequence[int]) -> None:
    """Raise an error if one of these layers computes here what Keras does not.

    Args:
        kinds: for each layer the names of its classes.
        sources: for each layer what it reads.
        given: for each layer the masks of what it reads.
        ends: the positions of the layers that make the network's outputs.

    Raises:
        UnsupportedError: for such a network.
    """
    for i, layer in enumerate(layers):
        if not kinds[i] & APART or all(mask is None for mask in given[i]):
            continue
        expected = "the same mask of all inputs"
        if all(mask is not None and mask == given[i][0] for mask in given[i]):
            reader = _reader_of_masked_steps(layers, kinds, sources, ends, i)
            if reader is None:
                continue
            seen = "the network puts out" if reader == i else f"{layers[reader]} reads"
            expected = f"no use of the masked steps, which {seen}"
        raise UnsupportedError(f"{layer} does not support masks that come with its inputs, where "
                               f"Keras merges otherwise. Expected: no mask, or {expected}.")


def _reader_of_masked_steps(layers, kinds, sources, ends, start: int) -> int | None:
    """A layer that reads the steps that are masked at `start`, or `start` itself if they come out
    of the network, perhaps each changed on the way; None if there is none."""
    reached = {start}
    for j in range(start + 1, len(layers)):
        if not reached & set(sources[j]) or (kinds[j] & SKIPPING and layers[j].masked_by):
            continue
        if not kinds[j] & STEP_BY_STEP:
            return j
        reached.add(j)
    return start if reached & set(ends) else None
