"""How long a check took, for those who watch over the time of many."""

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

from compare.checks.gate import Gate
from compare.report.report import Report

Given = ParamSpec("Given")


def timed(check: Callable[Given, Report]) -> Callable[Given, Report]:
    """Decorator of what makes a report: the report knows how many seconds that took."""
    @functools.wraps(check)
    def wrapped(*args: Given.args, **given: Given.kwargs) -> Report:
        __tracebackhide__ = True
        begun = time.perf_counter()
        report = check(*args, **given)
        report.seconds = time.perf_counter() - begun
        return report

    return wrapped


class Stopwatch:
    """The seconds of the gates that are run by themselves.

    The layers' own gates are run layer by layer, all at once: they have no time of their own.
    """

    def __init__(self) -> None:
        self.seconds: dict[Gate, float] = {}

    @contextmanager
    def on(self, gate: Gate) -> Iterator[None]:
        """The time that the block takes is this gate's, together with what it had before."""
        begun = time.perf_counter()
        yield
        self.seconds[gate] = self.seconds.get(gate, 0.0) + time.perf_counter() - begun
