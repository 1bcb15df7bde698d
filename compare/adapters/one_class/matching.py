"""Proposes which array is which weight, by values, shapes, and what the network makes of them."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from compare.adapters import accessors
from compare.adapters.kernel_layouts import keras_order
from compare.adapters.one_class import places
from compare.adapters.one_class.parameters import Parameter
from compare.tracing.trace import Trace

TRIED = 256  # ways of loading the weights that are run, at most

Weights = Mapping[tuple[str, str], np.ndarray]  # by layer and name
Fits = Callable[[list[Parameter]], bool]


def matched(how, obj: Any, wanted: list[Parameter], weights: Weights,
            images: Mapping[str, tuple[int, ...]], fits: Fits) -> tuple[list[Parameter], str]:
    """(where each weight is, a sentence on how that was found out).

    Args:
        how: the object's `Conventions`; what its `weights` and `kernel_layout` say is settled.
        obj: the object, as it was handed over.
        wanted: Keras's weights, in order, of which no place is known.
        weights: their values.
        images: (H, W, C) of the images that are flattened before a layer, by its name.
        fits: whether the network gives Keras's output when the weights are loaded so.

    Raises:
        ValueError: if the weights cannot all be found, or could be in several places and none of
            the ways that were tried gives Keras's output; with what is proposed.
    """
    options = _options(how, obj, wanted, images)
    same = _of_the_same_values(obj, options, weights)
    if same is not None:
        return same, "its arrays hold Keras's weights"
    ways = list(itertools.islice(_ways(options), TRIED + 1))
    if not ways:
        raise ValueError(_proposal(how, wanted, [], "fits the others' shapes"))
    if len(ways) > 1:
        for way in ways[:TRIED]:
            if fits(way):
                return way, (f"of {len(ways) if len(ways) <= TRIED else f'over {TRIED}'} ways that "
                             "fit the shapes the first that gives Keras's output")
    arrays = {tuple(each.place for each in way) for way in ways}
    if len(arrays) > 1:
        raise ValueError(_proposal(how, wanted, ways[0], "gives Keras's output"))
    told = "by their shapes" if len(ways) == 1 else \
        f"by their shapes; of {len(ways)} orders of axes none gives Keras's output"
    return ways[0], told


def _options(how, obj: Any, wanted: list[Parameter], images: Mapping[str, tuple[int, ...]]
             ) -> list[list[Parameter]]:
    """For each weight all that could be it."""
    paths = {each.path for each in wanted}
    unknown = [name for name in how.weights if name not in paths]
    if unknown:
        raise ValueError(f"Expected weights={{...}} to name weights of Keras's: "
                         f"{', '.join(each.path for each in wanted)}. "
                         f"Received: {', '.join(map(repr, unknown))}")
    there = places.arrays(obj)
    taken = {place for place in how.weights.values() if isinstance(place, str)}
    kept = {place: array for place, array in there.items()
            if place not in taken and not places.is_no_weight(place, there)}
    found = []
    for weight in wanted:
        arrays = kept
        if weight.path in how.weights:
            place = how.weights[weight.path]
            arrays = {place: np.asarray(accessors.read(obj, place))}
        options = [way for place, array in arrays.items()
                   for way in weight.ways(place, array.shape, images.get(weight.layer))]
        layout = how.kernel_layout
        if isinstance(layout, Mapping):
            layout = layout.get(weight.path)
        if layout is not None and "kernel" in weight.name:
            options = [way for way in options if way.layout == layout
                       or way.layout is None and layout == keras_order(weight.class_name)]
        if not options:
            listed = ", ".join(f"{place} {array.shape}" for place, array in there.items())
            lazy = "" if there else "; an object that makes its weights later is to be run first"
            raise ValueError(f"Expected an array in {how.name} for {weight.path}, of shape "
                             f"{weight.shape} in Keras, in this or a usual order of its axes; "
                             f"weights={{{weight.path!r}: ...}} says where it is. It has: "
                             f"{listed or 'none'}{lazy}")
        found.append(options)
    return found


def _of_the_same_values(obj: Any, options: list[list[Parameter]], weights: Weights
                        ) -> list[Parameter] | None:
    """The first way in which each array holds the very weight, None if there is none. Biases of
    zeros, which any array of zeros could be, lie in the order of the others."""
    alike: list[list[Parameter]] = []
    for each in options:
        held = [way for way in each if np.array_equal(
            way.keras(np.asarray(accessors.read(obj, way.place))).astype(np.float32),
            weights[way.layer, way.name].astype(np.float32))]
        if not held:
            return None
        alike.append(held)
    return next(_ways(alike), None)


def _ways(options: list[list[Parameter]]) -> Iterator[list[Parameter]]:
    """All assignments in which no array stands for two weights; first those that keep the order in
    which weights of one name come."""
    names = [each[0].name for each in options]
    order: dict[Any, int] = {}  # in which the object keeps them
    for way in itertools.chain(*options):
        order.setdefault(way.place, len(order))

    def search(i: int, used: tuple, in_order: bool) -> Iterator[list[Parameter]]:
        if i == len(options):
            yield []
            return
        for way in options[i]:
            if way.place in used:
                continue
            before = [order[place] for place, name in zip(used, names) if name == names[i]]
            follows = all(number < order[way.place] for number in before)
            if in_order and not follows:
                continue
            for rest in search(i + 1, (*used, way.place), in_order):
                yield [way, *rest]

    seen = set()
    for in_order in (True, False):
        for found in search(0, (), in_order):
            key = tuple((way.place, str(way.layout), way.images) for way in found)
            if key not in seen:
                seen.add(key)
                yield found


def _proposal(how, wanted: list[Parameter], way: list[Parameter], what: str) -> str:
    """The error that asks which array is which, and shows what may have been meant."""
    text = (f"Expected to be told which array of {how.name} is which of Keras's weights: more than "
            f"one fits by its shape, and none of the ways that were tried {what}.")
    if not way:
        return f"{text} Give weights={{{wanted[0].path!r}: ..., ...}}"
    told = ", ".join(f"{each.path!r}: {each.place!r}" for each in way)
    return f"{text} Proposed, in the order in which they are kept: weights={{{told}}}"


def images_of(trace: Trace) -> dict[str, tuple[int, ...]]:
    """(H, W, C) of the images that were flattened before a dense layer, by that layer's name."""
    found: dict[str, tuple[int, ...]] = {}
    flattened: tuple[int, ...] | None = None
    for part in trace.parts:
        if part.class_name == "Flatten" and part.inputs[0].ndim > 2:
            flattened = part.inputs[0].shape[1:]
        elif flattened and part.class_name == "Dense" and \
                len(part.weights["kernel"]) == np.prod(flattened):
            found[part.layer], flattened = flattened, None
    return found
