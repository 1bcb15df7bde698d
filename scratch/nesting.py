"""Models inside models, and layers that are called more than once: one flat list of calls.

A model that stands in another one, at any depth, is written out at its place: its layers run one
after the other as if they stood there, under their path as a name, `base.conv2d`. A layer that is
called once more gets a *tied* call: it shares the weights of the first, remembers a forward pass of
its own, and its gradients are added to the first call's. It is called `conv2d (call 2)`.
"""

from collections import Counter
from typing import Any, NamedTuple

from scratch.layers import Layer


class Call(NamedTuple):
    """One call of a layer or of a model.

    Attributes:
        unit: what is called, a `Layer` or a `Network`.
        sources: positions of the calls whose outputs it reads; -1 - k is the model's input k.
        places: which output of each of those it reads, from 0; () where it is always the first, as
            of all that have only one.
        told: whether it is called with training=True.
    """

    unit: Any
    sources: tuple[int, ...]
    places: tuple[int, ...] = ()
    told: bool = False

    @property
    def read(self) -> list[tuple[int, int]]:
        """(position of a call, which of its outputs) for each that it reads."""
        return list(zip(self.sources, self.places or (0,) * len(self.sources)))


def written_out(calls: list[Call], owner) -> tuple[list[Layer], list[tuple[int, ...]],
                                                   dict[tuple[int, int], int], list[bool]]:
    """(the layers of all calls in order, for each the positions of those that it reads, the
    position of the layer that makes a call's output, by the call and the output's number, for each
    layer whether it is called with training=True).

    Each layer's first call that does not stand in a model of its own is the layer itself.

    Raises:
        ValueError: if two layers come to have the same path.
    """
    layers: list[Layer] = []
    sources: list[tuple[int, ...]] = []
    first: dict[int, Layer] = {}  # calls, by what all calls of a layer have in common
    times: Counter[int] = Counter()
    told: list[bool] = []
    ends: dict[tuple[int, int], int] = {}
    read_of: dict[int, list[int]] = {}  # which outputs of a call are read
    for position, place in sorted({each for call in calls for each in call.read}
                                  | set(owner.made_by if calls else ())):
        read_of.setdefault(position, []).append(place)
    for i, call in enumerate(calls):
        start = len(layers)
        read = tuple(ends[each] if each[0] >= 0 else each[0] for each in call.read)
        places = read_of.get(i, [])
        inner = [] if isinstance(call.unit, Layer) else call.unit.told
        told += [call.told or each for each in inner] or [call.told]
        for path, layer, own_sources in _inside(call.unit, places):
            times[id(layer.params)] += 1
            number = times[id(layer.params)]
            begun = first.get(id(layer.params))
            if begun is None and isinstance(call.unit, Layer):
                placed = layer
            elif begun is None:
                placed = layer.another_call(path)
            else:
                path = path.split(CALL)[0] + f"{CALL}{number})"
                placed = layer.another_call(path, begun.name)
            first.setdefault(id(layer.params), placed)
            layers.append(placed)
            sources.append(read if own_sources is None else tuple(
                start + source if source >= 0 else read[-1 - source] for source in own_sources))
        told += [False] * (len(layers) - len(told))  # what takes out outputs
        for place, end in _ends(call.unit, places):
            ends[i, place] = start + end if end >= 0 else len(layers) - 1
    _require_distinct(layers, owner)
    return layers, sources, ends, told


def _ends(unit, places: list[int]):
    """(number of an output, the position of what makes it, counted from the unit's first layer or
    back from its last)."""
    if not isinstance(unit, Layer):
        return enumerate(unit.ends)
    return [(0, -1)] if unit.outputs_as is None else [
        (place, 1 + i) for i, place in enumerate(places)]


CALL = " (call "  # between a layer's path and the number of its call


def _inside(unit, places: list[int]):
    """(path, layer, positions in the model of what it reads; None: all that the call reads) of a
    layer, or of each in a model. A layer of several outputs is followed by what takes out those
    that are read, by their `places`."""
    if isinstance(unit, Layer):
        yield unit.name, unit, None
        for place in places if unit.outputs_as is not None else ():
            part = unit.one_output(place)
            yield part.name, part, (0,)
        return
    for layer, sources in zip(unit.layers, unit.sources):
        if not unit.trainable:  # as in Keras, which sets the flags of all that is inside
            layer.trainable = False
        yield f"{unit.name}.{layer.name}", layer, sources


def _require_distinct(layers: list[Layer], owner) -> None:
    counts = Counter(layer.name for layer in layers)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        raise ValueError(f"{owner}: expected each layer's path once. Received twice: {twice!r}")
