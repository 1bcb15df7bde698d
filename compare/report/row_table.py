"""The rows of a verdict as a table: numbers rounded to what is read, the rest left to `--wide`."""

import numpy as np

from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.document import tables
from compare.document.text import Text, bad, good, line, warning

# title -> (text of a row, right-aligned)
COLUMNS = {
    "gate": (lambda row: row.gate, False),
    "layer": (lambda row: row.layer, False),
    "tensor": (lambda row: row.tensor, False),
    "max abs": (lambda row: number(row.max_abs), True),
    "max rel": (lambda row: number(row.max_rel), True),
    "at": (lambda row: place(row), True),
    "actual": (lambda row: number(row.actual, 9), True),
    "expected": (lambda row: number(row.expected, 9), True),
    "error": (lambda row: number(row.error), True),
    "allowed": (lambda row: allowed(row), True),
    "used": (lambda row: percent(share(row)), True),
    "sqrt(n)": (lambda row: percent(row.likely), True),
    "over": (lambda row: f"{row.over}/{row.size}", True),
    "candidate err": (lambda row: number(row.candidate_error), True),
    "reference err": (lambda row: number(row.reference_error), True),
    "inherited": (lambda row: number(row.inherited), True),
    "+ local": (lambda row: number(row.local), True),
    "= observed": (lambda row: number(row.observed), True),
    "in chain": (lambda row: number(None if row.observed is None else abs(row.observed)), True),
    "bound": (lambda row: row.kind, False),
    "verdict": (lambda row: verdict(row), False),
    "note": (lambda row: row.note, False),
}
JOINED = "\ue000"  # stands for a space at which the table must not break
SHORT = 10  # an index of so many characters stays on one line
READING = ("Each row shows its worst number, the one at `where`: `error` is how far it is from the "
           "exact result, on whichever side is worse, `allowed` how far rounding alone may take "
           "it, `used` the first as a share of the second. Where nothing is allowed, not one bit "
           "may differ.")


def render(shown: list[Row], rows: list[Row], tablefmt: str, wide: bool = False) -> Text:
    """A table of the rows `shown`.

    Args:
        rows: all rows, among them the whole-number probes that the column 'integers' tells of.
        wide: all of `COLUMNS` in place of the few that fit a terminal.
    """
    if wide:
        return every_figure(shown, rows, tablefmt)
    terminal = tablefmt in tables.ON_TERMINAL
    headers = ["layer", "tensor", "error", "allowed", "used\n(%)", "where", "verdict"]
    numbers = [False, False, True, True, True, False, False]
    if not terminal:  # other programs want each row to stand alone, and have room
        return tables.render(["gate", *headers], [[row.gate, *cells(row, 3), verdict(row)]
                                                  for row in shown], tablefmt, [False, *numbers])
    grouped = by_gate(shown)
    if not tables.fits(headers, grouped, tablefmt):
        headers, numbers = ["layer, tensor", *headers[2:]], numbers[1:]
        grouped = by_layer(shown)
    return tables.render(headers, grouped, tablefmt, numbers).swapped(JOINED, " ")


def by_gate(shown: list[Row]) -> list[list[str]]:
    """The cells of the rows, below a line for each gate."""
    lines: list[list[str]] = []
    gate = None
    for row in shown:
        first, tensor, *others = cells(row, 2)
        if row.gate != gate:
            gate = row.gate
            lines.append([gate.replace(" ", JOINED), *[""] * (len(others) + 2)])
        lines.append([f"  {first}", tensor, *others, outcome(row)])
    return lines


def by_layer(shown: list[Row]) -> list[list[str]]:
    """The same with each tensor below its layer, so that long names have one column to share."""
    lines: list[list[str]] = []
    gate = layer = None
    for row in shown:
        first, tensor, *others, where = cells(row, 2)
        others.append(where.replace(" ", JOINED) if len(where) <= SHORT else where)
        if row.gate != gate:
            gate, layer = row.gate, None
            lines.append([gate.replace(" ", JOINED), *[""] * (len(others) + 1)])
        if row.layer != layer and first:
            layer = row.layer
            lines.append([f"  {first}", *[""] * (len(others) + 1)])
        lines.append([f"{'    ' if first else '  '}{tensor}", *others, outcome(row)])
    return lines


