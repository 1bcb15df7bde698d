"""Fragments of HTML for notebooks: no script, and a style that keeps to itself."""

from compare.checks.gate import Gate
from compare.document.charts.drawing import gradients
from compare.document.display import as_html
from compare.document.html import sections as text
from compare.document.html.page import mark
from compare.document.markup import Html, element
from compare.report.page_heatmaps import heatmaps
from compare.report.report import MEASURED, Report
from compare.report.row_table import allowed, number, percent, share, verdict
from compare.tracing.trace import Trace

# Colours come from the notebook; signs and words say what is good and what is bad.
STYLE = """
.keras-parity{font-family:system-ui,sans-serif;line-height:1.45;max-width:64rem}
.keras-parity .verdict{border-left:5px solid #888;padding:.4em .8em;font-weight:600}
.keras-parity .verdict.good{border-color:#10856a}.keras-parity .verdict.bad{border-color:#d55e00}
.keras-parity table{border-collapse:collapse;font-size:.92em;margin:.4em 0}
.keras-parity th,.keras-parity td{text-align:left;padding:.15em .6em;border-bottom:1px solid #8885}
.keras-parity .number{text-align:right;font-variant-numeric:tabular-nums}
.keras-parity .quiet{opacity:.75;font-size:.9em}
.keras-parity .pictures{display:flex;flex-wrap:wrap;gap:1em;align-items:flex-end}
.keras-parity svg{max-width:100%;height:auto}
.keras-parity svg text{fill:currentColor;font-size:13px}
.keras-parity .heading{font-weight:600}.keras-parity .pixels{image-rendering:pixelated}
.keras-parity .mark{fill:none;stroke:#e0007f;stroke-width:2}
.keras-parity .unseen{position:absolute;width:0;height:0}
"""
ROWS = ("gate", "layer", "tensor", "error", "allowed", "used", "verdict")


def fragment(*children) -> str:
    """A piece of a notebook with its style and the colours of its pictures' legends."""
    return element("div", element("style", Html(STYLE)),
                   element("svg", gradients(), class_="unseen", aria_hidden="true"), children,
                   class_="keras-parity")


def table(headers, rows, numbers: tuple[int, ...]) -> Html:
    """A table of texts; the columns in `numbers` are aligned to the right."""
    kinds = ["number" if i in numbers else None for i in range(len(headers))]
    return element("table", element("thead", element("tr", [
        element("th", title, class_=kind) for title, kind in zip(headers, kinds)])),
        element("tbody", [element("tr", [element("td", cell, class_=kind)
                                         for cell, kind in zip(row, kinds)]) for row in rows]))


def folded(title: str, *children, opened: bool = False) -> Html:
    """Something that opens."""
    return element("details", element("summary", title), children, open=opened)


@as_html.register
def report_fragment(report: Report) -> str:
    """The verdict, the first failure as pictures, the gates, and the rows, which open."""
    kind, sign, word = mark(bool(report))
    failure = report.first_failure
    cause = report.cause
    shown = [row for row in report.rows if not row.passed
             or row.gate in (*MEASURED, Gate.UPDATE, Gate.INFERENCE)]
    rows = [(row.gate, row.layer, row.tensor, number(row.error), allowed(row),
             percent(share(row)), verdict(row)) for row in shown]
    return fragment(
        element("p", f"{sign} {report.summary()}", class_=f"verdict {kind}"),
        element("p", f"{report.candidate} (candidate) against {report.reference} (reference), "
                f"{report.dtype}, batch of {report.batch}. {report.gates()}.", class_="quiet"),
        heatmaps(failure.excerpt, failure.name) if failure and failure.excerpt else None,
        element("p", element("b", "What is wrong: "), cause.sentence, ". ", cause.remedy)
        if cause is not None else None,
        folded(f"{len(shown)} rows", table(ROWS, rows, (3, 4, 5)), opened=not report),
        folded("What this batch could not have shown", element("pre", report.blindness())))


@as_html.register
def trace_fragment(trace: Trace) -> str:
    """Who recorded what, and every tensor with its shape and range."""
    loss = "" if trace.loss is None else f", loss {float(trace.loss):.6g}"
    rows = [(name, " × ".join(map(str, array.shape)), *(number(edge) for edge in edges(array)))
            for name, array in trace.tensors().items()]
    return fragment(element("p", f"Trace of {trace.producer}, {trace.dtype}, batch of "
                            f"{len(trace.x)}{loss}", class_="verdict"),
                    folded(f"{len(rows)} tensors", table(("tensor", "shape", "least", "largest"),
                                                         rows, (2, 3)), opened=True))


def edges(array) -> tuple:
    """The least and the largest value; None for an array without any."""
    return (float(array.min()), float(array.max())) if array.size else (None, None)


def sections_fragment(parts, passed: bool | None = None) -> str:
    """A report that is made of sections (`compare.document.sections`): the first one's sentences on
    top."""
    kind, sign, _ = mark(passed)
    first, *others = parts
    return fragment(element("p", f"{sign} {first.heading}".strip(), class_=f"verdict {kind}"),
                    text.content(first, sortable=False),
                    [folded(part.heading, text.content(part, sortable=False), opened=i == 0)
                     for i, part in enumerate(others)])
