"""The grades as text: the class as a whole, then every submission, then who needs a word."""

from compare.document.display import as_html
from compare.document.sections import Section, Table, as_text
from compare.document.text import Text, line
from compare.experiments.grading.results import Grades, Item, Mark
from compare.report.notebook import sections_fragment


def sections(grades: Grades) -> list[Section]:
    """The whole report, in reading order."""
    parts = [Section(title(grades), [summary(grades)]),
             Section("Points", table=points_table(grades))]
    if grades.causes():
        parts.append(Section("Which mistakes the class makes", table=causes_table(grades)))
    stopped = [mark for mark in grades.marks if mark.problem]
    if stopped:
        parts.append(Section("Not run to the end", table=Table(
            ["submission", "why"], [[mark.name, mark.problem] for mark in stopped])))
    return parts


def title(grades: Grades) -> str:
    count = len(grades.marks)
    return f"{grades.title}: {count} submission{'s' if count != 1 else ''}"


def summary(grades: Grades) -> Text:
    """How many have all points, the mean, and how many could not be run."""
    full = sum(mark.points == grades.total for mark in grades.marks)
    stopped = sum(bool(mark.problem) for mark in grades.marks)
    mean = sum(mark.points for mark in grades.marks) / len(grades.marks)
    return line(f"{full} of {len(grades.marks)} have all {number(grades.total)} points; the mean "
                f"is {mean:.1f}. {stopped or 'None'} could not be run to the end.")


def points_table(grades: Grades) -> Table:
    """A line for each submission: all points, which a narrow screen shows, and a column for each
    item."""
    headers = ["submission", "points", *grades.points]
    rows = [[mark.name, f"{number(mark.points)} of {number(grades.total)}",
             *(number(item.points) for item in mark.items)] for mark in grades.marks]
    full = sum(mark.points == grades.total for mark in grades.marks)
    reached = ["with all points", str(full), *(str(grades.reached(item)) for item in grades.points)]
    return Table(headers, [*rows, reached])


def causes_table(grades: Grades) -> Table:
    return Table(["mistake", "in", "submissions"],
                 [[cause, item, str(count)] for cause, item, count in grades.causes()])


def feedback(mark: Mark) -> str:
    """What a student reads: each item's points, what is wrong, and what to change."""
    said = [f"{capital(mark.problem)}."] if mark.problem else []
    for item in mark.items:
        text = f"{item.name}: {number(item.points)} of {number(item.of)} points"
        wrong = own_words(item, mark)
        said.append(text + (f". {wrong}" if wrong else "")
                    + (f" {item.remedy}" if item.remedy else ""))
    return "\n".join(said)


def own_words(item: Item, mark: Mark) -> str:
    """What is wrong with an item; '' where that has been said of the whole submission."""
    return "" if mark.problem and item.wrong.endswith(mark.problem) else capital(item.wrong)


def capital(text: str) -> str:
    """With a capital letter in front."""
    return text[:1].upper() + text[1:]


def number(points: float) -> str:
    """Without a point where it is whole."""
    return f"{points:g}"


def render(grades: Grades, tablefmt: str = "simple") -> Text:
    """The report for a terminal."""
    return as_text(sections(grades), tablefmt)


@as_html.register
def grades_fragment(grades: Grades) -> str:
    """How a notebook shows it."""
    return sections_fragment(sections(grades))
