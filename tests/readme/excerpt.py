"""Which lines of an output are shown. A choice is made of lines like these:

    first 3          the first three lines
    last 1           the last line
    keep ^conv2d     every line in which this regular expression is found
    from ^Results    the lines from the first one in which it is found ...
    until ^Speed     ... to the next one in which this is found, that one left out

`from` without an `until` goes to the end, `until` without a `from` begins at the first line.
Without any choice all lines are shown.
"""

import re


def select(lines: list[str], choice, gap: str | None = None) -> list[str]:
    """The lines that are chosen, in their order.

    Args:
        gap: stands for lines that were left out; None leaves nothing in their place. Empty lines
            that were left out become an empty line.

    Raises:
        ValueError: for a choice that is none, or that finds nothing.
    """
    wanted = sorted(chosen(lines, choice)) if choice else range(len(lines))
    shown, following = [], 0
    for i in [*wanted, len(lines)]:
        between = lines[following:i]
        if gap is not None and any(map(str.strip, between)):
            shown = [*(shown[:-1] if shown[-1:] == [""] else shown), gap]
        elif gap is not None and between:
            shown.append("")
        shown += lines[i:i + 1]
        following = i + 1
    return shown


def chosen(lines: list[str], choice) -> set[int]:
    """The numbers of the lines that are chosen."""
    kept: set[int] = set()
    begun = None  # where an open range begins
    for word, value in map(parsed, choice):
        if word == "first":
            kept.update(range(min(int(value), len(lines))))
        elif word == "last":
            kept.update(range(max(len(lines) - int(value), 0), len(lines)))
        elif word == "keep":
            kept.update(places(lines, value))
        elif word == "from":
            begun = places(lines, value)[0]
        else:
            start = 0 if begun is None else begun + 1
            kept.update(range(begun or 0, places(lines, value, start)[0]))
            begun = None
    return kept if begun is None else kept | set(range(begun, len(lines)))


def parsed(line: str) -> tuple[str, str]:
    """('keep', '^conv2d') of 'keep ^conv2d'.

    Raises:
        ValueError: for anything that is no choice.
    """
    word, _, value = line.partition(" ")
    if (word in ("first", "last") and value.isdecimal()) or (
            word in ("keep", "from", "until") and value):
        return word, value
    raise ValueError("Expected 'first N', 'last N', or 'keep', 'from' or 'until' and a regular "
                     f"expression. Received: {line!r}")


def places(lines: list[str], pattern: str, start: int = 0) -> list[int]:
    """Where the pattern is found, not before line `start`.

    Raises:
        ValueError: if it is found nowhere.
    """
    found = [i for i, line in enumerate(lines) if i >= start and re.search(pattern, line)]
    if not found:
        raise ValueError(f"Expected a line with {pattern!r}. Received:\n" + "\n".join(lines))
    return found
