"""How far long work is, for somebody who watches a terminal; silent where nobody asked for it.

The work itself only says what it goes through, by `each` and `during`. Nothing is shown unless the
command line, or whoever else, has put the whole inside `watched`. Of what is done on behalf of a
step that has a bar already, nothing is shown either: there is one line.
"""

import contextlib
import sys
from collections.abc import Iterable, Iterator

from compare.document.text import visible
from scratch.progress import ProgressBar, ticking

_watchers = 0
_shown = False


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Meanwhile, what takes more than a moment shows a bar on standard error."""
    global _watchers
    _watchers += 1
    try:
        with ticking():
            yield
    finally:
        _watchers -= 1


def each(things: Iterable, title: str) -> Iterator:
    """The things, with a bar that tells how many are done and how long the others will take."""
    things = list(things)
    with _bar(title, len(things)) as bar:
        for done, thing in enumerate(things, 1):
            yield thing
            bar.update(done)


@contextlib.contextmanager
def during(title: str) -> Iterator[None]:
    """A single step of unknown length: its title and the seconds so far. Also a decorator."""
    with _bar(title, None):
        yield


def line(text: str) -> None:
    """A line on standard error, before a step that cannot be interrupted to draw a bar."""
    if _watchers:
        print(visible(text), file=sys.stderr, flush=True)


@contextlib.contextmanager
def _bar(title: str, total: int | None) -> Iterator[ProgressBar]:
    """A bar, silent if nobody watches or another one is there."""
    global _shown
    shows = bool(_watchers) and not _shown
    bar = ProgressBar(total, visible(title), enabled=shows, done=None if total is None else 0,
                      passing=True)
    _shown = _shown or shows
    try:
        yield bar
    finally:
        bar.close()
        if shows:
            _shown = False
