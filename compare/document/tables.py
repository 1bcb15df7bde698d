"""Tables in any of tabulate's formats: those for a terminal fit it, the others paste cleanly.

A table for a terminal is laid out here, columns of numbers aligned at the decimal point and long
texts on several lines, broken between words alone, and framed by tabulate. Formats that another
program reads (Markdown, LaTeX, HTML ...) keep each cell on one line, whatever its length, and have
what is special there escaped.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape

import tabulate as library

from compare.document.shortening import longest_word, shortened_column
from compare.document.terminal import terminal_width
from compare.document.text import Text, Tone, line, visible

TERMINAL = 0  # for a width: the terminal's own
NONE = "-"  # in a cell: there is no such figure
ON_TERMINAL = frozenset((
    "plain", "simple", "presto", "pretty", "psql", "grid", "simple_grid", "rounded_grid",
    "heavy_grid", "mixed_grid", "double_grid", "fancy_grid", "colon_grid", "outline",
    "simple_outline", "rounded_outline", "heavy_outline", "mixed_outline", "double_outline",
    "fancy_outline"))
MARKDOWN = frozenset(("github", "pipe"))
LATEX = frozenset(("latex", "latex_raw", "latex_booktabs", "latex_longtable"))

# what a column of numbers holds: '1.2e-07', '1,234', '0.891 ± 0.003', '8 of 9', '349 (91.4 %)'
NUMBER = re.compile(r"[-+<>]?\d[\d,]*(\.\d+)?(e[-+]\d+)?( ?%|x)?"
                    r"( (±|\+-) .*| of .*| \(.*\))?|-|inf|nan|")
BREAKS = re.compile(r"(?<=\s)")  # where a text may be broken; a name never is
NARROW = 8  # a column of texts is not made narrower
# stand for the letters of a tone where a table is drawn in tones (private use: nobody's letters)
MARKS = {tone: chr(0xE100 + i) for i, tone in enumerate(Tone)}


def render(headers: Sequence[str], rows: Sequence[Sequence[str]], tablefmt: str = "simple",
           numbers: Sequence[bool] | None = None, width: int | None = TERMINAL,
           plus_minus: str = "±") -> Text:
    """A table of texts; on a terminal their tones are kept.

    Args:
        headers, rows: texts. A line break in a heading is one on a terminal, else a space; in a
            cell it is shown escaped, as all that would hide there.
        numbers: for each column, whether it is aligned as numbers are; None: if all cells are.
        width: that a table for a terminal must fit: by default that of standard output, see
            `compare.document.terminal`; None for no limit.
        plus_minus: what stands for '±'.
    """
    headers = [visible(text, keep="\n") for text in headers]
    cells = [list(map(line, row)) for row in rows]
    if tablefmt not in LATEX:
        headers = [text.replace("±", plus_minus) for text in headers]
        cells = [[text.swapped("±", plus_minus) for text in row] for row in cells]
    if numbers is None:
        numbers = [bool(cells) and all(map(numeric, column)) for column in zip(*cells)]
    numbers = list(numbers) or [False] * len(headers)
    width = terminal_width() if width == TERMINAL else width
    return (framed(headers, cells, tablefmt, numbers, width) if tablefmt in ON_TERMINAL
            else Text([(pasted(headers, cells, tablefmt, numbers), None)]))


def numeric(text: str) -> bool:
    """Whether a cell is a number, with its uncertainty, or the sign for none."""
    return NUMBER.fullmatch(text) is not None


# On a terminal


def fits(headers: Sequence[str], rows: Sequence[Sequence[str]], tablefmt: str) -> bool:
    """Whether a table fits the terminal without a name that has to be shortened."""
    columns = [[line(row[i]) for row in rows] for i in range(len(headers))]
    return (sum(narrowest(headers, columns)) + overhead(tablefmt, len(headers))
            <= terminal_width())


def narrowest(headers: Sequence[str], columns: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column has to be for its longest word."""
    return [max(longest_word(text) for text in (header, *column, "x"))
            for header, column in zip(headers, columns)]


