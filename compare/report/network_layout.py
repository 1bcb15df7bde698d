"""Where the layers of a network are drawn: levels from the inputs down, branches side by side, and
lanes beside them for what skips levels."""

from collections.abc import Sequence
from typing import Protocol


class Layer(Protocol):
    """What a layer has to tell; a source below 0 is an input that is drawn nowhere."""

    @property
    def sources(self) -> tuple[int, ...]: ...


def depths(layers: Sequence[Layer]) -> list[int]:
    """How many layers lie between each one and the inputs, along the longest way."""
    found: list[int] = []
    for layer in layers:
        found.append(1 + max((found[source] for source in layer.sources if source >= 0),
                             default=-1))
    return found


def levels(layers: Sequence[Layer]) -> list[list[int]]:
    """Positions of the layers of each depth, each as near as can be below what it reads."""
    deep = depths(layers)
    found: list[list[int]] = [[] for _ in range(max(deep, default=-1) + 1)]
    for i, depth in enumerate(deep):
        found[depth].append(i)
    place: dict[int, float] = {}
    for level in found:
        level.sort(key=lambda i: _middle([place[s] for s in layers[i].sources if s in place]))
        place |= {i: (k + 0.5) / len(level) for k, i in enumerate(level)}
    return found


def _middle(places: list[float]) -> float:
    return sum(places) / len(places) if places else 0.5


def lanes(layers: Sequence[Layer]) -> list[tuple[int, int, int]]:
    """(from, to, lane) of every connection that skips levels; those that overlap lie apart."""
    deep = depths(layers)
    # all inputs come from above
    skipping = sorted(dict.fromkeys(
        (start, deep[i]) for i, layer in enumerate(layers) for read in layer.sources
        if (start := deep[read] if read >= 0 else -1) != deep[i] - 1),
        key=lambda pair: pair[1] - pair[0])
    taken: list[list[tuple[int, int]]] = []
    found = []
    for start, end in skipping:
        lane = next((n for n, others in enumerate(taken)
                     if all(end <= a or b <= start for a, b in others)), len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((start, end))
        found.append((start, end, lane))
    return found
