"""A report as JUnit's XML, which every service for continuing integration can show.

One test suite for each gate, one test case for each row; what is not checked is skipped.
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
        name: of all suites together, such as the model's.
    """
    open_ = len(report.not_checked)
    root = ElementTree.Element("testsuites", {**counts(report.rows, open_), "name": clean(name)})
    for gate in Gate:
        rows = [row for row in report.rows if row.gate == gate]
        if rows:
            suite = ElementTree.SubElement(root, "testsuite", {**counts(rows), "name": gate})
            for row in rows:
                add_case(suite, row)
    if report.not_checked:
        suite = ElementTree.SubElement(root, "testsuite", {**counts([], open_),
                                                           "name": "not checked"})
        for what in map(clean, report.not_checked):
            case = ElementTree.SubElement(suite, "testcase", {
                "classname": "parity.not_checked", "name": what})
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
    case = ElementTree.SubElement(suite, "testcase", {"classname": "parity", "name": "verdict"})
    error = ElementTree.SubElement(case, "error", {"type": "no verdict", "message": clean(message)})
    error.text = clean(message)
    return text_of(root)


def add_case(suite, row) -> None:
    """One row; a failure says what is wrong, and whether an earlier one explains it."""
    case = ElementTree.SubElement(suite, "testcase", {
        "classname": clean(f"parity.{row.gate.replace(' ', '_')}"),
        "name": clean(row.name or row.gate)})
    if not row.passed:
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
            "failures": str(sum(not row.passed for row in rows)),
            "errors": str(sum(not row.judged and row.decides for row in rows)),
            "skipped": str(skipped)}


def clean(text: str) -> str:
    """With what would hide shown escaped, and without characters that XML does not have."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", visible(text, keep="\n"))
