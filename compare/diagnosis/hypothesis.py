"""What a hypothesis is: an identifier, what it comes to here, and the change that it supposes."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Variant(NamedTuple):
    """One way in which a mistake of a kind can show.

    Attributes:
        identifier: of `compare.diagnosis.CATALOGUE`.
        detail: what it comes to here, in a few words; or a function that says so, given a list of
            (computation that is changed, what was made) for all that was observed.
        change: a function (computation, what was made) -> the mistaken computation. It looks at
            what was made only to find a number, such as a factor, never to copy it.
        cheap: whether only the result is changed, so that nothing need be computed anew.
        agrees: whether the numbers that `change` found go together, given the same list as
            `detail`; without it they need not.
    """

    identifier: str
    detail: str | Callable[[list[tuple[Any, Any]]], str]
    change: Callable[[Any, Any], Any]
    cheap: bool = False
    agrees: Callable[[list[tuple[Any, Any]]], bool] | None = None


def result(identifier: str, detail: str, function) -> Variant:
    """A variant that puts the result's numbers elsewhere; `function` is one of plain arrays."""
    return Variant(identifier, detail, lambda c, made: c.moved(function), cheap=True)


def inside(identifier: str, detail: str, change) -> Variant:
    """A variant whose change needs no look at what was made."""
    return Variant(identifier, detail, lambda c, made: change(c))
