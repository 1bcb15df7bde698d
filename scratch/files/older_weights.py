"""The weights in an older HDF5 file: of Keras 2, or of a whole model that Keras 3 put into `.h5`.

    model_weights/conv2d/conv2d/kernel:0     in a file of weights alone without the first group
    optimizer_weights/...

What is said of each group lists its arrays in order: those that are trained first, then the others,
of a model that stands among the layers as of a layer.
"""

import heapq
import re

import numpy as np

from scratch.errors import shortened
from scratch.files import hdf5, optimizer_state
from scratch.files.limits import RefusedFile, require_held
from scratch.files.places import Place, places_of

MODEL, OPTIMIZER, NAMES = "model_weights", "optimizer_weights", "weight_names"
MOST_LAYERS = 20_000
# of the optimizers before Keras 2.11, whose slots stand one kind after the other
FORMER_STEPS = re.compile(r"(.*/)?iter(:\d+)?$")
INTERLEAVED = {"Adam", "AdamW", "Nadam", "Adamax"}  # m and v of a weight side by side


def is_older(store) -> bool:
    """Whether an open HDF5 file is of this kind."""
    return MODEL in store or "layer_names" in store.attrs


def read(model, store, held: int, by_name: bool = False, skipping=None
         ) -> tuple[list, optimizer_state.State]:
    """(the weights in the model's order, the optimizer's state) of an open file.

    Layers go by their names where the file has just these, otherwise by their order.

    Args:
        held: bytes of the file.
        by_name: whether to take only the layers whose names the file has, and leave the others.
        skipping: called with a sentence on each layer that does not fit, which keeps what it has;
            None to refuse the file instead.

    Raises:
        RefusedFile: if it is absurd, or another network's.
    """
    import h5py

    group, path = store, "the file"
    if MODEL in store:
        hdf5.require_own(store, MODEL, h5py.Group, path)
        group, path = store[MODEL], MODEL
    listed = hdf5.names(group, "layer_names", MOST_LAYERS, path)
    there = {name: datasets for name in dict.fromkeys(listed)
             if (datasets := _of_group(group, name, path))}
    units = {place.unit.name: weights for place in places_of(model)
             if (weights := in_file_order(place))}
    if not by_name and there.keys() != units.keys():
        if len(there) != len(units):
            raise RefusedFile(f"expected the weights of {model}, those of "
                              f"{heapq.nsmallest(20, units)}. Received: those of "
                              f"{heapq.nsmallest(20, there)}")
        there = dict(zip(units, there.values()))
    chosen = {}
    for name, weights in units.items():
        if name in there and _fit(name, weights, there[name], skipping):
            chosen.update({(id(layer.params), weight): dataset
                           for (layer, weight), dataset in zip(weights, there[name])})
    require_held(sum(each.size for each in chosen.values()) * model.dtype.itemsize, held,
                 f"the weights of {model}")
    values = [np.asarray(chosen.get((id(layer.params), name), layer.params[name]))
              for place in places_of(model) for _, layer in place.layers() for name in layer.params]
    state = _optimizer(model, store, len(values)) if len(chosen) == len(values) else {}
    return values, optimizer_state.read(model, state)


def in_file_order(place: Place) -> list[tuple]:
    """(layer, name of the weight) of a layer or of all in a model, what is trained first."""
    weights = list(_weights(place, True))
    return [(layer, name) for wanted in (True, False) for layer, name, trained in weights
            if trained is wanted]


def _weights(place: Place, trained: bool):
    """(layer, name, whether it is trained) in the order of the layers."""
    trained = trained and bool(place.unit.trainable)
    if place.parts is None:
        layer = place.unit
        for name in sorted(layer.params, key=lambda name: name in layer.non_trainable):
            yield layer, name, trained and name not in layer.non_trainable
    for part in place.parts or ():
        yield from _weights(part, trained)


def _of_group(group, name: str, path: str) -> list:
    """The datasets of one layer, in order; they are not read yet."""
    import h5py

    if name not in group:
        raise RefusedFile(f"expected {shortened(name, 200)!r} in {path}. Received none")
    hdf5.require_own(group, name, h5py.Group, path)
    inner = f"{path}/{shortened(name, 100)}"
    return [hdf5.array_at(group[name], each, inner)
            for each in hdf5.names(group[name], NAMES, MOST_LAYERS, inner)]


def _fit(name: str, weights: list, datasets: list, skipping) -> bool:
    """Whether the arrays of a layer have the shapes of its weights.

    Raises:
        RefusedFile: if they have not, and nothing is to be skipped.
    """
    own = [layer.params[weight].shape for layer, weight in weights]
    found = [dataset.shape for dataset in datasets]
    if own == found:
        return True
    message = f"expected the weights of {name!r} in shapes {own}. Received: {found}"
    if skipping is None:
        raise RefusedFile(shortened(message))
    skipping(shortened(message))
    return False


def _optimizer(model, store, weights: int) -> dict[str, np.ndarray]:
    """The optimizer's arrays as a newer file would hold them, {} if there are none to take."""
    import h5py

    if model.optimizer is None or OPTIMIZER not in store:
        return {}
    hdf5.require_own(store, OPTIMIZER, h5py.Group, "the file")
    group = store[OPTIMIZER]
    if NAMES not in group.attrs and f"{NAMES}0" not in group.attrs:
        return {}
    names = hdf5.names(group, NAMES, 10 + 4 * weights, OPTIMIZER)
    arrays = [hdf5.array_at(group, name, OPTIMIZER) for name in names]
    require_held(sum(each.nbytes for each in arrays), 100 * store.id.get_filesize(),
                 "the optimizer's state")
    if names and FORMER_STEPS.fullmatch(names[0]):
        arrays = _interleaved(model.optimizer, arrays)
    return {str(i): np.asarray(each) for i, each in enumerate(arrays)}


def _interleaved(optimizer, arrays: list) -> list:
    """A former optimizer's arrays, all of m and then all of v, in today's order: m, v, m, v ..."""
    steps, slots = arrays[:1], arrays[1:]
    if type(optimizer).__name__ not in INTERLEAVED or len(slots) % 2:
        return arrays
    half = len(slots) // 2
    return steps + [each for pair in zip(slots[:half], slots[half:]) for each in pair]