def framed(headers: Sequence[str], rows: list[list[Text]], tablefmt: str, numbers: list[bool],
           width: int | None) -> Text:
    """A table for a terminal, no wider than `width` where that can be had."""
    texts = [[row[i] for row in rows] for i in range(len(headers))]
    columns: list[list[str]] = [list(column) for column in texts]
    sizes: Sequence[int | None] = [None] * len(headers)
    if width is not None:
        room = width - overhead(tablefmt, len(headers))
        sizes = within = fitted(headers, texts, numbers, room)
        headers = [broken(text, size) for text, size in zip(headers, within)]
        texts = [column if number else shortened_column(column, size)
                 for column, size, number in zip(texts, within, numbers)]
        columns = [[on_lines(text, size) if length(text) > size else text for text in column]
                   for column, size in zip(texts, within)]
    laid = [laid_out(*each) for each in zip(headers, columns, numbers, sizes)]
    return with_tones(texts, laid, tablefmt)


def with_tones(texts: list[list[Text]], laid: list[list[str]], tablefmt: str) -> Text:
    """The table in its frame. Where the tones of its cells came to lie is seen by drawing it once
    more, with a mark in place of each letter that has a tone.

    Args:
        texts: column by column, the cells before they were laid out.
        laid: the same with its heading, laid out.
    """
    drawn = in_frame(laid, tablefmt)
    if not any(text.toned for column in texts for text in column):
        return Text([(drawn, None)])
    marked = [[column[0], *(marks(text, cell) for text, cell in zip(cells, column[1:]))]
              for cells, column in zip(texts, laid)]
    tones = {mark: tone for tone, mark in MARKS.items()}
    return Text((letter, tones.get(mark))
                for letter, mark in zip(drawn, in_frame(marked, tablefmt)))


def marks(text: Text, laid_out: str) -> str:
    """A cell as it is laid out, each letter with a tone replaced by the tone's mark."""
    if not text.toned:
        return "".join("x" if letter in MARKS.values() else letter for letter in laid_out)
    return "".join(letter if tone is None else MARKS[tone]
                   for letter, tone in text.moved(laid_out).letters())


def in_frame(laid: list[list[str]], tablefmt: str) -> str:
    """Columns that are laid out, heading first, as a table."""
    return tabulated([column[0] for column in laid],
                     list(zip(*(column[1:] for column in laid))), tablefmt, [None] * len(laid))


def on_lines(text: Text, size: int) -> str:
    """A cell on several lines, none of which can be taken for a command."""
    lines = broken(text, size)
    return lines if text.toned else visible(lines, keep="\n")


def length(text: str) -> int:
    """Of its longest line."""
    return max(map(len, text.split("\n")))


def overhead(tablefmt: str, columns: int) -> int:
    """What a format adds to the columns' own widths."""
    empty = tabulated(["x"] * columns, [["x"] * columns], tablefmt, [None] * columns)
    return max(map(len, empty.splitlines())) - columns


def fitted(headers: Sequence[str], columns: Sequence[Sequence[Text]], numbers: Sequence[bool],
           room: int) -> list[int]:
    """How wide each column may be: the widest are narrowed until all fit.

    First only as far as no word is too long for its column, then as far as words have to be
    shortened.
    """
    sizes = [natural(header, column, number)
             for header, column, number in zip(headers, columns, numbers)]
    gentle = narrowest(headers, columns)
    firm = [max(longest_word(text) for text in (*column, "x")) if number
            else min(size, NARROW) for column, size, number in zip(columns, sizes, numbers)]
    for least in (gentle, firm):
        while sum(sizes) > room:
            spare = [i for i, size in enumerate(sizes) if size > least[i]]
            if not spare:
                break
            sizes[max(spare, key=lambda i: sizes[i])] -= 1
    return sizes


def natural(header: str, column: Sequence[str], number: bool) -> int:
    """A column's width with every cell on one line."""
    cells = aligned(column) if number else column
    return max(map(length, (header, *cells)))


def broken(text: str, size: int) -> str:
    """A text on lines of at most `size`, broken between words, and within one only if it is longer
    than that; an indent is kept."""
    if length(text) <= size:
        return text
    lines = []
    for whole in text.split("\n"):
        indent = whole[:len(whole) - len(whole.lstrip())]
        begun, most = indent, max(size, len(indent) + 1)
        for piece in BREAKS.split(whole.lstrip()):
            if begun.strip() and length((begun + piece).rstrip()) > most:
                lines.append(begun.rstrip())
                begun = indent
            begun += piece
            while length(begun.rstrip()) > most:
                lines.append(begun[:most])
                begun = indent + begun[most:].lstrip()
        lines.append(begun.rstrip())
    return "\n".join(lines)


