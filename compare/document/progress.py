"""How far long work is, for somebody who watches a terminal or a notebook; tqdm draws it.

Work only says what it goes through, by `each` and `during`: that shows while the whole is inside
`watched`, as every subcommand is, clears its line when it is done, and is silent where nobody
watches. Of what is done on behalf of a step that has a bar already nothing is shown: there is one
line. `Bar` is for who counts by himself; it leaves a line that tells how long it took.

tqdm is imported when the first bar is drawn.
"""

import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, TextIO, TypeVar

from compare.document.text import visible
from scratch.progress import clock, columns, is_notebook, is_terminal

Thing = TypeVar("Thing")

COUNTED = "{desc} {n_fmt}/{total_fmt} [{bar}] {elapsed} gone, {remaining} left{postfix}"
UNCOUNTED = "{desc} [{elapsed}]"
OF_ALL = "{desc} {percentage:.0f} % [{bar}] {elapsed} gone, {remaining} left"
TICK = 1.0  # seconds between two drawings while nothing is counted
WIDEST = 90  # characters of a line; the bar takes what the words leave
PATIENCE = 0.5  # seconds before work that may be over in a moment shows a bar

_watchers = 0
_all: "AllSteps | None" = None  # the steps that share one bar
_open: list["Bar"] = []
_drawing = threading.RLock()  # a bar is drawn by whoever does the work, and by the ticker


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Meanwhile, what takes more than a moment shows a bar on standard error, and every bar shows
    the passing of time. A bar that is still open at the end is left as it is."""
    global _watchers
    _watchers += 1
    over = threading.Event()
    ticker = threading.Thread(target=_tick, args=(over,), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        over.set()
        ticker.join()
        _watchers -= 1
        if not _watchers:
            for bar in list(_open):
                bar.leave()


def each(things: Iterable[Thing], title: str) -> Iterator[Thing]:
    """The things, with a bar that tells how many are done and how long the others will take."""
    things = list(things)
    with _passing(title, len(things)) as bar:
        for done, thing in enumerate(things, 1):
            yield thing
            bar.update(done)


@contextlib.contextmanager
def counting(total: int, title: str) -> Iterator[Callable[[int], None]]:
    """The same for who goes through them by himself: a function to call with how many more are
    done."""
    done = 0
    with _passing(title, total) as bar:
        def count(more: int) -> None:
            nonlocal done
            done += more
            bar.update(done)

        yield count


@contextlib.contextmanager
def during(title: str) -> Iterator[None]:
    """A single step of unknown length: its title and the seconds so far. Also a decorator."""
    with _passing(title, None):
        yield


@contextlib.contextmanager
def together(shares: Mapping[str, float]) -> Iterator[None]:
    """Meanwhile several steps share one bar, which tells how long all of them will take.

    Args:
        shares: how much of the time each step takes, about, by its title; in any unit.
    """
    global _all
    with _passing("", 1000, share=True, smoothing=0) as bar:
        before, _all = _all, AllSteps(bar, shares) if bar.shown else _all
        try:
            yield
        finally:
            _all = before


@contextlib.contextmanager
def arriving(title: str) -> Iterator[Any]:
    """A file that arrives in pieces: tqdm's bar, which counts bytes; None where nobody watches."""
    # whoever fills it sets the total, and asks before whether there is one
    with _passing(title, 1, unit="B", unit_scale=True) as bar:
        yield bar.line


def line(text: str) -> None:
    """A line on standard error, before a step that cannot be interrupted to draw a bar."""
    if _watchers:
        leave_bars()
        print(visible(text), file=sys.stderr, flush=True)


def leave_bars() -> None:
    """Clear the line of a bar that is open, before something else is printed."""
    with _drawing:
        for bar in _open:
            if bar.line is not None:
                bar.line.clear()


