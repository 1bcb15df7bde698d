"""What tensors are called in another runtime, beside Keras's names of the layers."""

from compare.runtimes.graph import Ran
from compare.tracing.trace import Part


def borne(ran: Ran, parts: list[Part]) -> dict[str, str]:
    """By tensor the layer whose name it bears, as 'model/conv2d/Relu;model/conv2d/BiasAdd'; the
    last one, where it bears several."""
    order = {part.layer: k for k, part in enumerate(parts)}
    found: dict[str, str] = {}
    for node in ran.nodes:
        for name in node.makes:
            pieces = {piece for text in (name, node.title)
                      for piece in text.replace(";", "/").split("/")}
            ours = sorted(pieces & order.keys(), key=order.__getitem__)
            if ours:
                found[name] = ours[-1]
    return found


def told(ran: Ran, parts: list[Part], names: dict[str, str]) -> dict[str, str]:
    """The tensors that somebody named for layers.

    Args:
        names: of tensors or nodes, by the layers' names.

    Raises:
        ValueError: for a name that is not there.
    """
    layers = [part.name for part in parts]
    known = {**{node.title: node.makes[0] for node in ran.nodes if node.makes},
             **{name: name for name in ran.arrays}}
    for layer, name in names.items():
        if layer not in layers:
            raise ValueError(f"Expected names of Keras layers: {', '.join(layers)}. "
                             f"Received: {layer}")
        if known.get(name) not in ran.arrays:
            raise ValueError(f"Expected names of tensors or nodes: {', '.join(ran.arrays):.400}. "
                             f"Received: {name}")
    return {layer: known[name] for layer, name in names.items()}
