"""Mistakes with the states that a recurrent layer is called on, and with those that it puts out."""

from itertools import combinations

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle import states
from compare.oracle.layers.bidirectional import Bidirectional
from compare.oracle.layers.recurrent import Recurrent
from compare.oracle.recurrence import beside, columns

INITIAL, RETURNED, GRADIENT = "initial-state", "returned-state", "state-gradient"


def of_handed_states(c) -> list[Variant]:
    """Of a layer that is called on states, or puts some out."""
    if not isinstance(c.layer, (Recurrent, Bidirectional)):
        return []
    return _of_initial(c) + _of_returned(c)


def _of_initial(c) -> list[Variant]:
    count = states.count(c.config)
    if not count:
        return []
    found = [inside(INITIAL, "the layer begins with zeros", lambda c: _called_on(
        c, lambda own: [np.zeros_like(state) for state in own]))]
    for k in range(count) if count > 1 else ():
        found.append(inside(INITIAL, f"state {k + 1} begins with zeros", lambda c, k=k: _called_on(
            c, lambda own: [np.zeros_like(state) if i == k else state
                            for i, state in enumerate(own)])))
    shapes = [np.shape(state) for state in c.x[1:1 + count]]
    for a, b in combinations(range(count), 2):
        if shapes[a] != shapes[b]:
            continue
        order = _exchanged(count, a, b)
        found.append(inside(INITIAL, f"states {a + 1} and {b + 1} are exchanged",
                            lambda c, o=order: _called_on(c, lambda own: [own[i] for i in o])))
        sent = [f"input_gradient_{2 + i}" for i in (a, b)]
        if c.tensor in sent:
            other = sent[1 - sent.index(c.tensor)]
            found.append(inside(GRADIENT, f"it is that of state {int(other[-1]) - 1}",
                                lambda c, t=other: c.changed(tensor=t)))
    return found


def _of_returned(c) -> list[Variant]:
    widths = _widths(c.layer)
    if not widths:
        return []
    ends = np.cumsum([0, *widths])
    places = [slice(int(start), int(stop)) for start, stop in zip(ends, ends[1:])]
    found = []
    for a, b in combinations(range(len(widths)), 2):
        if widths[a] != widths[b]:
            continue
        said = f"states {a + 1} and {b + 1} are exchanged"
        if c.tensor == "output":
            found.append(inside(RETURNED, said, lambda c, a=places[a], b=places[b]: c.moved(
                lambda y: _with(y, a, b))))
        else:
            found.append(inside(GRADIENT, said, lambda c, a=places[a], b=places[b]: c.changed(
                dy=_with(np.asarray(c.value(c.dy)), a, b))))
    if c.tensor == "output":
        return found + _of_other_steps(c, int(ends[-1]))
    every = slice(0, int(ends[-1]))
    for said, place in (("of no state that is put out", every), *(
            (f"not of state {k + 1}", place) for k, place in enumerate(places))):
        found.append(inside(GRADIENT, f"it takes in what comes {said}",
                            lambda c, p=place: c.changed(dy=_zeroed(c.value(c.dy), p))))
    found.append(inside(GRADIENT, "it takes in what comes of the states alone", lambda c, p=slice(
        int(ends[-1]), None): c.changed(dy=_zeroed(c.value(c.dy), p))))
    return found


def _of_other_steps(c, stop: int) -> list[Variant]:
    """The states of another step come out."""
    if not isinstance(c.layer, Recurrent):
        return []
    found = []
    for said, place in (("the first step", 1), ("the last step but one", -1)):
        def cut(array, place=place):
            backwards = bool(c.config.get("go_backwards"))
            return array[:, slice(-place, None) if backwards else slice(place)]

        def other(c, cut=cut):
            read = list(c.x) if isinstance(c.x, tuple) else [c.x]
            own = 1 + states.count(c.config)
            fewer = [cut(read[0]), *read[1:own], *map(cut, read[own:])]
            made = c.changed(x=tuple(fewer) if len(fewer) > 1 else fewer[0]).evaluate()
            return c.then(lambda y: beside(
                [columns(made, 0, stop), columns(y, stop, y.shape[1])], 1))

        found.append(inside(RETURNED, f"those after {said} come out", other))
    return found


def _widths(layer) -> list[int]:
    """Of the states that are put out."""
    parts = layer.inner.values() if isinstance(layer, Bidirectional) else [layer]
    return [part.units for part in parts if part.config.get("return_state")
            for _ in range(part.states)]


def _called_on(c, change):
    """The computation on other initial states, given those that it has."""
    own = 1 + states.count(c.config)
    return c.changed(x=(c.x[0], *change(list(c.x[1:own])), *c.x[own:]))


def _exchanged(count: int, a: int, b: int) -> list[int]:
    order = list(range(count))
    order[a], order[b] = b, a
    return order


def _with(array: np.ndarray, a: slice, b: slice) -> np.ndarray:
    """Two ranges of columns in each other's place."""
    made = np.array(array)
    made[:, a], made[:, b] = array[:, b], array[:, a]
    return made


def _zeroed(array, place: slice) -> np.ndarray:
    made = np.array(array)
    made[:, place] = 0
    return made
