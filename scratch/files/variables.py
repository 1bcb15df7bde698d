"""The HDF5 file that holds a model's variables: which array is where, as Keras has it.

    layers/conv2d/vars/0       the first layer of class Conv2D: kernel, then bias (1)
    layers/conv2d_1/vars/0     the second one
    layers/functional/layers/conv2d/vars/0     one of a model that stands among the layers
    optimizer/vars/0           the number of steps, the learning rate, then the slots

The names in the file count the layers of each class; a layer's own name is a mere attribute. What
is called more than once is there once, where it comes first.
"""

import heapq
import io
import math
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from scratch.errors import UnsupportedError, shortened
from scratch.files import half_precision, optimizer_state
from scratch.files.limits import RefusedFile, require_held
from scratch.layer_config import MODELS
from scratch.layers import Layer
from scratch.naming import numbered, snake_case
from scratch.operations import Operation

LEAST_BUFFER = 1 << 20  # bytes of a chunk of any array
MOST_OF_A_LAYER = 64  # arrays; to open one takes more time and memory than a small one itself


class Place(NamedTuple):
    """Where a layer's or a model's variables are.

    Attributes:
        path: such as layers/conv2d.
        unit: the layer or the model.
        parts: the places of what stands in a model; None for a layer.
    """

    path: str
    unit: Any
    parts: list["Place"] | None

    def layers(self) -> Iterator[tuple[str, Any]]:
        """(path, layer) of the layer, or of each in the model."""
        if self.parts is None:
            yield self.path, self.unit
        for part in self.parts or ():
            yield from part.layers()


def places_of(model, inside: str = "", met: set[int] | None = None) -> list[Place]:
    """The places of a model's layers: layers/conv2d, layers/conv2d_1 ..., in its order.

    Args:
        inside: the path of the model itself.
        met: by `id`, what has a place already, and gets no second one.
    """
    counts: Counter[str] = Counter()
    met = set() if met is None else met
    places = []
    for unit in model.units:
        if isinstance(unit, Operation):
            continue  # which Keras does not count among the layers
        known = next((name for name, kind in MODELS.items() if type(unit) is kind), None)
        base = snake_case(known or type(unit).__name__)
        path = f"{inside}layers/{numbered(base, counts[base])}"
        counts[base] += 1
        key = id(unit.params) if isinstance(unit, Layer) else id(unit)
        if key not in met:
            met.add(key)
            parts = None if isinstance(unit, Layer) else places_of(unit, f"{path}/", met)
            places.append(Place(path, unit, parts))
    return places


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
        for inside, names in groups_of(unit).items():
            group = store.create_group(f"{path}{inside}/vars")
            group.attrs["name"] = unit.name
            for i, name in enumerate(names):
                group[str(i)] = unit.params[name]


def groups_of(layer) -> dict[str, list[str]]:
    """The names of a layer's weights by the group that holds them in its own: '', '/query_dense'.
    """
    found: dict[str, list[str]] = {"": []}
    for name in layer.params:
        found.setdefault(layer.file_group(name), []).append(name)
    return found


