"""A report as JUnit's XML, which every service for continuing integration can show.

One test suite for each gate, one test case for each row. A number over its bound is a failure; an
error is what gave no verdict, because somebody's layer raised one or no bound holds for its
numbers. What is not checked is skipped.
"""

import re
from xml.etree import ElementTree

from compare.checks.gate import Gate
from compare.document.text import visible
from compare.report.report import Report, describe
from compare.report.row_table import percent

# what XML 1.0 cannot hold at all, not even escaped (section 2.2)
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report, name: str = "parity") -> str:
    """The XML text.

    Args:
        name: of all suites together, such as the model's; also part of each case's class name.
    """
    open_ = len(report.not_checked)
    root = ElementTree.Element("testsuites", {**counts(report.rows, open_), "name": clean(name),
                                              **taking(report.seconds)})
    for gate in Gate:
        rows = [row for row in report.rows if row.gate == gate]
        if rows:
            suite = ElementTree.SubElement(root, "testsuite", {
                **counts(rows), "name": gate, **taking(report.gate_seconds.get(gate))})
            for row in rows:
                add_case(suite, row, class_name(name, row.gate))
    if report.not_checked:
        suite = ElementTree.SubElement(root, "testsuite", {**counts([], open_),
                                                           "name": "not checked"})
        for what in map(clean, report.not_checked):
            case = ElementTree.SubElement(suite, "testcase", {
                "classname": class_name(name, "not checked"), "name": what})
            ElementTree.SubElement(case, "skipped", {"type": "not known", "message": what})
    return text_of(root)


def text_of(root) -> str:
    """An element as a file holds it."""
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(
        root, encoding="unicode") + "\n"


def junit_error(message: str, name: str | None = None) -> str:
    """The XML text of a run that ended without a verdict.

    Args:
        message: what kept it from one.
        name: the model's, if it is known.
    """
    about = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    root = ElementTree.Element("testsuites", {**about, "name": clean(name or "parity")})
    suite = ElementTree.SubElement(root, "testsuite", {**about, "name": "verdict"})
    case = ElementTree.SubElement(suite, "testcase", {
        "classname": class_name(name or "parity", "verdict"), "name": "verdict"})
    error = ElementTree.SubElement(case, "error", {"type": "no verdict", "message": clean(message)})
    error.text = clean(message)
    return text_of(root)


def class_name(name: str, gate: str) -> str:
    """What services sort cases by: the model and the gate, with a dot for each level alone."""
    parts = ["parity", *([] if name == "parity" else [name]), gate]
    return clean(".".join(re.sub(r"[.\s]+", "_", part.strip()) for part in parts))


def taking(seconds: float | None) -> dict[str, str]:
    """The attribute for how long something took, if that is known."""
    return {} if seconds is None else {"time": f"{seconds:.3f}"}


def add_case(suite, row, class_: str) -> None:
    """One row; a failure says what is wrong, and whether an earlier one explains it."""
    case = ElementTree.SubElement(suite, "testcase", {
        "classname": class_, "name": clean(row.name or row.gate)})
    if row.stopped:
        text = clean(describe(row))
        ElementTree.SubElement(case, "error", {"type": "raised", "message": text}).text = text
    elif not row.passed:
        kind = "downstream of an earlier failure" if row.downstream else "parity"
        text = clean(describe(row))
        failure = ElementTree.SubElement(case, "failure", {"type": kind, "message": text})
        failure.text = text
    elif not row.judged:
        kind = "error" if row.decides else "skipped"
        text = clean(row.note)
        ElementTree.SubElement(case, kind, {"type": "not judged", "message": text}).text = text
    elif row.size:
        ElementTree.SubElement(case, "system-out").text = (
            f"{percent(row.used)} of the bound used; {row.size} elements")


def counts(rows, not_checked: int = 0) -> dict[str, str]:
    """The attributes that say how many there are, and how many failed.

    Args:
        not_checked: how many things beside the rows there is nothing to say about.
    """
    skipped = not_checked + sum(not row.judged and not row.decides for row in rows)
    return {"tests": str(len(rows) + not_checked),
            "failures": str(sum(not row.passed and not row.stopped for row in rows)),
            "errors": str(sum(row.stopped or not row.judged and row.decides for row in rows)),
            "skipped": str(skipped)}


def clean(text: str) -> str:
    """With what would hide shown escaped, and without characters that XML does not have."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", visible(text, keep="\n"))
