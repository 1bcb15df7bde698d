"""A progress bar on standard error: steps done, time left, and the figures of the moment.

tqdm draws it, on a terminal in place and in a notebook as a widget, and is not imported before
there is something to draw.
"""

import contextlib
import functools
import os
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

_drawing = threading.RLock()  # a bar is drawn by whoever does the work, and by the ticker


class ProgressBar:
    """A bar where it can move; elsewhere (in a file, say) a line when it is closed.

    As a context manager it leaves a bar unfinished that was not closed inside.

    Args:
        total: how many steps there are, None if that is not known.
        title: what stands before the bar.
        enabled: False silences it.
        done: how many of the steps were finished before; None if that is not known yet.
        passing: for work that is often finished in no time: the bar waits a moment before it
            shows, and leaves no line behind; elsewhere than on a terminal, one if it took long.
        moving: False for the last line alone, wherever it goes.
    """

    width = 20
    interval = 0.1  # seconds between two drawings: drawing must not slow the work down
    patience = 0.5  # seconds before a passing bar shows
    long = 2.0  # seconds of work that deserve a line in a log

    def __init__(self, total: int | None, title: str = "", enabled: bool = True, stream=None,
                 done: int | None = None, passing: bool = False, moving: bool = True):
        self.total = total
        self.title = title
        self.enabled = enabled
        self.stream = stream or sys.stderr
        self.passing = passing
        self.started = self._updated = time.perf_counter()
        self._before, self._done = done or 0, done
        self._figures: dict = {}
        self._next = self.started + self.patience if passing else 0.0
        self._moves = enabled and moving and (is_terminal(self.stream) or is_notebook(self.stream))
        self._bar: Any = None  # tqdm's, once there is something to draw
        self._line_open = False  # on a terminal, and not ended yet
        if self._moves:
            _ticker.add(self)

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *exception) -> None:
        self.leave()

    def is_due(self, done: int) -> bool:
        """Whether it is time to draw again, so that the figures are worth working out."""
        if not self._moves:
            return False
        return time.perf_counter() >= self._next or (done == self.total and not self.passing)

    def update(self, done: int, **figures) -> None:
        """Show that `done` steps are finished, if it is time to draw again."""
        if not self._moves:
            return
        self._done, self._figures, self._updated = done, figures, time.perf_counter()
        if self.is_due(done):
            self.draw()

    def draw(self) -> None:
        """Show how far the work is at this moment."""
        with _drawing:
            now = time.perf_counter()
            self._next = now + self.interval
            if self._bar is None:
                self._bar = _tqdm()(total=self.total, desc=self.title, file=self.stream,
                                    leave=False, ascii=".#",
                                    nrows=20,  # or terminals of unknown height would get none
                                    delay=1e-9)  # or it would be drawn here already
                self._bar.bar_format = self._format()
            if not self._is_widget:  # a line that wraps could not be drawn over
                self._bar.ncols = columns(self.stream) - 1
            self._bar.n = self._done or 0
            self._bar.fields = self._fields(now)
            self._bar.refresh()
            self._line_open = not self._is_widget

    @property
    def _is_widget(self) -> bool:
        return hasattr(self._bar, "container")

    def _format(self) -> str:
        if self.total is None:
            return "{desc}{done} [{passed}]{figures}"
        bar = "{bar}" if self._is_widget else f"{{bar:{self.width}}}"
        return "{desc} {done}/{total} [" + bar + "] {passed}{figures}"

    def _fields(self, now: float) -> dict[str, str]:
        """What stands in a line beside the title and the bar."""
        passed, done = clock(now - self.started), "-" if self._done is None else f"{self._done}"
        if self.total is None:
            done = "" if self._done is None else f" {self._done}"
        elif self._done is None or self._done <= self._before:
            passed += " so far"
        else:  # what is left shrinks while a step takes its time
            pace = (self._updated - self.started) / (self._done - self._before)
            left = pace * (self.total - self._done) - (now - self._updated)
            passed = f"{clock(max(0.0, left))} left"
        return {"done": done, "passed": passed, "figures": show(self._figures)}

    def close(self, **figures) -> None:
        """Replace the bar by one last line with the time taken."""
        _ticker.remove(self)
        if not self.enabled:
            return
        elapsed = time.perf_counter() - self.started
        if self._bar is not None and self.total is not None:
            self._bar.n = self.total  # a widget that ends before shows an error
        self._finish()
        if not self.passing or (not self._moves and elapsed >= self.long):
            steps = f" {self.total}/{self.total}" if self.total is not None else ""
            self.stream.write(f"{self.title}{steps} in {clock(elapsed)}{show(figures)}\n")
        self.stream.flush()

    def leave(self) -> None:
        """Leave a bar unfinished: on a terminal it keeps its line, and what comes next begins
        another. May be called twice, and after `close`."""
        _ticker.remove(self)
        self.end_line()
        self._finish()

    def _finish(self) -> None:
        """Let go of tqdm's bar, and clear it if its line is not ended."""
        with _drawing:
            if self._line_open or self._is_widget:
                self._bar.close()
            elif self._bar is not None:
                self._bar.disable = True  # tqdm would clear a line that is not the bar's any more
            self._bar, self._line_open = None, False

    def end_line(self) -> None:
        """Leave what is drawn as it is: the bar goes on in another line."""
        with _drawing:
            if self._line_open:
                self._line_open = False
                self.stream.write("\n")
                self.stream.flush()


