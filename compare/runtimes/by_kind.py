"""The tensor that was meant to be a layer's output, by what computes it."""

from compare.runtimes import kinds
from compare.runtimes.graph import Node, Ran
from compare.tracing.trace import WHOLE, Part

MOST = 20  # steps of arithmetic in one layer


def by_kind(ran: Ran, part: Part, sources: tuple[str, ...]) -> str | None:
    """The first operation that may begin the layer, with the bias and the activation behind
    it; None if another one comes first."""
    reached, found = set(sources), None
    inner = part.part == WHOLE
    left = 1 if kinds.is_product(kind_of(part)) else MOST  # a bias, or all of a normalization
    for node in ran.nodes:
        if reached.isdisjoint(node.reads) or not any(n in ran.arrays for n in node.makes):
            continue
        made = [name for name in node.makes if name in ran.arrays][0]
        if found is None:
            if kinds.begins(node.op, kind_of(part)):
                found, reached = made, {made}
            elif kinds.passes(node.op):
                reached.update(node.makes)
            else:
                return None
        elif node.op in kinds.ARITHMETIC and _with_constant(ran, node, reached) and \
                (part.weights or inner) and left:
            found, reached, left = made, {made}, left - 1
        elif node.op in kinds.ACTIVATIONS and inner:
            found, reached, inner = made, {made}, False
        elif node.op in kinds.MOVES:
            reached.update(node.makes)
        else:
            break
    return found


def _with_constant(ran: Ran, node: Node, reached: set[str]) -> bool:
    return all(name in reached or name not in ran.arrays for name in node.reads)


def kind_of(part: Part) -> str:
    """A part's class; 'Activation' for the activation alone that is inside a layer."""
    return "Activation" if part.part not in ("", WHOLE) else part.class_name
