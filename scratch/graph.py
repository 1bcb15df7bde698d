"""The calls of layers in a graph in Keras's order, found by following an output back to the input.

Keras sorts layers by depth, the longest way from a layer to the output, deepest first; layers of
one depth stand as they were met when each layer's inputs were followed back one after the other,
from the output on. The order matters: it is that of `get_weights`. Of a layer that is called more
than once the deepest call counts; no call is less deep than those of the layer looked at before it.
"""

from scratch.errors import UnsupportedError
from scratch.layers.symbolic import SymbolicTensor


def ordered(output: SymbolicTensor) -> list[SymbolicTensor]:
    """The output and all tensors that it is computed from, in Keras's order: sources come first."""
    met, finished = _followed_back(output)
    depth: dict[SymbolicTensor, int] = {}
    deepest: dict = {}  # call of each layer
    first_met: dict = {}  # of each layer's outputs
    for tensor in met:
        first_met.setdefault(tensor.layer or tensor, met[tensor])
    for tensor in reversed(finished):  # each after all those that read it
        layer = tensor.layer or tensor
        depth[tensor] = deepest[layer] = max(depth.get(tensor, 0), deepest.get(layer, 0))
        for source in tensor.sources:
            depth[source] = max(depth.get(source, 0), depth[tensor] + 1)
    when = {tensor: i for i, tensor in enumerate(depth)}  # calls of one layer and depth run so
    return sorted(depth, key=lambda tensor: (-depth[tensor], first_met[tensor.layer or tensor],
                                             when[tensor]))


def _followed_back(output: SymbolicTensor):
    """({tensor: when it was met first}, the tensors in the order in which all before was done)."""
    met, finished = {output: 0}, []
    way = [(output, iter(output.sources))]
    while way:
        tensor, sources = way[-1]
        for source in sources:
            if source not in met:
                met[source] = len(met)
                way.append((source, iter(source.sources)))
                break
        else:
            finished.append(tensor)
            way.pop()
    return met, finished


def calls_between(source: SymbolicTensor, output: SymbolicTensor, owner) -> tuple[list, list]:
    """(the tensors that layers make, in order; for each the positions of those its layer reads).

    The position of the model's input is -1.

    Raises:
        ValueError: if there is no layer between the two.
        UnsupportedError: for a second input.
    """
    tensors = ordered(output)
    others = [tensor for tensor in tensors if tensor.layer is None and tensor is not source]
    if others:
        raise UnsupportedError(f"{owner}: expected a graph of one input, {source}. Received one "
                               f"that also reads {others[0]!r}.")
    tensors = [tensor for tensor in tensors if tensor is not source]
    if not tensors:
        raise ValueError(f"{owner}: expected at least one layer between input and output. "
                         "Received: none")
    position = {source: -1, **{tensor: i for i, tensor in enumerate(tensors)}}
    return tensors, [tuple(position[read] for read in tensor.sources) for tensor in tensors]
