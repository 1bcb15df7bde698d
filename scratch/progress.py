"""A progress bar on standard error: steps done, time left, and the figures of the moment.

tqdm draws it, on a terminal in place and in a notebook as a widget, and is not imported before
there is something to draw.
"""

import functools
import os
import sys
import time
import warnings
from typing import Any

import numpy as np


class ProgressBar:
    """A bar where it can move; elsewhere (in a file, say) a line when it is closed.

    As a context manager it leaves a bar unfinished that was not closed inside.

    Args:
        total: how many steps there are, None if that is not known.
        title: what stands before the bar.
        enabled: False silences it.
        moving: False for the last line alone, wherever it goes.
    """

    width = 20
    interval = 0.1  # seconds between two drawings: drawing must not slow the work down

    def __init__(self, total: int | None, title: str = "", enabled: bool = True, stream=None,
                 moving: bool = True):
        self.total = total
        self.title = title
        self.enabled = enabled
        self.stream = stream or sys.stderr
        self.started = time.perf_counter()
        self._done: int | None = None
        self._figures: dict = {}
        self._next = 0.0
        self._moves = enabled and moving and (is_terminal(self.stream) or is_notebook(self.stream))
        self._bar: Any = None  # tqdm's, once there is something to draw
        self._line_open = False  # on a terminal, and not ended yet

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(self, *exception) -> None:
        self.leave()

    def is_due(self, done: int) -> bool:
        """Whether it is time to draw again, so that the figures are worth working out."""
        if not self._moves:
            return False
        return time.perf_counter() >= self._next or done == self.total

    def update(self, done: int, **figures) -> None:
        """Show that `done` steps are finished, if it is time to draw again."""
        if not self._moves:
            return
        self._done, self._figures = done, figures
        if self.is_due(done):
            self.draw()

    def draw(self) -> None:
        """Show how far the work is at this moment."""
        now = time.perf_counter()
        self._next = now + self.interval
        if self._bar is None:
            self._bar = _tqdm()(total=self.total, desc=self.title, file=self.stream, leave=False,
                                ascii=".#",
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
        elif not self._done:
            passed += " so far"
        else:
            left = (now - self.started) / self._done * (self.total - self._done)
            passed = f"{clock(left)} left"
        return {"done": done, "passed": passed, "figures": show(self._figures)}

    def close(self, **figures) -> None:
        """Replace the bar by one last line with the time taken."""
        if not self.enabled:
            return
        elapsed = time.perf_counter() - self.started
        if self._bar is not None and self.total is not None:
            self._bar.n = self.total  # a widget that ends before shows an error
        self._finish()
        steps = f" {self.total}/{self.total}" if self.total is not None else ""
        self.stream.write(f"{self.title}{steps} in {clock(elapsed)}{show(figures)}\n")
        self.stream.flush()

    def leave(self) -> None:
        """Leave a bar unfinished: on a terminal it keeps its line, and what comes next begins
        another. May be called twice, and after `close`."""
        if self._line_open:
            self._line_open = False
            self.stream.write("\n")
            self.stream.flush()
        self._finish()

    def _finish(self) -> None:
        """Let go of tqdm's bar, and clear it if its line is not ended."""
        if self._line_open or self._is_widget:
            self._bar.close()
        elif self._bar is not None:
            self._bar.disable = True  # tqdm would clear a line that is not the bar's any more
        self._bar, self._line_open = None, False


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
        monitor_interval = 0  # no thread of tqdm's
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
