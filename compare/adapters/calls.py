"""Calls somebody's forward and backward passes with what they take, and names what they return."""

import functools
import inspect
from typing import Any

import numpy as np

from compare.adapters import accessors


def forward_of(how, weights) -> tuple[tuple, tuple | None]:
    """(what the forward pass takes, what it gives, None if the result itself is to tell)."""
    default = ("x",) if how.obj is not None else ("x", *weights)
    return default if how.forward_takes is None else how.forward_takes, how.forward_gives


def backward_of(how, weights, has_cache: bool) -> tuple[tuple, tuple]:
    """(what the backward pass takes, what it gives)."""
    takes: tuple = ("dy",)
    gives: tuple = ("input_gradient",)
    if how.obj is None:
        takes = ("dy", "cache") if has_cache else ("dy", "x", *weights)
        gives = (*gives, *(f"{name}_gradient" for name in weights))
    return (takes if how.backward_takes is None else how.backward_takes,
            gives if how.backward_gives is None else how.backward_gives)


def call(how, obj, which: str, takes: tuple, gives: tuple | None, held: dict) -> dict:
    """What a pass returns, by name.

    Args:
        which: 'forward' or 'backward'.
        held: what can be handed over, by name.

    Raises:
        AttributeError: if the object has no such method.
        TypeError: if as many things do not come back as were declared.
    """
    method = method_of(how, obj, which)
    missing = [name for name in takes if name not in held]
    if missing:
        raise TypeError(f"expected {which}_takes to name what there is: {', '.join(held)}. "
                        f"Received: {', '.join(missing)}")
    _require_taken(method, which, takes, list(held))
    result = method(*(held[name] for name in takes))
    if gives is None:  # an output, or an output and whatever the way back needs
        pair = isinstance(result, tuple) and len(result) == 2 and how.obj is None
        gives = ("output", "cache") if pair else ("output",)
    if not gives:
        return {}
    if len(gives) == 1 and isinstance(gives[0], str):
        return {gives[0]: result}
    return _named(which, gives, result)


def method_of(how, obj, which: str) -> Any:
    """What is called for a pass: the object's method, or a function of what is taken.

    Raises:
        AttributeError: if the object has no such method.
        TypeError: if there is no such pass.
    """
    method = getattr(how, which)
    if isinstance(method, str):
        return _method(obj, method, which)
    if method is None:
        raise TypeError(f"expected a {which} pass, which wrap was told there is none of")
    return method if obj is None else functools.partial(method, obj)


def _require_taken(method, which: str, takes: tuple, held: list[str]) -> None:
    """Raises a TypeError that names the option if a pass cannot be called with as many things."""
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):  # of what is written in C it may not be known
        return
    try:
        signature.bind(*takes)
    except TypeError:
        name = getattr(method, "__qualname__", type(method).__name__)
        raise TypeError(f"expected {name}{signature} to take {len(takes)} arguments: "
                        f"({', '.join(takes)}). What the {which} pass takes, in order, is told by "
                        f"{which}_takes=(...), of {', '.join(held)}; () for nothing"
                        ) from None


def _named(which: str, gives: tuple, result) -> dict:
    """What a pass returned, by name; what lies in tuples inside is named by tuples inside.

    Raises:
        TypeError: if as many things do not come back as were declared.
    """
    if not isinstance(result, (tuple, list)) or len(result) != len(gives):
        count = len(result) if isinstance(result, (tuple, list)) else None
        came = type(result).__name__ + ("" if count is None else f" of {count}")
        raise TypeError(f"expected the {which} pass to return {len(gives)} things: "
                        f"{', '.join(map(str, gives))}. Received: {came}; {which}_gives names them,"
                        " with 'ignored' for others and a tuple for a list inside")
    found: dict = {}
    for name, value in zip(gives, result):
        found |= {name: value} if isinstance(name, str) else _named(which, name, value)
    return found


def _method(obj, name: str, which: str):
    """The object's method of that name.

    Raises:
        AttributeError: if it has none; of a backward pass it need not.
    """
    try:
        return accessors.read(obj, name)
    except AttributeError as error:
        hint = ("" if which == "forward" else
                ". Where there is no backward pass: compare.wrap(..., backward=None), or "
                "--inference")
        raise AttributeError(f"{error}{hint}") from None


def numbers(value, what: str) -> np.ndarray:
    """A result as an array of floating-point numbers.

    Raises:
        TypeError: for what is none.
    """
    if isinstance(value, tuple):
        raise TypeError(f"expected {what} to be an array. Received: a tuple of {len(value)}; what "
                        "is returned beside it can be named in forward_gives or backward_gives, "
                        "'ignored' if nothing is to be done with it")
    try:
        array = np.asarray(value)
    except ValueError:  # a ragged list
        array = np.array(None)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"expected {what} to be an array of numbers. "
                        f"Received: {type(value).__name__}"
                        + (f" of {array.dtype}" if isinstance(value, np.ndarray) else ""))
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def changed(names: tuple[str, ...], handed: tuple, before: tuple) -> tuple[str, ...]:
    """The names of those arrays that are not what they were before."""
    return tuple(name for name, now, then in zip(names, handed, before)
                 if not np.array_equal(now, then, equal_nan=now.dtype.kind == "f"))
