"""Colours for verdicts and headings, put on finished text, and only where a person reads it.

Whether a stream gets any is decided for each by itself, as Python's own tracebacks do it: not if
NO_COLOR is set to anything (https://no-color.org), else if FORCE_COLOR is, else on a terminal that
is not dumb. Colours are put around letters, so nothing moves by them.
"""

import os
import re
import sys

from compare.document.tables import ON_TERMINAL
from scratch.progress import leave_bars

GREEN, RED, YELLOW, BOLD, PLAIN = "\033[32m", "\033[31m", "\033[33m", "\033[1m", "\033[0m"

# In a table: the word of a row, in the column under 'verdict'.
HEADER = re.compile(r"(?:^|[ |│┃║])(verdict)(?= *(?:$|[|│┃║]|  ))")
WORDS = {"passed": GREEN, "exact": GREEN, "FAILED": RED, "failed": RED}
WORD = re.compile("|".join(WORDS))

# In sentences. What is said of a share of the faults depends on whether it is all of them.
SENTENCES = (
    (re.compile(r"\bParity holds\b|: equivalent(?=\.)|\b(\d+) of \1 \(100 %\) faults detected\b"
                r"|(?<![\d,])0 false alarms\b|^Nothing to debug\b"), GREEN),
    (re.compile(r"\bParity does not hold\b|: different(?=\.)|\b[\d,]+ of [\d,]+(?: rows)? fail\b"
                r"|\b(?!(\d+) of \1 )\d+ of \d+ \([\d.]+ %\) faults detected\b"
                r"|\b[1-9][\d,]* false alarms?\b|(?<=: )error(?=:)"), RED),
    (re.compile(r"^PARTIAL\b|^NOT Fashion-MNIST\b|^Interrupted\b|: not enough runs(?=\.)"
                r"|(?<=: )interrupted\b"), YELLOW),
    (re.compile(r"^(?:Cause|Evidence|Remedy|Gates passed|Smallest case that still fails)(?=:)"
                r"|(?<=^ {7})(?:Evidence|Remedy)(?=:)"), BOLD),
)
RULE = re.compile(r"(=+|-+)$")


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


def coloured(text: str, tablefmt: str = "simple") -> str:
    """The text with colours in it; as it is, where its tables are meant for other programs."""
    if tablefmt not in ON_TERMINAL:
        return text
    lines, column = text.split("\n"), None
    painted = []
    for i, line in enumerate(lines):
        header = HEADER.search(line)
        if not line:
            column = None
        elif header:
            column = header.start(1)
        if is_heading(lines, i):
            painted.append(paint(line, BOLD))
        elif column is not None and (word := WORD.match(line, column)):
            painted.append(line[:column] + paint(word[0], WORDS[word[0]]) + line[word.end():])
        else:
            painted.append(sentences(line))
    return "\n".join(painted)


def is_heading(lines: list[str], i: int) -> bool:
    """Whether a line is one of those over a rule of '=' or '-' as wide as the widest of them, or
    the rule itself; a table's head has text beside it and no blank line before."""
    rule = next((n for n in range(i, min(i + 3, len(lines))) if RULE.fullmatch(lines[n])), None)
    if rule is None or not all(lines[i:rule + 1]):
        return False
    first = i
    while first and lines[first - 1]:
        first -= 1
    head = lines[first:rule]
    return bool(head) and max(map(len, head)) == len(lines[rule])


def sentences(line: str) -> str:
    """A line of prose with its verdicts coloured."""
    for pattern, colour in SENTENCES:
        line = pattern.sub(lambda found: paint(found[0], colour), line)
    return line


def paint(text: str, colour: str) -> str:
    return f"{colour}{text}{PLAIN}"


def show(text: str, tablefmt: str = "simple", end: str = "\n") -> None:
    """Print a result on standard output, in colour where that is wanted."""
    leave_bars()
    print(coloured(text, tablefmt) if wanted(sys.stdout) else text, end=end, flush=True)


def tell(text: str) -> None:
    """Print a line on standard error, in colour where that is wanted."""
    leave_bars()
    print(sentences(text) if wanted(sys.stderr) else text, file=sys.stderr, flush=True)
