"""What came out: for each submission its points, item by item, and what is wrong with it."""

from collections import Counter
from dataclasses import dataclass

from compare.document.display import Displayed


@dataclass(frozen=True)
class Item:
    """One thing that points are given for.

    Attributes:
        points, of: how many were reached, of how many.
        wrong: what is wrong, in a sentence; '' where nothing is.
        cause: the mistake's name in `compare.diagnosis.CATALOGUE`; 'unknown', or '' if it was not
            looked for.
        remedy: what to change.
    """

    name: str
    points: float
    of: float
    wrong: str = ""
    cause: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Mark:
    """One submission.

    Attributes:
        name: whose it is.
        items: in the exercise's order.
        problem: what kept it from being run to its end; '' if nothing did.
        printed: the end of what it printed.
        seconds: how long it took.
    """

    name: str
    items: tuple[Item, ...]
    problem: str = ""
    printed: str = ""
    seconds: float = 0.0

    @property
    def points(self) -> float:
        return sum(item.points for item in self.items)

    @classmethod
    def of(cls, record: dict) -> "Mark":
        """From plain values, as a job gives them."""
        return cls(**{**record, "items": tuple(Item(**item) for item in record["items"])})


@dataclass(frozen=True)
class Grades(Displayed):
    """All submissions to one exercise.

    Attributes:
        title: the exercise's.
        points: by item, as the exercise has them.
        marks: by the submissions' names.
    """

    title: str
    points: dict[str, float]
    marks: list[Mark]

    @property
    def total(self) -> float:
        return sum(self.points.values())

    def reached(self, item: str) -> int:
        """How many submissions have all of an item's points."""
        return sum(each.points == each.of for mark in self.marks for each in mark.items
                   if each.name == item)

    def causes(self) -> list[tuple[str, str, int]]:
        """(mistake, item, in how many submissions), the most frequent first."""
        count = Counter((item.cause, item.name) for mark in self.marks for item in mark.items
                        if item.cause)
        return [(*key, number) for key, number in sorted(count.items(),
                                                         key=lambda entry: (-entry[1], entry[0]))]
