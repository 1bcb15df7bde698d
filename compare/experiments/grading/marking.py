"""One submission: its process, the check, and the points for what holds."""

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

from compare import parity
from compare.checks.row import Row
from compare.diagnosis.finding import Finding
from compare.document.text import visible
from compare.experiments.grading.exercise import Exercise, parts_of
from compare.experiments.grading.results import Item, Mark
from compare.experiments.grading.student import Student
from compare.experiments.grading.submissions import Submission
from compare.report.report import Report, describe
from compare.tracing.layer_error import RAISED
from compare.tracing.trace import Trace

LONGEST = 600  # characters of what is said about one item


def mark(argument: dict[str, Any]) -> dict[str, Any]:
    """A job: the `Mark` of one submission as plain values.

    Args:
        argument: 'exercise' and 'trace', the paths of their files; 'name', 'path' and 'problem' of
            the submission.
    """
    exercise = Exercise.load(argument["exercise"])
    submission = Submission(argument["name"], Path(argument["path"]), argument["problem"])
    started = time.monotonic()
    made = _marked(exercise, submission, argument["trace"])
    made = dataclasses.replace(made, seconds=time.monotonic() - started)
    return dataclasses.asdict(made)


def _marked(exercise: Exercise, submission: Submission, trace: str) -> Mark:
    if submission.problem:
        return nothing(exercise, submission.name, submission.problem)
    try:
        code = submission.code()
    except (ValueError, OSError) as error:
        return nothing(exercise, submission.name, str(error))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "submission.py"
        path.write_text(code, encoding="utf-8")
        with Student(path, exercise.seconds, exercise.memory, exercise.forbidden) as student:
            try:
                candidate = exercise.candidate(student.module())
                report = parity.check(candidate, Trace.load(trace))
            except RAISED as error:  # a submission, and what is made of it, may raise anything
                problem = f"{type(error).__name__}: {error}"
                made = nothing(exercise, submission.name, problem)
            else:
                made = Mark(submission.name, _items(exercise, report))
            ended = f"the submission {student.ended}" if student.ended else ""
            return dataclasses.replace(made, problem=_short(ended or made.problem),
                                       printed=visible(student.printed(), keep="\n"))


def nothing(exercise: Exercise, name: str, problem: str) -> Mark:
    """The mark of a submission that could not be run."""
    items = tuple(Item(item, 0, points, wrong=_short(problem))
                  for item, points in exercise.points.items())
    return Mark(name, items, _short(problem))


def _items(exercise: Exercise, report: Report) -> tuple[Item, ...]:
    findings = {} if report else {finding.layer.split("/")[0]: finding
                                  for finding in reversed(_diagnosis(report))}
    made = []
    for name, points in exercise.points.items():
        rows = rows_of(name, report.rows)
        failed = next((row for row in rows if not row.passed), None)
        if not rows:
            made.append(Item(name, 0, points, wrong="nothing of that name was checked"))
        elif failed is None:
            made.append(Item(name, points, points))
        else:
            finding = findings.get(failed.layer.split("/")[0])
            made.append(Item(
                name, 0, points, _short(describe(failed)),
                finding.identifier if finding is not None and not failed.gate.whole else "",
                finding.remedy if finding is not None and finding.causes else ""))
    return tuple(made)


def _diagnosis(report: Report) -> list[Finding]:
    """What is wrong, as far as the submission still runs to be asked."""
    try:
        return report.diagnosis
    except RAISED:
        return []


def rows_of(item: str, rows: list[Row]) -> list[Row]:
    """The rows that an item's points depend on."""
    layer, gate = parts_of(item)
    return [row for row in rows if (not layer or row.layer.split("/")[0] == layer)
            and (not gate or row.gate == gate)]


def _short(text: str) -> str:
    text = visible(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
