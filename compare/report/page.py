"""The page of `parity check` and `parity debug`."""

import re

from compare.checks.excerpt import Excerpt
from compare.checks.gate import Gate
from compare.diagnosis.finding import Finding
from compare.document.html.page import Part, page
from compare.document.markup import Html, element
from compare.report.page_heatmaps import heatmaps
from compare.report.page_network import drawing
from compare.report.page_rows import table
from compare.report.report import Report, describe


def report_page(report: Report, about: str, facts: dict[str, str], smallest: str = "",
                pictured: Excerpt | None = None) -> str:
    """A whole page on one report.

    Args:
        about: what was checked on what.
        facts: machine, versions, command, by name.
        smallest: what `parity debug` found, as text.
        pictured: the result of that case, for a picture of it.
    """
    parts = parts_of(report, smallest, pictured)
    return page(about.splitlines()[0], bool(report), verdict(report), parts,
                {**facts, "candidate": report.candidate, "reference": report.reference},
                lead(report, about.splitlines()[1:]))


def verdict(report: Report) -> str:
    """The outcome in one sentence."""
    if report.first_failure is None:
        return first_sentence(report)[0]
    return f"Parity does not hold: {failed(report)}."


def failed(report: Report) -> str:
    """How many rows fail, and which is the first, for the end of a sentence."""
    first, count = report.first_failure, sum(not row.passed for row in report.rows)
    assert first is not None  # asked of a check that failed alone
    what = first.tensor.replace("_", " ")
    where = f"the {what} of {first.layer}" if first.layer else f"the network's {what}"
    return f"{count} of {len(report.rows)} rows fail, first {where} at gate '{first.gate}'"


def first_sentence(report: Report) -> tuple[str, str]:
    """The summary's first sentence, and the others."""
    first, _, others = re.sub(r"(?<=\.)\s+(?=[A-Z])", "\n", report.summary(), count=1).partition(
        "\n")
    return first, others


def lead(report: Report, remarks: list[str]) -> Html:
    """How far off it is, what was compared, in a line, and the gates."""
    title = (f"{report.candidate} (candidate) against {report.reference} (reference), "
             f"{report.dtype}, batch of {report.batch}.")
    more = first_sentence(report)[1]
    said = more, title, *remarks, *report.notes
    return element("div", [element("p", text) for text in said if text],
                   gates(report))


def parts_of(report: Report, smallest: str = "", pictured: Excerpt | None = None) -> list[Part]:
    """The sections on a report: also part of a benchmark's page.

    Args:
        smallest: the smallest case that fails, as text.
        pictured: its result, for a picture of it.
    """
    parts = []
    found = report.diagnosis
    if found:
        parts.append(Part("diagnosis", "What is wrong", [findings(found)]))
    if smallest:
        parts.append(Part("smallest", "The smallest case that fails",
                          [*([heatmaps(pictured, "of the smallest case")] if pictured else []),
                           element("pre", smallest, tabindex="0")]))
    if report.layers:
        parts.append(Part("network", "The network", [drawing(report.layers, report.rows)]))
    return [*parts,
            Part("rows-of-tensors", "Tensor by tensor", [reading(), table(report.rows, describe)]),
            Part("blindness", "What this could not have shown", blindness(report))]


def findings(found: list[Finding]) -> Html:
    """Each finding of the diagnosis: the mistake, the evidence, and what to change."""
    return element("ul", [element(
        "li", element("b", f"{each.layer} {each.tensor}"), ": ", each.sentence, ".",
        element("br"), element("span", f"Evidence: {each.evidence}.", class_="quiet"),
        element("br"), f"Remedy: {each.remedy}") for each in found])


def gates(report: Report) -> Html:
    """How many rows of every gate passed, one chip each."""
    chips = []
    for gate in Gate:
        rows = [row for row in report.rows if row.gate == gate]
        if rows:
            passed = sum(row.passed and row.judged for row in rows)
            good = all(row.passed for row in rows)
            sign = element("span", "✓ " if good else "✗ ", aria_hidden="true")
            left = sum(not row.judged for row in rows)
            more = f", {left} not judged" if left else ""
            chips.append(element("li", sign, f"{gate} {passed}/{len(rows)}{more}",
                                 class_="good" if good else "failed", title=gate.sentence))
    return element("ul", chips, class_="chips", aria_label="Rows that passed, by gate")


def reading() -> Html:
    """How a row is to be read."""
    return element("p", "Each row shows its worst number: error is how far it is from the exact "
                   "result, on whichever side is worse, allowed how far rounding alone may take "
                   "it, used the first as a share of the second. Where nothing is allowed, not one "
                   "bit may differ. in chain is the largest difference between the two networks "
                   "running freely, other layers' rounding included. An update, a single rounding, "
                   "nearly fills its bound on every machine.", class_="quiet")


def blindness(report: Report) -> list[Html]:
    """What the numbers of the batch would have hidden, and where a NaN or infinity arose."""
    said = [element("p", f"First NaN or infinity of the {origin}") for origin in report.nonfinite]
    probed = {row.gate for row in report.rows}
    groups = (("Nothing here could have shown:",
               [spot for spot in report.blind if spot.seen_by not in probed]),
              ("This batch alone could not have shown; numbers drawn for it were run besides:",
               [spot for spot in report.blind if spot.seen_by in probed]))
    for heading, spots in groups:
        if spots:
            said += [element("p", heading),
                     element("ul", [element("li", str(spot)) for spot in spots])]
    return said or [element("p", "This batch hides no class of mistakes that is known.")]
