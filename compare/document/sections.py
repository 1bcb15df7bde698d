"""Reports as text: sections of sentences and tables, for the terminal or as Markdown.

A sentence that is a plain `str` is one line. One with a tone, or of several lines, is a `Text`.
"""

import textwrap
from dataclasses import dataclass, field

from compare.document import tables
from compare.document.terminal import prose_width, shown
from compare.document.text import Text, as_lines, line, lines, strong


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


def as_text(sections: list[Section], tablefmt: str = "simple") -> Text:
    """The sections for a terminal, tables in any of tabulate's formats."""
    sign = plus_minus()
    parts: list[str] = []
    for part in sections:
        heading = wrapped(line(part.heading))
        longest = max(map(len, heading.split("\n")))
        parts += [strong(heading), strong(("=" if not parts else "-") * longest)]
        parts += [wrapped(line(text)) for text in part.before]
        if part.table:
            parts += ["", table_text(part.table, tablefmt, sign)]
        if part.after:
            parts += ["", *(wrapped(line(text)) for text in part.after)]
        parts.append("")
    text = lines(parts)
    # tables have the sign replaced already, before they are aligned
    return text.moved(text.rstrip() + "\n").swapped("±", sign)


def as_markdown(sections: list[Section], pictures: dict[str, str]) -> str:
    """The sections as Markdown.

    Args:
        pictures: captions by file name, to be shown at the end.
    """
    parts: list[str] = []
    for part in sections:
        parts += [f"{'##' if parts else '#'} {line(part.heading)}", ""]
        parts += [f"```\n{text}\n```\n" if "\n" in text else f"{text}\n"
                  for text in map(line, part.before)]
        if part.table:
            parts += [table_text(part.table, "pipe"), ""]
        parts += [f"{line(text)}\n" for text in part.after]
    for name, caption in pictures.items():
        parts += [f"![{caption}]({name})", ""]
    return "\n".join(parts)


def wrapped(text: str, indent: str | None = None) -> Text:
    """A text on lines of at most 80 columns, or as many as a narrower terminal has, those that it
    has already among them.

    Args:
        indent: of the lines that go on with one; None: none for a text on one line, for others
            two more than the line itself.
    """
    text = as_lines(text)
    whole = "\n" not in text
    return text.moved("\n".join(
        _wrapped(each, indent if indent is not None else "" if whole else
                 " " * (len(each) - len(each.lstrip()) + 2)) for each in text.split("\n")))


def _wrapped(text: str, indent: str) -> str:
    width = prose_width()
    if len(text) <= width:
        return text
    # a path or an address stays in one piece, to be copied
    return textwrap.fill(text, width, subsequent_indent=indent, break_on_hyphens=False,
                         break_long_words=False)


def plus_minus() -> str:
    """'±' where standard output can show it, else '+-'."""
    return shown("±", "+-")


def table_text(table: Table, tablefmt: str, sign: str = "±") -> Text:
    """A table in one of tabulate's formats; `sign` stands for '±'."""
    return tables.render(table.headers, table.rows, tablefmt, plus_minus=sign)
