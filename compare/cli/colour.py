"""Prints what a command has to say: in colour where a person reads it, plain elsewhere.

The text itself knows what is good, bad or a heading (`compare.document.text`); here each tone gets
its colour. Whether a stream gets any is decided for each by itself, as Python's own tracebacks do
it: not if NO_COLOR is set to anything (https://no-color.org), else if FORCE_COLOR is, else on a
terminal that is not dumb.
"""

import os
import sys

from compare.document.progress import leave_bars
from compare.document.tables import ON_TERMINAL
from compare.document.text import Text, Tone, as_lines, line

COLOURS = {Tone.GOOD: "\033[32m", Tone.BAD: "\033[31m", Tone.WARNING: "\033[33m",
           Tone.STRONG: "\033[1m"}
PLAIN = "\033[0m"


def wanted(stream, environ=None) -> bool:
    """Whether this stream gets colours."""
    environ = os.environ if environ is None else environ
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    if environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    return os.name != "nt" or "WT_SESSION" in environ  # older windows show the codes themselves


def coloured(text: Text) -> str:
    """The text with the codes that a terminal reads; no colour goes on over the end of a line."""
    return "".join("\n".join(painted(each, tone) for each in span.split("\n"))
                   for span, tone in text.spans)


def painted(text: str, tone: Tone | None) -> str:
    return f"{COLOURS[tone]}{text}{PLAIN}" if tone and text else text


def show(text: str, tablefmt: str = "simple", end: str = "\n") -> None:
    """Print a result on standard output; without colour where its tables are meant for other
    programs."""
    leave_bars()
    said = as_lines(text)
    in_colour = tablefmt in ON_TERMINAL and wanted(sys.stdout)
    print(coloured(said) if in_colour else said, end=end, flush=True)


def tell(text: str) -> None:
    """Print a line on standard error."""
    leave_bars()
    said = line(text)
    print(coloured(said) if wanted(sys.stderr) else said, file=sys.stderr, flush=True)
