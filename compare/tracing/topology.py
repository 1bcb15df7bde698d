"""The network of a trace as its reader sees it: layers, shapes, and who reads whom."""

from dataclasses import dataclass

from compare.tracing.trace import Trace, layer_parts


@dataclass(frozen=True)
class Layer:
    """One layer; activations inside it are not told apart.

    Attributes:
        shape: of its output, without the batch.
        sources: positions of the layers that it reads, -1 - k for the network's input k.
        weights: how many numbers its weights hold; 0 for a further call of a layer.
    """

    name: str
    class_name: str
    shape: tuple[int, ...]
    sources: tuple[int, ...]
    weights: int


def outline(trace: Trace) -> list[Layer]:
    """The layers of a trace, in the order of computation."""
    groups = layer_parts(trace)
    owner = {i: number for number, group in enumerate(groups) for i in group}
    found = []
    for group in groups:
        first, last = trace.parts[group[0]], trace.parts[group[-1]]
        found.append(Layer(first.layer, first.class_name, tuple(last.output.shape[1:]),
                           tuple(owner.get(source, source) for source in trace.sources[group[0]]),
                           0 if first.tied_to is not None else
                           sum(weight.size for weight in first.weights.values())))
    return found
