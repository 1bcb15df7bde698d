"""The rows of a verdict as a table that sorts and filters, and whose rows open."""

import math

from compare.checks.excerpt import Excerpt
from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.document.markup import Html, breakable, element, join
from compare.report.page_heatmaps import heatmaps
from compare.report.page_network import percent_of
from compare.report.row_table import COLUMNS, allowed, integers, number, percent, share, verdict

MAIN = (Gate.FORWARD, Gate.LOSS, Gate.BACKWARD, Gate.UPDATE, Gate.INFERENCE, Gate.WHOLE_NETWORK)
POINTS = 600_000  # in all rows' pictures together, of each kind: some 2 MB of the file at worst
OPEN = 20  # failures that are open from the start
# title -> (class of the style sheet: what may be left out on a narrow screen)
HEADERS = {"tensor": "", "gate": "middle", "error": "middle", "allowed": "wide",
           "used": "", "in chain": "wide", "integers": "wide", "verdict": ""}
DETAILS = ("gate", "max abs", "max rel", "at", "actual", "expected", "error", "allowed", "used",
           "sqrt(n)", "over", "candidate err", "reference err", "inherited", "+ local",
           "= observed", "bound")


def table(rows: list[Row], describe) -> Html:
    """Controls and table.

    Args:
        describe: what is wrong with a row, in a sentence.
    """
    probes = {row.name: row for row in rows if row.gate is Gate.WHOLE_NUMBERS}
    drawn = pictured(rows)
    headers = [element("th", element("button", title, type="button"), scope="col",
                       class_=kind or None, aria_sort="none")
               for title, kind in HEADERS.items()]
    wrong = [i for i, row in enumerate(rows) if not row.passed and not row.downstream]
    opened = set(wrong[:OPEN])
    bodies = [body(i, row, probes, i in drawn, i in opened, describe)
              for i, row in enumerate(rows)]
    caption = element("caption", "One row for each tensor and gate; press a tensor's name to see "
                      "its numbers.", class_="unseen")
    return join([controls(rows),
                 element("div", element("table", caption, element("thead", element("tr", headers)),
                                        bodies, id="rows", class_="sortable rows"),
                         class_="scroll", role="region", aria_label="Rows", tabindex="0"),
                 element("button", "Show more", type="button", id="more", hidden=True)])


def pictured(rows: list[Row]) -> set[int]:
    """Which rows get pictures: failures, then layers, loss and update, then the others, as long as
    there is room."""
    ranks = sorted(range(len(rows)), key=lambda i: (rows[i].passed, rows[i].gate not in MAIN))
    chosen, room = set(), POINTS
    for i in ranks:
        excerpt = rows[i].excerpt
        if excerpt is not None and excerpt.actual.size <= room:
            chosen.add(i)
            room -= excerpt.actual.size
    return chosen


def controls(rows: list[Row]) -> Html:
    """A field to find a layer, a choice of gates, and buttons for all rows at once."""
    gates = [gate for gate in Gate if any(row.gate == gate for row in rows)]
    options = [element("option", "layers, loss and update, and failures", value="main"),
               element("option", "failures alone", value="failed"),
               element("option", "all gates", value="all"),
               *(element("option", f"gate: {gate}", value=gate) for gate in gates)]
    return element(
        "form",
        element("label", "Find a layer or tensor ",
                element("input", type="search", id="filter", placeholder="conv2d",
                        autocomplete="off")),
        element("label", "Show ", element("select", options, id="show")),
        element("button", "Open all", type="button", id="open-all"),
        element("output", "", id="count", for_="filter show"),
        class_="controls", role="search", aria_label="Rows")


def body(i: int, row: Row, probes: dict, draw: bool, opens: bool, describe) -> Html:
    """Two lines of the table: the row, and what opens below it.

    What is closed stands in a `noscript`: where scripts run, a browser reads that as one piece of
    text, which the script makes elements of once the row is opened. A page of thousands of rows
    opens quickly so.
    """
    used = math.inf if math.isnan(row.used) else row.used
    cells = {
        "tensor": element("button", breakable(row.name or "network"), type="button", class_="open",
                          aria_expanded="true" if opens else "false", aria_controls=f"row-{i}"),
        "gate": row.gate, "error": number(row.error), "allowed": allowed(row),
        "used": "" if share(row) is None else bar(row),
        "in chain": number(None if row.observed is None else abs(row.observed)),
        "integers": integers(row, probes),
        "verdict": element("span", verdict(row), class_="good" if row.passed else "failed"),
    }
    keys = {"error": row.error, "allowed": row.allowed, "used": used,
            "in chain": None if row.observed is None else abs(row.observed),
            "gate": row.gate.order, "tensor": row.name}
    line = [element("td" if title != "tensor" else "th", cells[title],
                    class_=" ".join(filter(None, (kind, "number" if title in COLUMNS
                                                  and COLUMNS[title][1] else ""))) or None,
                    scope="row" if title == "tensor" else None,
                    data_key=sort_key(keys[title]) if title in keys else None)
            for title, kind in HEADERS.items()]
    said = details(row, draw, describe)
    detail = element("td", said if opens else element("noscript", said), colspan=len(HEADERS))
    return element("tbody", element("tr", line),
                   element("tr", detail, id=f"row-{i}", class_="detail", hidden=not opens),
                   data_layer=row.layer.split("/")[0], data_gate=row.gate,
                   data_main="yes" if row.gate in MAIN else None,
                   data_failed=None if row.passed else "yes")


def bar(row: Row) -> Html:
    """The share of the bound that was used, as a number and as a bar."""
    return element("span", element("span", class_="fill" if row.passed else "fill over",
                                   style=f"width:{percent_of(row.used):.1f}%"),
                   element("span", percent(row.used), class_="on"), class_="bar-cell")


def sort_key(value) -> str:
    """What the script sorts by; nothing for what is not known."""
    return "" if value is None else "Infinity" if value == math.inf else str(value)


def details(row: Row, draw: bool, describe) -> Html:
    """What opens: a sentence, the pictures, the worst elements, and every figure of the row."""
    figures = [(title, COLUMNS[title][0](row)) for title in DETAILS]
    said = [element("p", describe(row), class_="failed")] if not row.passed else []
    if row.passed and row.note:
        said.append(element("p", row.note))
    if row.excerpt is not None:
        said.append(heatmaps(row.excerpt, row.name) if draw else
                    element("p", "Not drawn, to keep the file small.", class_="quiet"))
        said.append(worst(row.excerpt, row.name))
    said.append(element("dl", [element("div", element("dt", title), element("dd", text))
                               for title, text in figures if text], class_="figures"))
    return element("div", said, class_="inside")


def worst(excerpt: Excerpt, name: str) -> Html:
    """The worst elements, one to a line."""
    headers = ("at", "expected", "actual", "difference", "allowed", "used")
    lines = [element("tr", element("td", " ".join(map(str, each.index)) or "the number"),
                     [element("td", text, class_="number") for text in
                      (number(each.expected, 9), number(each.actual, 9),
                       number(each.actual - each.expected), number(each.allowed),
                       percent(each.used))])
             for each in excerpt.worst]
    return element("div", element("table", element("caption", "Worst elements"),
                                  element("thead", element("tr", [
                                      element("th", title, scope="col",
                                              class_="number" if title != "at" else None)
                                      for title in headers])),
                                  element("tbody", lines), class_="worst"),
                   class_="scroll", role="region", aria_label=f"Worst elements of {name}",
                   tabindex="0")
