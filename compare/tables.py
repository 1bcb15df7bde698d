"""The rows of a verdict as a table: numbers rounded to what is read, the rest left to `--wide`."""

import numpy as np
from tabulate import tabulate

from compare.row import Row

# title -> (text of a row, right-aligned)
COLUMNS = {
    "gate": (lambda row: row.gate, False),
    "layer": (lambda row: row.layer, False),
    "tensor": (lambda row: row.tensor, False),
    "max abs": (lambda row: number(row.max_abs), True),
    "max rel": (lambda row: number(row.max_rel), True),
    "at": (lambda row: " ".join(map(str, row.index)), True),
    "actual": (lambda row: number(row.actual, 9), True),
    "expected": (lambda row: number(row.expected, 9), True),
    "allowed": (lambda row: number(row.allowed), True),
    "used": (lambda row: percent(row.used), True),
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
NARROW = ("gate", "layer", "tensor", "max abs", "max rel", "at", "allowed", "used", "in chain",
          "integers", "verdict")


def render(shown: list[Row], rows: list[Row], tablefmt: str, wide: bool = False) -> str:
    """A table of the rows `shown`.

    Args:
        rows: all rows, among them the whole-number probes that the column 'integers' tells of.
        wide: all of `COLUMNS` in place of the few that fit a terminal.
    """
    probes = {row.name: row for row in rows if row.gate == "whole numbers"}
    titles = [title for title in COLUMNS if title != "in chain"] if wide else NARROW
    columns = {**COLUMNS, "integers": (lambda row: integers(row, probes), False)}
    body = [[columns[title][0](row) for title in titles] for row in shown]
    return tabulate(body, titles, tablefmt=tablefmt, disable_numparse=True,
                    colalign=["right" if columns[title][1] else "left" for title in titles])


def number(value: float | None, digits: int = 3) -> str:
    """That many significant digits; 0 stays 0, what is not known stays empty."""
    if value is None:
        return ""
    return "0" if value == 0 else f"{value:.{digits - 1}e}"


def percent(used: float) -> str:
    """A share of a bound: in per cent up to the whole of it, as a multiple beyond."""
    if np.isinf(used):
        return "inf"
    if used > 10:
        return f"{used:.1e}x"
    if used > 1:
        return f"{used:.2f}x"
    return f"{100 * used:.0f} %" if used > 0.1 or used == 0 else f"{100 * used:.2g} %"


def integers(row: Row, probes: dict) -> str:
    """How a tensor fared in its whole-number probe: equal, off, or not probed."""
    if row.gate not in ("forward", "backward") or row.name not in probes:
        return ""
    return "equal" if probes[row.name].passed else "OFF"


def verdict(row: Row) -> str:
    """passed, exact (no difference at all) or FAILED, and whose fault it is."""
    if row.passed:
        return "exact" if row.max_abs == 0 else "passed"
    text = "FAILED" if not row.downstream else "failed (downstream)"
    return text + (f": {row.off} off" if row.off else "")
