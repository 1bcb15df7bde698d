"""Where somebody's object keeps an array: an attribute, a dictionary's entry, a pair of functions.

    "W"              obj.W
    "params.W1"      obj.params["W1"], or obj.params.W1 if that is no dictionary
    "weights.0"      obj.weights[0], of a list
    get              get(obj) gives the array, which is then filled in place
    (get, set)       set(obj, array) takes one
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

Place = str | Callable | tuple


def checked(place: Place, argument: str) -> Place:
    """A place, once it is sure that it is one.

    Raises:
        TypeError: naming the argument.
    """
    pair = isinstance(place, tuple) and len(place) == 2 and all(map(callable, place))
    if not isinstance(place, str) and not callable(place) and not pair:
        raise TypeError(f"Expected {argument} to be an attribute's name, a function that gets the "
                        f"array from the object, or such a pair (get, set). Received: {place!r}")
    return place


def read(obj, place: Place):
    """What the object keeps there.

    Raises:
        AttributeError: if there is nothing of that name, with what there is.
    """
    where: str | Callable = place[0] if isinstance(place, tuple) else place
    if callable(where):
        return where(obj)
    names = where.split(".")
    while names:
        name, names = _next(obj, names)
        obj = _inner(obj, name)
    return obj


def write(obj, place: Place, array: Any) -> None:
    """Put an array there: into the one that is there if it fits, so that other names for it
    follow, or else in its place.

    Raises:
        AttributeError: if there is nothing of that name.
        ValueError: if a function gives an array that cannot be filled.
    """
    if isinstance(place, tuple):
        place[1](obj, array)
        return
    current = read(obj, place)
    fits = isinstance(current, np.ndarray) and isinstance(array, np.ndarray) and \
        current.dtype.kind == "f" and current.shape == array.shape and current.flags.writeable
    if fits:
        current[...] = array
    elif callable(place):
        kept = f"one of shape {current.shape}" if isinstance(current, np.ndarray) \
            else type(current).__name__
        raise ValueError(f"expected a function that gets an array of shape {array.shape}, to be "
                         f"filled in place; or a pair (get, set). Received: {kept}")
    else:
        last, rest = _next(obj, place.split("."))
        while rest:
            obj = _inner(obj, last)
            last, rest = _next(obj, rest)
        if isinstance(obj, MutableMapping):
            obj[last] = array
        elif isinstance(obj, list):
            obj[int(last)] = array
        else:
            setattr(obj, last, array)


def _next(obj, names: list[str]) -> tuple[str, list[str]]:
    """(the name of what comes next, those behind it); keys of a dictionary may have dots in them.
    """
    count = 1
    if isinstance(obj, Mapping):
        count = next((n for n in range(len(names), 0, -1) if ".".join(names[:n]) in obj), 1)
    return ".".join(names[:count]), names[count:]


def _inner(obj, name: str) -> Any:
    if isinstance(obj, Mapping):
        if name in obj:
            return obj[name]
    elif isinstance(obj, Sequence):
        if name.isdigit() and int(name) < len(obj):
            return obj[int(name)]
    elif hasattr(obj, name):
        return getattr(obj, name)
    raise AttributeError(f"expected {name!r} in {_kind(obj)}. It has: "
                         f"{', '.join(names(obj)) or 'nothing'}")


def names(obj) -> list[str]:
    """What the object keeps, by name: what a person may have meant."""
    if isinstance(obj, Mapping):
        return [str(key) for key in obj]
    if isinstance(obj, Sequence):
        return [str(i) for i in range(len(obj))]
    return [name for name in getattr(obj, "__dict__", ()) if not name.startswith("_")]


def _kind(obj) -> str:
    if isinstance(obj, Mapping):
        return "a dictionary"
    return "a list" if isinstance(obj, Sequence) else type(obj).__name__
