"""What an optimizer or a loss has beyond its config: a check makes fresh ones from the config.

Settings changed afterwards are no trouble where `get_config` says so, nor are weights excluded from
decay, which are carried over. Anything else would be lost without a word, so it is refused by name.
"""

from typing import Any

from compare.tracing.types import Network

PLAIN = (bool, int, float, str, type(None))
# what steps change, or what only names
STATE = {"built", "_built", "_calls", "_lock", "iterations", "name", "slot_names", "_given_rate"}


def require_described(model: Network) -> None:
    """That a compiled model's optimizer is described by its config.

    Raises:
        ValueError: naming what its config does not tell.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of one that scales the loss
    kind = type(optimizer).__name__
    try:
        made = type(optimizer).from_config(optimizer.get_config())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError("Expected an optimizer that can be made anew from its config, as a check "
                         f"starts with a fresh one. Received: {kind}, for which that fails: "
                         f"{str(error).split('. ')[0]}") from error
    found = hidden(optimizer, made)
    if found:
        raise ValueError("Expected an optimizer that its config describes, as a check starts with "
                         f"a fresh one. Received: {kind} with {'; '.join(found)}")


def hidden(thing: Any, made: Any) -> list[str]:
    """What a thing has, and one made from its config has not, in words.

    Only methods and plain values count: numbers, strings, truth values.
    """
    found = []
    others = vars(made)
    for name, value in vars(thing).items():
        if name in STATE:
            continue
        if callable(getattr(type(thing), name, None)) and callable(value):
            found.append(f"{name} replaced on the object itself (make it a method of a subclass)")
        elif isinstance(value, PLAIN) and (name not in others or (
                isinstance(others[name], PLAIN) and not _same(value, others[name]))):
            instead = f"{others[name]!r}" if name in others else "none"
            found.append(f"{name}={value!r}, where its config leads to {instead} (return it from "
                         "get_config)")
    return found


def _same(a: Any, b: Any) -> bool:
    return bool(a == b or (a != a and b != b))
