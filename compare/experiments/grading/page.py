"""The page of `parity grade`: the class, its mistakes, and what each submission is told."""

from compare.document.html import sections
from compare.document.html.page import Part, page
from compare.document.markup import Html, element
from compare.experiments.grading import report
from compare.experiments.grading.results import Grades, Item, Mark


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
    """One submission's feedback, item by item, which opens."""
    head = f"{mark.name}: {report.number(mark.points)} of {report.number(total)} points"
    problem = [element("p", f"{report.capital(mark.problem)}.", class_="failed")
               ] if mark.problem else []
    printed = [element("p", "It printed:"), element("pre", mark.printed)] if mark.printed else []
    return element("details", element("summary", head), problem,
                   element("ul", [line_of(item, mark) for item in mark.items], class_="items"),
                   printed, open=mark.points < total)


def line_of(item: Item, mark: Mark) -> Html:
    """An item's points, what is wrong, and what to change."""
    full = item.points == item.of
    sign = element("span", "✓ " if full else "✗ ", class_="good" if full else "failed",
                   aria_hidden="true")
    points = f"{report.number(item.points)} of {report.number(item.of)} points"
    wrong = report.own_words(item, mark)
    return element("li", sign, element("b", item.name), f": {points}",
                   element("p", wrong) if wrong else None,
                   element("p", item.remedy) if item.remedy else None)
