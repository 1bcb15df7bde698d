"""Reports as text: sections of sentences and tables, for the terminal or as Markdown."""

import sys
import textwrap
from dataclasses import dataclass, field

from compare.document import tables
from compare.document.tables import WIDTH


@dataclass
class Table:
    """Texts. A heading may contain a line break, for the formats that can show it."""

    headers: list[str]
    rows: list[list[str]]


@dataclass
class Section:
    """A heading, sentences before the table, the table, and sentences after it.

    A text of several lines keeps them, as a table does; those that are too long go on below.
    """

    heading: str
    before: list[str] = field(default_factory=list)
    table: Table | None = None
    after: list[str] = field(default_factory=list)


def as_text(sections: list[Section], tablefmt: str = "simple") -> str:
    """The sections for a terminal, tables in any of tabulate's formats."""
    sign = plus_minus()
    lines = []
    for part in sections:
        heading = wrapped(part.heading)
        longest = max(map(len, heading.split("\n")))
        lines += [heading, ("=" if not lines else "-") * longest]
        lines += [wrapped(text) for text in part.before]
        if part.table:
            lines += ["", table_text(part.table, tablefmt, sign)]
        if part.after:
            lines += ["", *(wrapped(text) for text in part.after)]
        lines.append("")
    text = "\n".join(lines).rstrip() + "\n"
    return text.replace("±", sign)  # tables have it replaced already, before they are aligned


def as_markdown(sections: list[Section], pictures: dict[str, str]) -> str:
    """The sections as Markdown.

    Args:
        pictures: captions by file name, to be shown at the end.
    """
    lines = []
    for part in sections:
        lines += [f"{'##' if lines else '#'} {part.heading}", ""]
        lines += [f"```\n{text}\n```\n" if "\n" in text else f"{text}\n" for text in part.before]
        if part.table:
            lines += [table_text(part.table, "pipe"), ""]
        lines += [f"{text}\n" for text in part.after]
    for name, caption in pictures.items():
        lines += [f"![{caption}]({name})", ""]
    return "\n".join(lines)


def wrapped(text: str, indent: str | None = None) -> str:
    """A text on lines of at most WIDTH, those that it has already among them.

    Args:
        indent: of the lines that go on with one; None: none for a text on one line, for others
            two more than the line itself.
    """
    whole = "\n" not in text
    return "\n".join(_wrapped(line, indent if indent is not None else "" if whole else
                              " " * (len(line) - len(line.lstrip()) + 2))
                     for line in text.split("\n"))


def _wrapped(line: str, indent: str) -> str:
    if len(line) <= WIDTH:
        return line
    # a path or an address stays in one piece, to be copied
    return textwrap.fill(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False,
                         break_long_words=False)


def plus_minus() -> str:
    """'±' where standard output can show it, else '+-'."""
    try:
        "±".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return "+-"
    return "±"


def table_text(table: Table, tablefmt: str, sign: str = "±") -> str:
    """A table in one of tabulate's formats; `sign` stands for '±'."""
    return tables.render(table.headers, table.rows, tablefmt, plus_minus=sign)
