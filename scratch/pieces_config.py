"""Operations that cut a tensor, in a functional model's config: one entry for each piece.

Keras has one operation of several outputs, of which a call or the model's output reads some. Here
each of these is an operation of its own, see `operations/pieces.py`.
"""

from collections.abc import Iterator
from typing import Any

from scratch.errors import UnsupportedError
from scratch.operations import Piece, is_operation, is_tensor, kind_of
from scratch.operations.pieces import APART

Output = tuple[tuple[str, int], int]  # ((layer, number of the call), which of its outputs)


def in_pieces(entries: dict[str, dict], outputs: Any
              ) -> tuple[dict[str, dict], dict[Output, Output]]:
    """(the entries by name, in the place of an operation that cuts a tensor those of the pieces
    that are read; which output stands for one of such an operation).

    Args:
        outputs: the model's, as the config has them.

    Raises:
        UnsupportedError: if such an operation is called more than once.
    """
    cutting = {name for name, entry in entries.items()
               if is_operation(entry) and issubclass(kind_of(entry), Piece)}
    if not cutting:
        return entries, {}
    read = {history for entry in entries.values() for node in entry.get("inbound_nodes", ())
            for history in _read(node)} | set(_listed(outputs))
    found: dict[str, dict] = {}
    cut: dict[Output, Output] = {}
    for name, entry in entries.items():
        if name not in cutting:
            found[name] = entry
            continue
        if len(entry["inbound_nodes"]) != 1:
            raise UnsupportedError(
                f"{name!r}, an operation between layers, {entry['class_name']}: expected to be "
                f"called once. Received: {len(entry['inbound_nodes'])} calls")
        for place in sorted({place for whole, place in read if whole == name}):
            piece = f"{name}{APART}{place}"
            found[piece] = {**entry, "name": piece, "config": {**entry["config"], "name": piece,
                                                               "place": place}}
            cut[(name, 0), place] = ((piece, 0), 0)
    return found, cut


def _read(value: Any) -> Iterator[tuple[str, int]]:
    """(layer, which of its outputs) of each tensor among a call's arguments."""
    if is_tensor(value):
        yield from _listed(value.get("config", {}).get("keras_history"))
    elif isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _read(inner)


def _listed(packed: Any) -> Iterator[tuple[str, int]]:
    """The same of [layer, call, output], of which there may be lists and dictionaries; what is
    none of these is told by who reads it."""
    if isinstance(packed, dict):
        packed = list(packed.values())
    if not isinstance(packed, (list, tuple)):
        return
    if len(packed) == 3 and isinstance(packed[0], str) and type(packed[2]) is int:
        yield packed[0], packed[2]
        return
    for inner in packed:
        yield from _listed(inner)
