"""What a file may ask for: all that is read from one is held against these before it is read.

A few bytes can stand for a great many: packed zeros, an array of which only the shape is stored, a
text of brackets. What a file unpacks to is therefore bounded by the file's own size.
"""

import re

from scratch import memory

TEXT = 4 << 20  # bytes of JSON: about four thousand layers
NESTED = 64  # brackets within one another; Keras's own configs have about fifteen
BRACKETS = 200_000  # in all: each becomes a list or a dictionary of far more bytes than its own

# Keras stores arrays as they are. Up to the first size they may be packed as tightly as one likes.
SMALL = 1 << 25  # bytes
EXPANSION = 100  # times as large as the file

# a whole string, within which brackets count for nothing, or a bracket
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[][{}]', re.DOTALL)


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
    opened = depth = deepest = 0
    for token in _TOKEN.finditer(content):  # one after the other: there may be millions
        if token[0] in (b"[", b"{"):
            opened, depth = opened + 1, depth + 1
            deepest = max(deepest, depth)
        elif token[0] in (b"]", b"}"):
            depth -= 1
    if opened > BRACKETS or deepest > NESTED:
        raise RefusedFile(f"expected {what} with at most {BRACKETS} brackets, {NESTED} within one "
                          f"another. Received: {opened}, {deepest} within one another")