def cells(row: Row, digits: int) -> list[str]:
    """What both kinds of the narrow table have in common."""
    return [row.layer, row.tensor, number(row.error, digits), allowed(row, digits),
            hundredths(share(row)), place(row)]


def every_figure(shown: list[Row], rows: list[Row], tablefmt: str) -> Text:
    """All columns, as wide as they are."""
    probes = {row.name: row for row in rows if row.gate is Gate.WHOLE_NUMBERS}
    columns = {**COLUMNS, "integers": (lambda row: integers(row, probes), False)}
    titles = [title for title in COLUMNS if title not in ("verdict", "note")]
    titles += ["integers", "verdict", "note"]
    body = [[columns[title][0](row) for title in titles] for row in shown]
    return tables.render(titles, body, tablefmt, [columns[title][1] for title in titles],
                         width=None)


def place(row: Row) -> str:
    """The index of the worst element."""
    return " ".join(map(str, row.index))


def allowed(row: Row, digits: int = 3) -> str:
    """What the worst element may be off; nothing where no single element is judged."""
    return "" if row.error is None else number(row.allowed, digits)


def share(row: Row) -> float | None:
    """The share of its bound that was used, None where the bound is 0."""
    return None if row.kind == "exact" else row.used


def number(value: float | None, digits: int = 3) -> str:
    """That many significant digits; 0 stays 0, what is not known stays empty."""
    if value is None:
        return ""
    return "0" if value == 0 else f"{value:.{digits - 1}e}"


def percent(used: float | None) -> str:
    """A share of a bound: in per cent up to the whole of it, as a multiple beyond; nothing for
    None."""
    if used is None:
        return ""
    if np.isinf(used):
        return "inf"
    if used > 10:
        return f"{used:.1e}x"
    if used > 1:
        return f"{used:.2f}x"
    return f"{100 * used:.0f} %" if used > 0.1 or used == 0 else f"{100 * used:.2g} %"


def hundredths(used: float | None) -> str:
    """A share of a bound in per cent, without the sign: for a column whose heading has it."""
    if used is None:
        return ""
    cent = 100 * used
    if not np.isfinite(cent) or cent >= 9999.5:
        return f"{cent:.1e}"
    if used > 1 and cent < 100.5:
        return ">100"
    if 0 < cent < 0.095:
        return "<0.1"
    return f"{cent:.0f}" if cent >= 9.95 or cent == 0 else f"{cent:.1f}"


def integers(row: Row, probes: dict) -> str:
    """How a tensor fared in its whole-number probe: equal, off, or not probed."""
    if row.gate not in (Gate.FORWARD, Gate.BACKWARD) or row.name not in probes:
        return ""
    return "equal" if probes[row.name].passed else "OFF"


def word(row: Row) -> Text:
    """The word of a verdict: passed, equal (both sides' numbers), not judged, FAILED or, behind a
    failure that explains it, failed."""
    if not row.judged:
        return warning("not judged")
    if row.passed:
        return good("equal" if row.max_abs == 0 else "passed")
    return bad("failed" if row.downstream else "FAILED")


def verdict(row: Row) -> Text:
    """The word, and whose fault it is."""
    behind = " (downstream)" if row.downstream and not row.passed else ""
    return line(word(row), behind, f": {row.off} off" if row.off and not row.passed else "")


def outcome(row: Row) -> Text:
    """As `verdict`, but short: 'FAILED: candidate', 'failed: downstream'."""
    why = "" if row.passed else "downstream" if row.downstream else row.off
    return line(word(row), f": {why}" if why else "")
