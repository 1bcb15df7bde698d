"""A progress bar on standard error: steps done, time left, and the figures of the moment."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np

_drawing = threading.RLock()  # a bar is drawn by whoever does the work, and by the ticker


class ProgressBar:
    """Redraws one line in place on a terminal; elsewhere it prints a line only when closed.

    Args:
        total: how many steps there are, None if that is not known.
        title: what stands before the bar.
        enabled: False silences it.
        done: how many of the steps were finished before; None if that is not known yet.
        passing: for work that is often finished in no time: the bar waits a moment before it
            shows, and leaves no line behind; elsewhere than on a terminal, one if it took long.
    """

    width = 20
    interval = 0.1  # seconds between two drawings: drawing must not slow the work down
    patience = 0.5  # seconds before a passing bar shows
    long = 2.0  # seconds of work that deserve a line in a log

    def __init__(self, total: int | None, title: str = "", enabled: bool = True, stream=None,
                 done: int | None = None, passing: bool = False):
        self.total = total
        self.title = title
        self.enabled = enabled
        self.stream = stream or sys.stderr
        self.passing = passing
        self.started = self._updated = time.perf_counter()
        self._before, self._done = done or 0, done
        self._figures: dict = {}
        self._next = self.started + self.patience if passing else 0.0
        self._drawn = 0
        # a dumb terminal cannot go back to the beginning of a line
        self._moves = enabled and self.stream.isatty() and os.environ.get("TERM") != "dumb"
        if self._moves:
            _ticker.add(self)

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
            # a line that wraps could not be drawn over
            line = self._line(now)[:columns(self.stream) - 1]
            start = "\r" if self._drawn else ""
            self.stream.write(start + line.ljust(self._drawn))
            self.stream.flush()
            self._drawn = len(line)

    def _line(self, now: float) -> str:
        elapsed, figures = now - self.started, show(self._figures)
        if self.total is None:
            done = "" if self._done is None else f" {self._done}"
            return f"{self.title}{done} [{clock(elapsed)}]{figures}"
        known = self._done or 0
        bar = "#" * int(self.width * known / max(self.total, 1))
        if known > self._before:  # what is left shrinks while a step takes its time
            pace = (self._updated - self.started) / (known - self._before)
            left = pace * (self.total - known) - (now - self._updated)
            time_ = f"{clock(max(0.0, left))} left"
        else:
            time_ = f"{clock(elapsed)} so far"
        done = "-" if self._done is None else self._done
        return (f"{self.title} {done}/{self.total} [{bar.ljust(self.width, '.')}] {time_}"
                f"{figures}")

    def close(self, **figures) -> None:
        """Replace the bar by one last line with the time taken."""
        _ticker.remove(self)
        if not self.enabled:
            return
        elapsed = time.perf_counter() - self.started
        if self.passing and self._moves:
            if self._drawn:
                self.stream.write("\r" + " " * self._drawn + "\r")
        elif not self.passing or elapsed >= self.long:
            steps = f" {self.total}/{self.total}" if self.total is not None else ""
            line = f"{self.title}{steps} in {clock(elapsed)}{show(figures)}"
            start = "\r" if self._drawn else ""
            self.stream.write(start + line.ljust(self._drawn) + "\n")
        self.stream.flush()
        self._drawn = 0

    def leave(self) -> None:
        """Leave a bar unfinished: on a terminal it keeps its line, and what comes next begins
        another. May be called twice, and after `close`."""
        _ticker.remove(self)
        self.end_line()

    def end_line(self) -> None:
        """Leave what is drawn as it is: the bar goes on in another line."""
        with _drawing:
            if self._drawn:
                self._drawn = 0
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


def columns(stream) -> int:
    """The width of a terminal; 80 where it has none to tell."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


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
