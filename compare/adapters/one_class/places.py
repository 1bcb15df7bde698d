"""Which arrays somebody's object keeps, and by their names which are gradients."""

import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

DEEPEST = 5  # objects within objects
# What stands before or behind a weight's name, without underlines, in that of its gradient, ...
GRADIENT = ("d", "g", "grad", "grads", "gradient", "gradients", "delta", "nabla")
# ... and in that of what an optimizer remembers of it.
MEMORY = ("v", "m", "s", "h", "velocity", "velocities", "momentum", "momentums", "momenta", "cache",
          "prev", "old", "mean", "var", "acc", "accumulator")
NO_WEIGHTS = ("grads", "gradients", "velocity", "velocities", "momentum", "momentums", "momenta",
              "cache", "caches")
CONTAINERS = ("params", "parameters", "param", "weights", "w", "p", "learnables", "variables")


def arrays(obj: Any) -> dict[str, np.ndarray]:
    """All arrays of real numbers that an object keeps, by their places, in the order in which they
    came to be: 'W1', 'params.W1', 'weights.0', 'conv1.W'."""
    return dict(_walk(obj, "", DEEPEST, set()))


def _walk(thing: Any, place: str, depth: int, seen: set[int]
          ) -> Iterator[tuple[str, np.ndarray]]:
    if isinstance(thing, np.ndarray):
        if thing.dtype.kind == "f":
            yield place, thing
        return
    if depth < 0 or id(thing) in seen or isinstance(
            thing, (type, types.ModuleType, types.FunctionType, types.MethodType)):
        return
    seen.add(id(thing))
    inner: Any = ()
    if isinstance(thing, Mapping):
        inner = [(key, each) for key, each in thing.items() if isinstance(key, str)]
    elif isinstance(thing, (list, tuple)):
        inner = list(enumerate(thing))
    else:
        inner = list(getattr(thing, "__dict__", {}).items())
    for name, each in inner:
        yield from _walk(each, f"{place}.{name}" if place else str(name), depth - 1, seen)


def is_no_weight(place: str, places: Iterable[str]) -> bool:
    """Whether a place, by its name, is that of a gradient or of an optimizer's memory, of another
    of these or of whatever."""
    return any(_plain(name) in NO_WEIGHTS for name in place.split(".")) or any(
        is_gradient(place, of) or _derived(place, of, MEMORY) for of in places)


def is_gradient(place: str, of: str) -> bool:
    """Whether a place is that of the gradient of what lies in another one, by their names: 'dW1' of
    'W1', 'grads.W1' of 'params.W1', 'conv1.dW' of 'conv1.W'."""
    return _derived(place, of, GRADIENT)


def _derived(place: str, of: str, marks: tuple[str, ...]) -> bool:
    names, bases = place.split("."), of.split(".")
    if len(names) == len(bases) + 1 and _plain(names[0]) in marks:
        names = names[1:]  # 'grads.W1' of 'W1'
        return all(_plain(name) == _plain(base) or _marked(name, base, marks)
                   for name, base in zip(names, bases))
    if len(names) != len(bases):
        return False
    marked = [_marked(name, base, marks) for name, base in zip(names, bases)]
    return any(marked) and all(yes or name == base
                               for yes, name, base in zip(marked, names, bases))


def _marked(name: str, base: str, marks: tuple[str, ...]) -> bool:
    """Whether one part of a place is that of another, marked."""
    plain, own = _plain(name), _plain(base)
    if plain == own:
        return False
    forms = {own, own.removesuffix("s")}
    if any(plain in (mark + form, form + mark) for mark in marks for form in forms):
        return True
    return own in CONTAINERS and plain in (*marks, *(f"{mark}s" for mark in marks))


def _plain(name: str) -> str:
    return name.lower().replace("_", "")
