"""Grades for other programs: CSV, JSON, JUnit, and Gradescope's results."""

import csv
import dataclasses
import io
import re
from pathlib import Path
from xml.etree import ElementTree

from compare.document.files import write_text
from compare.document.plain_json import dumps
from compare.experiments.grading.report import feedback
from compare.experiments.grading.results import Grades, Mark
from compare.report.junit import clean, text_of

SCHEMA = "keras-parity grades 1"


def as_csv(grades: Grades) -> str:
    """A line for each submission: name, points, each item's points, problem, mistakes."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["submission", "points", "of", *grades.points, "problem", "mistakes"])
    for mark in grades.marks:
        mistakes = " ".join(dict.fromkeys(item.cause for item in mark.items if item.cause))
        writer.writerow([harmless(mark.name), mark.points, grades.total,
                         *(item.points for item in mark.items), harmless(mark.problem), mistakes])
    return file.getvalue()


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def as_json(grades: Grades) -> str:
    """Everything."""
    return dumps({"schema": SCHEMA, "title": grades.title, "points": grades.points,
                  "submissions": [{**dataclasses.asdict(mark), "points": mark.points,
                                   "of": grades.total} for mark in grades.marks]})


def as_junit(grades: Grades) -> str:
    """A test suite for each submission, a test case for each item."""
    def counts(marks: list[Mark]) -> dict[str, str]:
        items = [item for mark in marks for item in mark.items]
        stopped = sum(len(mark.items) for mark in marks if mark.problem)
        failed = sum(item.points < item.of for mark in marks if not mark.problem
                     for item in mark.items)
        return {"tests": str(len(items)), "failures": str(failed), "errors": str(stopped),
                "skipped": "0"}

    root = ElementTree.Element("testsuites", {**counts(grades.marks), "name": clean(grades.title)})
    for mark in grades.marks:
        suite = ElementTree.SubElement(root, "testsuite",
                                       {**counts([mark]), "name": clean(mark.name)})
        for item in mark.items:
            case = ElementTree.SubElement(suite, "testcase", {
                "classname": clean(mark.name), "name": clean(item.name)})
            if mark.problem or item.points < item.of:
                kind = "error" if mark.problem else "failure"
                ElementTree.SubElement(case, kind, {
                    "type": item.cause or "points", "message": clean(item.wrong)})
    return text_of(root)


def as_gradescope(grades: Grades, mark: Mark) -> str:
    """One submission as Gradescope's autograder reads it: `results.json`."""
    return dumps({"score": mark.points, "execution_time": mark.seconds, "output": feedback(mark),
                  "visibility": "visible", "stdout_visibility": "hidden",
                  "tests": [{"name": item.name, "score": item.points, "max_score": item.of,
                             "output": " ".join(filter(None, (item.wrong, item.remedy)))}
                            for item in mark.items]})


def write_directory(grades: Grades, folder) -> list[Path]:
    """grades.csv, grades.json, grades.xml (JUnit), and for each submission NAME.results.json."""
    folder = Path(folder)
    written = []
    for name, text in (("grades.csv", as_csv(grades)), ("grades.json", as_json(grades)),
                       ("grades.xml", as_junit(grades)),
                       *((f"{filename(mark.name)}.results.json", as_gradescope(grades, mark))
                         for mark in grades.marks)):
        write_text(folder / name, text)
        written.append(folder / name)
    return written


def filename(name: str) -> str:
    """A submission's name as part of a file's."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
