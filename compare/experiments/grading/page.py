"""The page of `parity grade`: the class, its mistakes, and what each submission is told."""

from compare.document.html import sections
from compare.document.html.page import Part, page
from compare.document.markup import Html, element
from compare.experiments.grading import report
from compare.experiments.grading.results import Grades, Mark


def grades_page(grades: Grades, facts: dict[str, str]) -> str:
    """A whole page.

    Args:
        facts: machine, versions, command, by name.
    """
    opening, *others = report.sections(grades)
    parts = [Part(f"part-{i}", part.heading, sections.content(part))
             for i, part in enumerate(others)]
    parts.append(Part("feedback", "What each submission is told",
                      [told(mark, grades.total) for mark in grades.marks]))
    return page(opening.heading, None, report.summary(grades), parts, facts)


def told(mark: Mark, total: float) -> Html:
    """One submission's feedback, which opens."""
    head = f"{mark.name}: {report.number(mark.points)} of {report.number(total)} points"
    printed = [element("p", "It printed:"), element("pre", mark.printed)] if mark.printed else []
    return element("details", element("summary", head), element("pre", report.feedback(mark)),
                   printed, open=mark.points < total)
