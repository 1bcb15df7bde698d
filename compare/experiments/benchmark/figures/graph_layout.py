"""Where the boxes of a network's graph stand, and the lines that pass them by."""

from dataclasses import dataclass, replace

from compare.inputs.benchmark_networks import LayerInfo
from compare.report.network_layout import depths, levels

ALONE, BESIDE, LINE = 6.0, 3.6, 0.4  # widths: of a lone layer, of one beside others, of a line
GAP = 0.3  # between neighbours


@dataclass(frozen=True)
class Through:
    """Where a line that skips levels passes one of them."""

    sources: tuple[int, ...]


Node = LayerInfo | Through


@dataclass(frozen=True)
class Place:
    """A node's middle, from the graph's left edge; its level, from the top; how wide it is."""

    x: float
    level: int
    width: float


def with_lines(layers: list[LayerInfo]) -> list[Node]:
    """The layers by depth, and between them what hands on for those that read from farther up: then
    each node reads from the level above alone. All that read from the same layer share its line.
    """
    deep = depths(layers)
    nodes: list[tuple[int, LayerInfo | None, list[int]]] = [
        (deep[i], layer, []) for i, layer in enumerate(layers)]
    line: dict[tuple[int, int], int] = {}  # a node, by layer and depth
    for i, layer in enumerate(layers):
        for source in layer.sources:
            last = source
            for depth in range(deep[source] + 1, deep[i]):
                if (source, depth) not in line:
                    line[source, depth] = len(nodes)
                    nodes.append((depth, None, [last]))
                last = line[source, depth]
            nodes[i][2].append(last)
    order = sorted(range(len(nodes)), key=lambda n: nodes[n][0])
    position = {n: k for k, n in enumerate(order)}
    found: list[Node] = []
    for n in order:
        _, known, read = nodes[n]
        sources = tuple(dict.fromkeys(position[source] for source in read))
        found.append(Through(sources) if known is None else replace(known, sources=sources))
    return found


def places(nodes: list[Node]) -> list[Place]:
    """Where each node stands: as near as can be below what it reads, and clear of its neighbours.
    """
    found: dict[int, Place] = {}
    for number, level in enumerate(levels(nodes)):
        lone = sum(isinstance(nodes[i], LayerInfo) for i in level) == 1
        widths = [LINE if isinstance(nodes[i], Through) else ALONE if lone and len(level) == 1
                  else BESIDE for i in level]
        wanted = [_mean([found[source].x for source in nodes[i].sources]) for i in level]
        taken, edge = [], float("-inf")
        for x, width in zip(wanted, widths):
            taken.append(max(x, edge + GAP + width / 2))
            edge = taken[-1] + width / 2
        # what had to give way has gone to the right: half of it is shared by all
        shift = _mean(wanted) - _mean(taken)
        found |= {i: Place(x + shift, number, width)
                  for i, x, width in zip(level, taken, widths)}
    left = min(place.x - place.width / 2 for place in found.values())
    return [replace(found[i], x=found[i].x - left) for i in range(len(nodes))]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
