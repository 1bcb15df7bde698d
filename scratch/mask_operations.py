"""The operations by which Keras makes masks in a graph.

Each is a place on the way from an output back to the inputs, so that layers before them lie deeper:
Keras sorts layers by depth, and weights stand in files in that order. What they compute is in
`masks.py`.
"""

from collections.abc import Iterable, Sequence

from scratch.layers.symbolic import SymbolicTensor
from scratch.masks import JOINING, PASSING, USING, kinds_of


class MaskOperation:
    """One of them, in the place of a call: what it reads are tensors or others of its kind."""

    layer = None
    place = 0

    def __init__(self, *sources) -> None:
        self.sources: tuple = sources

    @property
    def call(self) -> "MaskOperation":
        return self


def used_by(calls: Iterable[SymbolicTensor]) -> dict[SymbolicTensor, tuple]:
    """For each call of a layer, or of a model, that Keras hands a mask the operations it reads.

    Args:
        calls: each after all those whose outputs it reads.
    """
    masks: dict = {}  # that goes along with the output of each call
    found = {}
    for tensor in calls:
        if tensor.layer is None:
            continue
        given = [masks.get(source.call) if _is_output(source) else None
                 for source in tensor.sources]
        if given and given[0] is not None and _is_handed(tensor.layer):
            found[tensor] = (given[0],)
        masks[tensor] = _made(tensor.layer, tensor.sources, given)
    return found


def _is_output(tensor: SymbolicTensor) -> bool:
    """Whether it is no state of a layer, which goes without a mask."""
    return tensor.place < getattr(tensor.layer, "number_of_outputs", 1)


def _is_handed(layer) -> bool:
    """Whether Keras's layer, or a model, takes a mask when it is called."""
    if hasattr(layer, "calls"):
        return True
    # attentions get theirs when the graph runs, recurrent layers that are called on states none
    return (layer.uses_masks and not layer.calls_with_several and layer.own_inputs == 1) or bool(
        kinds_of(layer) & (USING | {"TimeDistributed"}))


def _made(layer, sources: Sequence, given: list):
    """What a call's output is masked by, as Keras has it before there are numbers: it takes the
    outputs of models for unmasked."""
    if hasattr(layer, "calls"):
        return None
    kinds = kinds_of(layer)
    if layer.makes_masks:
        unequal = MaskOperation(sources[0])
        return MaskOperation(unequal) if kinds & {"Masking"} else unequal
    if kinds & {"Concatenate"} and any(mask is not None for mask in given):
        spread = [MaskOperation(source) if mask is None else  # ones like the input
                  MaskOperation(MaskOperation(mask), MaskOperation(source))
                  for mask, source in zip(given, sources)]
        return MaskOperation(MaskOperation(*spread))
    if kinds & JOINING:
        if not given or any(mask is None for mask in given):
            return None
        mask = given[0]
        for other in given[1:]:
            mask = MaskOperation(mask, other)
        return mask
    if kinds & {"ScoredAttention"}:  # which makes a tensor of it once more
        return MaskOperation(given[0]) if given and given[0] is not None else None
    if layer.hands_masks_on or kinds & (PASSING | USING):
        return given[0] if given else None
    return None
