"""The HDF5 file that holds a model's variables: which array is where, as Keras has it.

    layers/conv2d/vars/0       of a layer, see `places`
    optimizer/vars/0           the number of steps, the learning rate, then the slots
"""

import heapq
import io
import os
import warnings
from collections.abc import Callable

from scratch.errors import shortened
from scratch.files import half_precision, hdf5, older_weights, optimizer_state
from scratch.files.limits import RefusedFile, require_held
from scratch.files.places import LAYERS, LAYERS_2_12, Place, places_of

MOST_OF_A_LAYER = 64  # arrays; to open one takes more time and memory than a small one itself


def pack(model) -> bytes:
    """The file for a built model, its optimizer's state included if it is compiled."""
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as store:
        store.create_group("vars").attrs["name"] = model.name
        _put(store, places_of(model))
        if model.optimizer is not None:
            group = store.create_group("optimizer/vars")
            group.attrs["name"] = model.optimizer.name
            optimizer_state.save(model, group)
    return file.getvalue()


def _put(store, places: list[Place]) -> None:
    for path, unit, parts in places:
        if parts is not None:
            store.create_group(f"{path}/vars").attrs["name"] = unit.name
            _put(store, parts)
            continue
        for inside, names in unit.file_groups().items():
            group = store.create_group(f"{path}{inside}/vars")
            group.attrs["name"] = unit.name
            for i, name in enumerate(names):
                group[str(i)] = unit.params[name]


def restore(model, content: bytes, path, skip_mismatch: bool = False, by_name: bool = False
            ) -> None:
    """Put the variables in such a file into a built model: all of them, or none if any is wrong.

    Args:
        content: the HDF5 file.
        path: of the file that it comes from, as it is or packed; for messages, and as a measure of
            what it may unpack to.
        skip_mismatch, by_name: see `weights_file.load_weights`.

    Raises:
        ValueError: if it is no such file, is damaged, absurd, or another network's.
    """
    import h5py

    skipped: list[str] = []
    skipping = skipped.append if skip_mismatch else None
    try:
        with h5py.File(io.BytesIO(content), "r") as store:
            held = os.stat(path).st_size
            if older_weights.is_older(store):
                weights, state = older_weights.read(model, store, held, by_name, skipping)
            elif by_name:
                raise RefusedFile("expected an older .h5 file, as by_name=True. Received one in "
                                  "which layers have no names")
            else:
                weights, state = _read(model, store, held, skipping)
    except RefusedFile as refusal:
        raise ValueError(f"{path}: {shortened(refusal)}") from None
    except Exception as error:  # a damaged file makes HDF5 raise all sorts
        raise ValueError(f"{path}: expected the weights of {model} in a model saved by Keras, an "
                         f"HDF5 file. Received: {type(error).__name__}: {shortened(error)}"
                         ) from None
    for sentence in skipped:
        warnings.warn(f"{path}: {shortened(sentence)}; it keeps what it has.", stacklevel=4)
    model.set_weights(weights)
    optimizer_state.restore(model, state, path)


def _read(model, store, held: int, skipping: Callable[[str], None] | None
          ) -> tuple[list, optimizer_state.State]:
    """(the weights in the model's order, the optimizer's state).

    Everything is found and measured before anything is read.
    """
    group = LAYERS_2_12 if LAYERS_2_12 in store else LAYERS
    if group not in store:
        raise RefusedFile(f"expected the weights of {model} in a group 'layers'. "
                          f"Received: {some(store)}")
    places = places_of(model, group=group)
    stored = _stored(store, places, "", group)
    found = {path for path, arrays in stored.items() if arrays}
    layers = [(f"{path}{inside}", layer, names) for place in places
              for path, layer in place.layers()
              for inside, names in layer.file_groups().items() if names]
    expected = {path for path, _, _ in layers}
    if found != expected and skipping is None:
        raise RefusedFile(f"expected the weights of {model}, in {some(expected)}. "
                          f"Received: those in {some(found)}")
    by_name: dict = {}  # of a weight that is stored twice what comes last, as in Keras
    skipped = False
    for path, layer, names in layers:
        try:
            arrays = _weights_of(layer, names, stored.get(path, {}), path)
        except RefusedFile as refusal:
            if skipping is None:
                raise
            skipping(str(refusal))
            skipped = True
            arrays = [layer.params[name] for name in names]
        by_name.update(((id(layer), name), array) for name, array in zip(names, arrays))
    weights = list(by_name.values())
    require_held(sum(array.size * min(array.dtype.itemsize, model.dtype.itemsize)
                     for array in weights), held,
                 f"the weights of {model}")
    # no optimizer keeps more than four arrays for a weight
    state = {} if model.optimizer is None or skipped else \
        _arrays(store, "optimizer", 10 + 4 * len(weights))
    read = [half_precision.read(array) for array in weights]
    return read, optimizer_state.read(model, state)


def _stored(store, places: list[Place], inside: str, called: str) -> dict[str, dict]:
    """The datasets in each group of layers, by the group's path, for as deep as places go.

    Args:
        called: what the group of a model's layers is called.
    """
    import h5py

    here = {place.path: place for place in places}
    if f"{inside}{called}" not in store:
        return {}
    group = store[inside] if inside else store
    hdf5.require_own(group, called, h5py.Group, inside or "the file")
    most = 10 + 4 * len(places)  # layers without weights may be there, too
    if len(group[called]) > most:
        raise RefusedFile(f"expected at most {most} layers in {inside}{called}. "
                          f"Received: {len(group['layers'])}")
    found = {}
    for name in group[called]:
        path = f"{inside}{called}/{name}"
        found[path] = _arrays(store, path)
        place = here.get(path)
        if place is not None and place.parts is None:
            found.update({f"{path}{inside}": _arrays(store, f"{path}{inside}")
                          for inside in place.unit.file_groups() if inside})
    for place in places:
        if place.parts is not None and place.path in store:
            found.update(_stored(store, place.parts, f"{place.path}/", called))
    return found


def _arrays(store, path: str, most: int = MOST_OF_A_LAYER) -> dict:
    """The datasets of numbers in the group path/vars by their names; none without such a group."""
    import h5py

    place = store
    for part in (*path.split("/"), "vars"):
        if part not in place:
            return {}
        hdf5.require_own(place, part, h5py.Group, path)
        place = place[part]
    if len(place) > most:
        raise RefusedFile(f"expected at most {most} arrays in {path}/vars. "
                          f"Received: {len(place)}")
    return {key: hdf5.array(place, key, f"{path}/vars") for key in place}


def _weights_of(layer, names: list[str], arrays: dict, path: str) -> list:
    """The datasets of a layer's weights of these names, which fit them."""
    if set(arrays) != {str(i) for i in range(len(names))}:
        raise RefusedFile(f"expected {len(names)} weights of {layer}, {names}, in {path}. "
                          f"Received: {len(arrays)}, {some(arrays)}")
    for i, name in enumerate(names):
        array, own = arrays[str(i)], layer.params[name]
        kind = "f" if half_precision.is_bfloat16(array) else array.dtype.kind
        if array.shape != own.shape or kind != own.dtype.kind:
            kind = "real" if own.dtype.kind == "f" else "whole"
            raise RefusedFile(f"expected {name} of {layer} as {kind} numbers of shape {own.shape}. "
                              f"Received: {array.dtype} of shape {array.shape}")
    return [arrays[str(i)] for i in range(len(names))]


def some(names, most: int = 20) -> list[str]:
    """The first of some names, sorted."""
    return heapq.nsmallest(most, names)
