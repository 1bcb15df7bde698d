"""Sections of sentences and tables (`compare.document.sections`) as HTML."""

import re

from compare.document.markup import Html, element
from compare.document.sections import Section, Table
from compare.document.text import Tone, line

CLASSES = {Tone.GOOD: "good", Tone.BAD: "failed"}  # of the style sheet; other tones stand out


def content(part: Section, sortable: bool = True) -> list[Html]:
    """A section without its heading."""
    return [*map(paragraph, part.before),
            *([table(part.table, part.heading, sortable)] if part.table else []),
            *map(paragraph, part.after)]


def paragraph(text: str) -> Html:
    """A sentence; a text of several lines is a table already and keeps its lines."""
    said = [toned(*span) for span in line(text).spans]
    return element("pre", said, tabindex="0") if "\n" in text else element("p", said)


def toned(text: str, tone: Tone | None) -> str:
    """A piece of a sentence as its tone has it."""
    if tone is None:
        return text
    kind = CLASSES.get(tone)
    return element("span", text, class_=kind) if kind else element("strong", text)


def table(found: Table, name: str, sortable: bool = True) -> Html:
    """A table whose headers sort; it scrolls by itself where the page is narrow."""
    numbers = [all(map(numeric, column)) for column in zip(*found.rows)] or [False] * len(
        found.headers)
    kinds = ["number" if number else None for number in numbers]
    headers = [element("th", element("button", header or "what", type="button") if sortable
                       else header, scope="col", class_=kind,
                       aria_sort="none" if sortable else None)
               for header, kind in zip(found.headers, kinds)]
    lines = [element("tr", [element("th" if i == 0 else "td", cell, class_=kinds[i],
                                    scope="row" if i == 0 else None,
                                    data_key=sort_key(cell))
                            for i, cell in enumerate(row)]) for row in found.rows]
    return element("div", element("table", element("caption", name, class_="unseen"),
                                  element("thead", element("tr", headers)),
                                  element("tbody", lines), class_="sortable" if sortable else None),
                   class_="scroll", role="region", aria_label=name, tabindex="0")


def numeric(text: str) -> bool:
    """Whether a cell is a number, or the sign for none."""
    return bool(re.fullmatch(r"[-+<]?[\d,.]+(e[-+]?\d+)?( .*)?|-|", text))


def sort_key(text: str) -> str | None:
    """The number that a cell such as '187 [180-195]' starts with; None to sort it as it is."""
    found = re.match(r"([-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?)\s", text)
    return found[1].replace(",", "") if found else None
