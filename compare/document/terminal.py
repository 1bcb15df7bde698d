"""What standard output can show: how many columns, and which characters.

Only a terminal has a width of its own. What is written into a file or a pipe must not depend on the
window that it was written from.
"""

import sys

from scratch.progress import columns

WIDTH = 80  # columns where there is no terminal
NARROWEST = 40  # a table is not made narrower, or nothing could be read in it


def terminal_width() -> int:
    """How many columns a table may have."""
    stream = sys.stdout
    if stream is None or not getattr(stream, "isatty", bool)():
        return WIDTH
    return max(columns(stream), NARROWEST)


def prose_width() -> int:
    """How many columns a sentence may have: long lines are hard to read."""
    return min(terminal_width(), WIDTH)


def shown(sign: str, otherwise: str) -> str:
    """The sign where standard output can show it, else what stands for it."""
    try:
        sign.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return otherwise
    return sign