class Ticker:
    """Draws the newest open bar again every second, so that one whose steps take minutes is seen
    to live. Bars are only known to it while it runs: others may be left unfinished unheeded."""

    seconds = 1.0

    def __init__(self):
        self.running = False
        self._open: list[ProgressBar] = []

    def add(self, bar: ProgressBar) -> None:
        if self.running:
            with _drawing:
                self._open.append(bar)

    def remove(self, bar: ProgressBar) -> None:
        """After this the bar is not drawn here any more."""
        with _drawing:
            self._open = [other for other in self._open if other is not bar]

    def tick(self) -> None:
        with _drawing:
            if self._open and self._open[-1].is_due(-1):
                self._open[-1].draw()

    def end_lines(self) -> None:
        with _drawing:
            for bar in self._open:
                bar.end_line()

    def leave_all(self) -> None:
        for bar in list(self._open):
            bar.leave()


_ticker = Ticker()


@contextlib.contextmanager
def ticking() -> Iterator[None]:
    """Meanwhile, bars on a terminal show the passing of time between two updates; one that is still
    open at the end is left as it is, with its line ended."""
    if _ticker.running:
        yield
        return
    stop = threading.Event()

    def tick():
        while not stop.wait(_ticker.seconds):
            _ticker.tick()

    thread = threading.Thread(target=tick, daemon=True)
    _ticker.running = True
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        _ticker.leave_all()
        _ticker.running = False


def leave_bars() -> None:
    """End the lines of all bars that are open while it ticks, before something else is printed."""
    _ticker.end_lines()


def is_terminal(stream) -> bool:
    """Whether a line on the stream can be drawn over: a dumb terminal cannot go back in it."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_notebook(stream) -> bool:
    """Whether the stream is that of a notebook's kernel."""
    return type(stream).__module__.partition(".")[0] == "ipykernel"


def columns(stream) -> int:
    """The width of a terminal; 80 where it has none to tell."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


@functools.cache
def _tqdm():
    """The class of tqdm's bars for where this runs, with fields of our own for its lines."""
    from tqdm import TqdmWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TqdmWarning)  # a notebook without widgets gets lines
        from tqdm.auto import tqdm

    class Bar(tqdm):
        monitor_interval = 0  # no thread of tqdm's: the ticker draws between two updates
        fields: dict[str, str] = {}

        @property
        def format_dict(self):
            return {**super().format_dict, **self.fields}

    return Bar


def clock(seconds: float) -> str:
    """'4.2s', '1m05s' or '2h07m'."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def show(figures: dict) -> str:
    """' - loss: 0.1234 - ...'; a figure may be an array, with a number for each class."""
    return "".join(f" - {name}: {decimals(value)}" for name, value in figures.items())


def decimals(value) -> str:
    if np.ndim(value):
        return "[" + " ".join(f"{entry:.4f}" for entry in np.ravel(value)) + "]"
    return f"{value:.4f}"