def restore(model, content: bytes, path) -> None:
    """Put the variables in such a file into a built model: all of them, or none if any is wrong.

    Args:
        content: the HDF5 file.
        path: of the file that it comes from, as it is or packed; for messages, and as a measure of
            what it may unpack to.

    Raises:
        ValueError: if it is no such file, is damaged, absurd, or another network's.
        UnsupportedError: for a file in the format of Keras 2.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as store:
            weights, state = _read(model, store, os.stat(path).st_size)
    except UnsupportedError as error:
        raise UnsupportedError(f"{path}: {error}") from None
    except RefusedFile as refusal:
        raise ValueError(f"{path}: {shortened(refusal)}") from None
    except Exception as error:  # a damaged file makes HDF5 raise all sorts
        raise ValueError(f"{path}: expected the weights of {model} in a model saved by Keras, an "
                         f"HDF5 file. Received: {type(error).__name__}: {shortened(error)}"
                         ) from None
    model.set_weights(weights)
    optimizer_state.restore(model, state, path)


def _read(model, store, held: int) -> tuple[list, optimizer_state.State]:
    """(the weights in the model's order, the optimizer's state).

    Everything is found and measured before anything is read.
    """
    if "layer_names" in store.attrs or "model_weights" in store:
        raise UnsupportedError("the HDF5 format of Keras 2 is not supported. Expected a file that "
                               "Keras 3 saved as .keras or .weights.h5.")
    if "layers" not in store:
        raise RefusedFile(f"expected the weights of {model} in a group 'layers'. "
                          f"Received: {some(store)}")
    places = places_of(model)
    stored = _stored(store, places, "")
    found = {path for path, arrays in stored.items() if arrays}
    layers = [(f"{path}{inside}", layer, names) for place in places
              for path, layer in place.layers()
              for inside, names in groups_of(layer).items() if names]
    expected = {path for path, _, _ in layers}
    if found != expected:
        raise RefusedFile(f"expected the weights of {model}, in {some(expected)}. "
                          f"Received: those in {some(found)}")
    weights = [array for path, layer, names in layers
               for array in _weights_of(layer, names, stored[path], path)]
    require_held(sum(array.size * min(array.dtype.itemsize, model.dtype.itemsize)
                     for array in weights), held,
                 f"the weights of {model}")
    # no optimizer keeps more than four arrays for a weight
    state = {} if model.optimizer is None else _arrays(store, "optimizer", 10 + 4 * len(weights))
    read = [half_precision.read(array) for array in weights]
    return read, optimizer_state.read(model, state)


def _stored(store, places: list[Place], inside: str) -> dict[str, dict]:
    """The datasets in each group of layers, by the group's path, for as deep as places go."""
    import h5py

    here = {place.path: place for place in places}
    if f"{inside}layers" not in store:
        return {}
    group = store[inside] if inside else store
    _require_own(group, "layers", h5py.Group, inside or "the file")
    most = 10 + 4 * len(places)  # layers without weights may be there, too
    if len(group["layers"]) > most:
        raise RefusedFile(f"expected at most {most} layers in {inside}layers. "
                          f"Received: {len(group['layers'])}")
    found = {}
    for name in group["layers"]:
        path = f"{inside}layers/{name}"
        found[path] = _arrays(store, path)
        place = here.get(path)
        if place is not None and place.parts is not None:
            found.update(_stored(store, place.parts, f"{path}/"))
        elif place is not None:
            found.update({f"{path}{inside}": _arrays(store, f"{path}{inside}")
                          for inside in groups_of(place.unit) if inside})
    return found


def _arrays(store, path: str, most: int = MOST_OF_A_LAYER) -> dict:
    """The datasets of numbers in the group path/vars by their names; none without such a group."""
    import h5py

    place = store
    for part in (*path.split("/"), "vars"):
        if part not in place:
            return {}
        _require_own(place, part, h5py.Group, path)
        place = place[part]
    if len(place) > most:
        raise RefusedFile(f"expected at most {most} arrays in {path}/vars. "
                          f"Received: {len(place)}")
    for key in place:
        _require_own(place, key, h5py.Dataset, path)
        dataset = place[key]
        known = dataset.dtype.kind in "fiu" or half_precision.is_bfloat16(dataset)
        if dataset.external or dataset.is_virtual or not known:
            raise RefusedFile(f"expected arrays of numbers in {path}/vars. "
                              f"Received: {key!r} of {dataset.dtype}, or in another file")
        _require_small_chunks(dataset, f"{key!r} in {path}/vars")
    return {key: place[key] for key in place}


def _require_small_chunks(dataset, what: str) -> None:
    """That to read an array does not take a buffer larger than it."""
    size = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if size > max(dataset.nbytes, LEAST_BUFFER):
        raise RefusedFile(f"expected {what} in pieces no larger than itself. "
                          f"Received: {dataset.chunks} of an array {dataset.shape}")


def _require_own(place, name: str, kind, path: str) -> None:
    """That something in the file is of that kind, and no link out of the file or to elsewhere."""
    import h5py

    link = place.get(name, getclass=True, getlink=True)
    if link is not h5py.HardLink or not isinstance(place[name], kind):
        raise RefusedFile(f"expected {name!r} in {path} to be a {kind.__name__.lower()} of the "
                          f"file. Received: {link.__name__} to {place.get(name)!r:.100}")


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