class Bar:
    """A bar for who counts by himself, as a context; it redraws one line on standard error.

    When it is closed a line says how long it took, in a log as well. One that an error ends is
    left where it was.

    Args:
        total: how many steps there are; None if that is not known.
        title: what stands before the bar.
        shown: False silences it.
        done: how many of the steps were finished before.
        passing: for work that is often over in no time: the bar waits a moment before it shows,
            and leaves no line behind.
        share: the steps are shares of the time, not counted by name.
        options: more of tqdm's, such as the unit.
    """

    def __init__(self, total: int | None, title: str, shown: bool = True, done: int = 0,
                 passing: bool = False, share: bool = False, **options: Any) -> None:
        self.total, self.title = total, visible(title)
        self.shown, self.passing = shown, passing
        self._began = time.perf_counter()
        self._figures = ""
        self.line: Any = None  # tqdm's
        if shown and lively(sys.stderr):
            width = min(columns(sys.stderr) - 1, WIDEST)
            if is_terminal(sys.stderr):  # for a widget these would be pixels
                options |= {"ncols": width, "nrows": 20}
            self.line = _line_class()(
                total=total, desc=self.title[:max(10, width - 10)], initial=done, file=sys.stderr,
                leave=False, ascii=".#",
                bar_format=OF_ALL if share else UNCOUNTED if total is None else COUNTED,
                position=0, miniters=0, delay=PATIENCE if passing else 0, **options)
            _open.append(self)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close() if kind is None else self.leave()

    def update(self, done: int, note: str = "", **figures: float) -> None:
        """Show that `done` steps are finished, the figures of the moment, and, while the bar is
        open, the note."""
        self._figures = ", ".join(f"{name}: {value:.4f}" for name, value in figures.items())
        if self.line is not None:
            with _drawing:
                self.line.set_postfix_str(", ".join(filter(None, (note, self._figures))),
                                          refresh=False)
                self.line.update(done - self.line.n)

    def rename(self, title: str) -> None:
        """Show another title, before the next drawing."""
        if self.line is not None:
            with _drawing:
                self.line.set_description_str(visible(title), refresh=False)

    def tick(self) -> None:
        """Draw it again, so that it is seen to live."""
        self.line.update(0)

    def close(self) -> None:
        """Clear the bar; unless it is a passing one, a line with the time taken is left."""
        self._end(leave=False)
        if self.shown and not self.passing:
            steps = "" if self.total is None else f" {self.total}/{self.total}"
            took = f"{self.title}{steps} in {clock(time.perf_counter() - self._began)}"
            print(", ".join(filter(None, (took, self._figures))), file=sys.stderr, flush=True)

    def leave(self) -> None:
        """Leave a bar unfinished: it keeps its line, and what comes next begins another; a passing
        one is cleared. May be called twice."""
        self._end(leave=not self.passing)

    def _end(self, leave: bool) -> None:
        with _drawing:
            if self in _open:
                _open.remove(self)
                self.line.leave = leave
                self.line.close()


def lively(stream: TextIO) -> bool:
    """Whether a bar can be seen to move there."""
    return is_terminal(stream) or is_notebook(stream)


class AllSteps:
    """Steps that share one bar, one after another.

    Attributes:
        running: whether one of them is; what is done on its behalf shows nothing.
    """

    def __init__(self, bar: Bar, shares: Mapping[str, float]) -> None:
        self.bar, self.shares, self.running = bar, shares, False
        self._done, self._all = 0.0, sum(shares.values()) or 1.0

    def reach(self, share: float, over: bool = False) -> None:
        """So much of the running step is done; it is over, or it goes on."""
        self.bar.update(round(1000 * min(1.0, (self._done + share) / self._all)))
        if over:
            self._done += share


class Step(Bar):
    """One of the steps that share a bar."""

    def __init__(self, steps: AllSteps, title: str, total: int | None) -> None:
        super().__init__(total, title, shown=False, passing=True)
        self._steps, self._share = steps, steps.shares[title]

    def __enter__(self) -> "Step":
        self._steps.running = True
        self._steps.bar.rename(self.title)
        return self

    def update(self, done: int, note: str = "", **figures: float) -> None:
        self._steps.reach(self._share * done / (self.total or 1))

    def __exit__(self, *error: object) -> None:
        self._steps.running = False
        self._steps.reach(self._share, over=True)


def _passing(title: str, total: int | None, **options: Any) -> Bar:
    """A bar that is silent if nobody watches or another one is there."""
    if _all is not None and not _all.running and title in _all.shares:
        return Step(_all, title, total)
    return Bar(total, title, shown=bool(_watchers) and not _open, passing=True, **options)


def _tick(over: threading.Event) -> None:
    """Draw the newest bar again every second: one whose steps take minutes is seen to live."""
    while not over.wait(TICK):
        with _drawing:
            if _open:
                _open[-1].tick()


@functools.cache
def _line_class() -> Any:
    """tqdm's bar for where this runs, whose line never wraps: it could not be drawn over."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a notebook without widgets, which has bars of text
        from tqdm.auto import tqdm
    from tqdm.utils import disp_trim

    class Line(tqdm):  # type: ignore[misc]  # tqdm tells no types
        monitor_interval = 0  # a thread that redraws slow bars: the ticker here does

        def __str__(self) -> str:
            return str(disp_trim(super().__str__(), columns(self.fp) - 1))

    Line.set_lock(_drawing)
    return Line
