"""Reports as text: sections of sentences and tables, for the terminal or as Markdown."""

import textwrap
from dataclasses import dataclass, field

from tabulate import tabulate

WIDTH = 88
# formats that show a heading on two lines as one heading; markup would make two rows of it
TWO_LINE_FORMATS = {"plain", "simple", "psql", "pretty", "grid", "simple_grid", "rounded_grid",
                    "heavy_grid", "mixed_grid", "double_grid", "fancy_grid"}


@dataclass
class Table:
    """Texts. A heading may contain a line break, for the formats that can show it."""

    headers: list[str]
    rows: list[list[str]]


@dataclass
class Section:
    """A heading, sentences before the table, the table, and sentences after it.

    A text of several lines is a table already: it is shown as it is.
    """

    heading: str
    before: list[str] = field(default_factory=list)
    table: Table | None = None
    after: list[str] = field(default_factory=list)


def render(sections: list[Section], tablefmt: str = "simple") -> str:
    """The sections for a terminal, tables in any of tabulate's formats."""
    lines = []
    for part in sections:
        lines += [part.heading, ("=" if not lines else "-") * min(WIDTH, len(part.heading))]
        lines += [wrapped(text) for text in part.before]
        if part.table:
            lines += ["", table_text(part.table, tablefmt)]
        if part.after:
            lines += ["", *(wrapped(text) for text in part.after)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def markdown(sections: list[Section], pictures: dict[str, str]) -> str:
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


def wrapped(text: str) -> str:
    """A sentence broken into lines; what has its own lines keeps them."""
    return text if "\n" in text else textwrap.fill(text, WIDTH, break_on_hyphens=False)


def table_text(table: Table, tablefmt: str) -> str:
    """A table in one of tabulate's formats; headings on two lines where the format has them."""
    headers = table.headers
    if tablefmt not in TWO_LINE_FORMATS:
        headers = [header.replace("\n", " ") for header in headers]
    # numbers are rounded already; tabulate would drop their trailing zeros
    return tabulate(table.rows, headers, tablefmt=tablefmt, disable_numparse=True,
                    colalign=["left"] + ["right"] * (len(headers) - 1))
