"""What a file may ask for: all that is read from one is held against these before it is read.

A few bytes can stand for a great many: packed zeros, an array of which only the shape is stored, a
text of brackets. What a file unpacks to is therefore bounded by the file's own size.
"""

import re

import numpy as np

from scratch import memory

TEXT = 4 << 20  # bytes of JSON: about four thousand layers
NESTED = 64  # brackets within one another; Keras's own configs have about fifteen
BRACKETS = 200_000  # in all: each becomes a list or a dictionary of far more bytes than its own

# Keras stores arrays as they are. Up to the first size they may be packed as tightly as one likes.
SMALL = 1 << 25  # bytes
EXPANSION = 100  # times as large as the file

_OPENING, _CLOSING = (np.isin(np.arange(256), list(brackets)) for brackets in (b"[{", b"]}"))
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)', re.DOTALL)


class RefusedFile(ValueError):
    """Says what is wrong with a file that could be read; its message does not name the file."""


def require_held(needed: int, held: int, what: str) -> None:
    """That what a file unpacks to stands in some proportion to the file, and fits into memory.

    Args:
        needed: bytes once unpacked.
        held: bytes of the file.
        what: unpacks to so much.

    Raises:
        RefusedFile: if either is not so, with the figures.
    """
    if needed > SMALL and needed > EXPANSION * held:
        raise RefusedFile(f"expected {what} of a size that the file can hold. "
                          f"Received: {needed} bytes, in a file of {held}")
    try:
        memory.require(needed, what)
    except ValueError as error:
        raise RefusedFile(str(error)) from None


def require_text(content: bytes, what: str) -> None:
    """That JSON from a file is no longer and no more deeply nested than any honest one.

    Raises:
        RefusedFile: if it is.
    """
    if len(content) > TEXT:
        raise RefusedFile(f"expected {what} of at most {TEXT} bytes. Received: {len(content)}")
    letters = np.frombuffer(_STRING.sub(b"", content), np.uint8)
    opening = _OPENING[letters]
    depth = np.cumsum(opening.astype(np.int32) - _CLOSING[letters])
    if opening.sum() > BRACKETS or depth.max(initial=0) > NESTED:
        raise RefusedFile(f"expected {what} with at most {BRACKETS} brackets, {NESTED} within one "
                          f"another. Received: {opening.sum()}, {depth.max(initial=0)} within one "
                          "another")