def laid_out(header: str, column: list[str], number: bool, most: int | None) -> list[str]:
    """Heading and cells, padded to one width; at the decimal point if `most` has room for it."""
    if number and not any("\n" in text for text in column):
        level = aligned(column)
        if most is None or max(map(length, level), default=0) <= most:
            column = level
    size = max(map(length, (header, *column)))
    return ["\n".join(padded(each, size, number) for each in text.split("\n"))
            for text in (header, *column)]


def padded(text: str, size: int, right: bool) -> str:
    return text.rjust(size) if right else text.ljust(size)


def aligned(column: Sequence[str]) -> list[str]:
    """Numbers with their units below one another: padded behind."""
    behind = [length(re.sub(r"^[-+<>]?[\d,]*", "", text))
              if numeric(text) and re.search(r"\d", text) else 0 for text in column]
    most = max(behind, default=0)
    return [text + " " * (most - after) if text and text not in ("inf", "nan") else text
            for text, after in zip(column, behind)]


# For other programs


def pasted(headers: Sequence[str], rows: Sequence[Sequence[str]], tablefmt: str,
           numbers: list[bool]) -> str:
    """A table for a paper, a README or a page: one line for each row, specials escaped."""
    headers, *rows = ([" ".join(text.split()) for text in row] for row in (headers, *rows))
    if tablefmt in MARKDOWN:
        headers, *rows = (list(map(markdown, row)) for row in (headers, *rows))
        tablefmt = "pipe"  # GitHub reads it as well, and is told how to align
    elif tablefmt == "unsafehtml":
        headers, *rows = ([escape(text, quote=False) for text in row] for row in (headers, *rows))
    elif tablefmt in LATEX:
        rows = [["--" if text == NONE else text for text in row] for row in rows]
        if tablefmt == "latex_raw":  # which leaves escaping to its users
            headers, *rows = (list(map(latex_escaped, row)) for row in (headers, *rows))
    text = tabulated(headers, rows, tablefmt,
                     ["right" if number else "left" for number in numbers])
    return latex_numbers(text) if tablefmt in LATEX else text


def markdown(text: str) -> str:
    """With a backslash before what GitHub would not show as it is; within a name '_' is safe."""
    text = re.sub(r"[\\`*|]|<(?=[A-Za-z/!?])|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)
    return text.replace("~", r"\~") if text.count("~") > 1 else text


def latex_escaped(text: str) -> str:
    """As tabulate does it for its other LaTeX formats."""
    return "".join(library.LATEX_ESCAPE_RULES.get(letter, letter) for letter in text)


def latex_numbers(text: str) -> str:
    """A table in LaTeX with its numbers as mathematics: minus signs, powers of ten, ±."""
    text = text.replace("±", r"$\pm$")
    text = re.sub(r"(?<![\w.\\-])([-+]?)(\d[\d,]*(?:\.\d+)?)e([-+])0*(\d+)(?![\w.])",
                  lambda m: rf"${m[1]}{m[2]}\times10^{{{m[3].strip('+')}{m[4]}}}$", text)
    text = re.sub(r"(?<![\w$.{}^-])-(?=\d)", "$-$", text)
    # behind the \\ of the row before, these would be taken for its argument
    return re.sub(r"(?m)^(\s*)(?=[\[*])", r"\1{}", text)


# Of all formats


def tabulated(headers: Sequence[str], rows: Sequence[Sequence[str]], tablefmt: str,
              aligns: Sequence[str | None]) -> str:
    """tabulate's own table; texts stay as they are, trailing zeros included."""
    with no_wider_than_headings():
        return str(library.tabulate(rows, headers, tablefmt=tablefmt, disable_numparse=True,
                                    colalign=aligns if rows else None))


@contextmanager
def no_wider_than_headings() -> Iterator[None]:
    """tabulate makes each column two wider than its heading, beyond what separates columns."""
    before, library.MIN_PADDING = library.MIN_PADDING, 0
    try:
        yield
    finally:
        library.MIN_PADDING = before
