"""The calls of layers in a graph in Keras's order, found by following outputs back to the inputs.

Keras sorts layers by depth, the longest way from a layer to an output, deepest first; layers of
one depth stand as they were met when each layer's inputs were followed back one after the other,
from the first output on. The order matters: it is that of `get_weights`. Of a layer that is called
more than once the deepest call counts; no call is less deep than those of the layer looked at
before it. The operations by which Keras makes masks count as layers here, see `mask_operations.py`.
"""

from collections.abc import Sequence
from typing import Any

from scratch.errors import UnsupportedError
from scratch.layers.symbolic import SymbolicTensor
from scratch.mask_operations import MaskOperation, used_by
from scratch.operations.pieces import Piece

Read = tuple[int, int]  # the position of a call, and which of its outputs


def ordered(outputs: Sequence[SymbolicTensor]) -> list[SymbolicTensor]:
    """The calls, each by its first tensor, from which the outputs are computed, in Keras's order:
    sources come first."""
    masks = used_by(_followed_back(outputs, {})[1])
    met, finished = _followed_back(outputs, masks)
    depth: dict[SymbolicTensor, int] = {}
    deepest: dict = {}  # call of each layer
    first_met: dict = {}  # of each layer's outputs
    for tensor in met:
        first_met.setdefault(_unit(tensor), met[tensor])
    for tensor in reversed(finished):  # each after all those that read it
        layer = _unit(tensor)
        depth[tensor] = deepest[layer] = max(depth.get(tensor, 0), deepest.get(layer, 0))
        for source in (*tensor.sources, *masks.get(tensor, ())):
            depth[source.call] = max(depth.get(source.call, 0), depth[tensor] + 1)
    for tensor in depth:
        if isinstance(tensor.layer, Piece):
            depth[tensor] = deepest[_unit(tensor)]  # of Keras's one operation
    # calls of one layer and depth run so
    when = {tensor: (getattr(tensor.layer, "place", 0), i) for i, tensor in enumerate(depth)}
    layers = [tensor for tensor in depth if not isinstance(tensor, MaskOperation)]
    return sorted(layers, key=lambda tensor: (-depth[tensor], first_met[_unit(tensor)],
                                              when[tensor]))


def _unit(tensor) -> Any:
    """What a tensor's call is a call of: its layer; of pieces of a tensor what all of them have in
    common, Keras's one operation; of what has no layer itself."""
    if isinstance(tensor.layer, Piece):
        return cut_of(tensor) if tensor.layer.name is None else tensor.layer.whole
    return tensor.layer or tensor


def cut_of(tensor: SymbolicTensor) -> tuple:
    """What a piece has in common with the other pieces of what it is cut from: Keras's one
    operation."""
    config = tensor.layer.get_config()
    settings = {key: value for key, value in config.items() if key not in ("name", "place")}
    return type(tensor.layer), tensor.sources[0], repr(settings)


def _followed_back(outputs: Sequence[SymbolicTensor], masks: dict):
    """({call: when it was met first}, the calls in the order in which all before was done).

    Args:
        masks: for calls that use a mask the operation that makes it, as `used_by` gives them.
    """
    def read(tensor):
        return iter((*tensor.sources, *masks.get(tensor, ())))

    met: dict[SymbolicTensor, int] = {}
    finished: list[SymbolicTensor] = []
    for output in outputs:
        if output.call in met:
            continue
        met[output.call] = len(met)
        way = [(output.call, read(output.call))]
        while way:
            tensor, sources = way[-1]
            for source in sources:
                if source.call not in met:
                    met[source.call] = len(met)
                    way.append((source.call, read(source.call)))
                    break
            else:
                finished.append(tensor)
                way.pop()
    return met, finished


def calls_between(inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor], owner
                  ) -> tuple[list[SymbolicTensor], list[tuple[Read, ...]], list[Read], list]:
    """What a model of these inputs and outputs computes.

    The position of the model's input number k is -1 - k.

    Returns:
        (the calls of layers in order, each by its first tensor; for each what its layer reads; what
        the model's outputs are; calls and inputs in Keras's order).

    Raises:
        ValueError: if there is no layer between the two.
        UnsupportedError: for another input, and for an input that is an output, too.
    """
    order = ordered(outputs)
    others = [tensor for tensor in order if tensor.layer is None and tensor not in inputs]
    if others:
        raise UnsupportedError(f"{owner}: expected a graph of its inputs alone, "
                               f"{', '.join(map(str, inputs))}. Received one that also reads "
                               f"{others[0]!r}.")
    calls = [tensor for tensor in order if tensor.layer is not None]
    if not calls:
        raise ValueError(f"{owner}: expected at least one layer between input and output. "
                         "Received: none")
    position = {**{source: -1 - k for k, source in enumerate(inputs)},
                **{tensor: i for i, tensor in enumerate(calls)}}
    for output in outputs:
        if output.layer is None:
            raise UnsupportedError(f"{owner}: expected outputs that layers make. Received the "
                                   f"input {output!r} as one: hand it on by scratch.Identity()(x).")

    def read(tensors) -> tuple[Read, ...]:
        return tuple((position[tensor.call], tensor.place) for tensor in tensors)

    unread = [source for source in inputs if source not in order]  # which Keras puts at depth 0
    return calls, [read(tensor.sources) for tensor in calls], list(read(outputs)), \
        [*order, *unread]
