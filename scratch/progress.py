"""A progress bar on standard error: steps done, time left, and the figures of the moment."""

import sys
import time


class ProgressBar:
    """Redraws one line in place on a terminal; elsewhere it prints a line only when closed.

    Args:
        total: how many steps there are.
        title: what stands before the bar.
        enabled: False silences it.
    """

    width = 20
    interval = 0.1  # seconds between two drawings: drawing must not slow the work down

    def __init__(self, total: int, title: str = "", enabled: bool = True, stream=None):
        self.total = total
        self.title = title
        self.enabled = enabled
        self.stream = stream or sys.stderr
        self.started = time.perf_counter()
        self._next = 0.0
        self._drawn = 0

    def update(self, done: int, **figures: float) -> None:
        """Show that `done` steps are finished, if it is time to draw again."""
        if not self.enabled or not self.stream.isatty():
            return
        now = time.perf_counter()
        if now < self._next and done < self.total:
            return
        self._next = now + self.interval
        elapsed = now - self.started
        left = elapsed / max(done, 1) * (self.total - done)
        filled = int(self.width * done / max(self.total, 1))
        bar = "#" * filled + "." * (self.width - filled)
        self._draw(f"{self.title} {done}/{self.total} [{bar}] {clock(left)} left{show(figures)}")

    def close(self, **figures: float) -> None:
        """Replace the bar by one last line with the time taken."""
        if not self.enabled:
            return
        elapsed = time.perf_counter() - self.started
        self._draw(f"{self.title} {self.total}/{self.total} in {clock(elapsed)}{show(figures)}")
        self.stream.write("\n")
        self.stream.flush()

    def _draw(self, line: str) -> None:
        start = "\r" if self._drawn else ""
        self.stream.write(start + line.ljust(self._drawn))
        self.stream.flush()
        self._drawn = len(line)


def clock(seconds: float) -> str:
    """'4.2s', '1m05s' or '2h07m'."""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def show(figures: dict[str, float]) -> str:
    return "".join(f" - {name}: {value:.4f}" for name, value in figures.items())
