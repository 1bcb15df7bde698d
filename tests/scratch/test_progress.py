"""The progress bar: what it draws on a terminal and elsewhere."""

import io
import time

import numpy as np
import pytest

from scratch import progress
from scratch.progress import ProgressBar, show


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def no_dumb_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")


class Clock:
    """A time that passes only when it is told to."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


@pytest.mark.parametrize("total, drawn, closed", [
    (4, ["E 1/4 [#####...............]", "E 4/4 [####################]"], "E 4/4 in "),
    (None, ["E 1 [", "E 4 ["], "E in ")])
def test_a_terminal_sees_it_grow(total, drawn, closed, monkeypatch):
    monkeypatch.setattr(ProgressBar, "interval", -1.0)  # always time to draw again
    stream = Terminal()
    bar = ProgressBar(total, "E", stream=stream)
    for step in range(1, 5):
        assert bar.is_due(step)
        bar.update(step, loss=step / 8)
    bar.close(loss=0.5)
    lines = stream.getvalue().split("\r")
    assert len(lines) == 5
    for line, expected, loss in ((lines[0], drawn[0], 0.125), (lines[3], drawn[1], 0.5)):
        assert line.startswith(expected) and f"- loss: {loss:.4f}" in line
    assert lines[4].startswith(closed) and lines[4].endswith("\n")


def test_a_file_sees_the_last_line_alone():
    stream = io.StringIO()
    bar = ProgressBar(4, "E", stream=stream)
    assert not bar.is_due(4)
    bar.update(4, loss=1.0)
    assert stream.getvalue() == ""
    bar.close(loss=1.0)
    assert stream.getvalue().startswith("E 4/4 in ") and stream.getvalue().endswith("1.0000\n")
    silent = Terminal()
    bar = ProgressBar(4, enabled=False, stream=silent)
    bar.update(1)
    bar.close()
    assert not bar.is_due(1) and silent.getvalue() == ""


def test_it_is_not_drawn_all_the_time():
    stream = Terminal()
    bar = ProgressBar(1000, stream=stream)
    bar.interval = 3600.0
    for step in range(1, 1000):
        bar.update(step)
    assert stream.getvalue().count("[") == 1
    assert bar.is_due(1000), "the last step is always drawn"


def test_figures_may_be_arrays():
    figures = {"loss": 0.5, "f1": np.array([0.25, 1.0])}
    assert show(figures) == " - loss: 0.5000 - f1: [0.2500 1.0000]"


def test_the_time_left_is_that_of_the_steps_to_come(monkeypatch):
    passing = Clock(monkeypatch)
    bar = ProgressBar(10, "E", stream=(stream := Terminal()), done=4)
    passing.now += 6.0
    bar.update(6)  # two steps in six seconds; four were done before
    assert stream.getvalue().endswith("E 6/10 [############........] 12.0s left")
    passing.now += 2.0
    bar.draw()
    assert stream.getvalue().split("\r")[-1].startswith("E 6/10 [############........] 10.0s left")
    passing.now += 60.0
    bar.draw()
    assert " 0.0s left" in stream.getvalue().split("\r")[-1], "never less than nothing"


def test_before_the_first_step_it_tells_the_time_until_now(monkeypatch):
    passing = Clock(monkeypatch)
    unknown, none = (ProgressBar(5, "E", stream=Terminal(), done=done) for done in (None, 0))
    passing.now += 65.0
    for bar, count in ((unknown, "-"), (none, "0")):
        bar.draw()
        assert bar.stream.getvalue() == f"E {count}/5 [{'.' * 20}] 1m05s so far"


def test_a_line_fits_the_terminal(monkeypatch):
    monkeypatch.setattr(progress, "columns", lambda stream: 30)
    bar = ProgressBar(4, "A title that is long", stream=(stream := Terminal()))
    bar.update(1, loss=0.5)
    assert stream.getvalue() == "A title that is long 1/4 [###"


def test_a_passing_bar_leaves_nothing_on_a_terminal(monkeypatch):
    passing = Clock(monkeypatch)
    bar = ProgressBar(4, "E", stream=(stream := Terminal()), passing=True)
    passing.now += 0.4
    bar.update(4)
    assert stream.getvalue() == "", "what is over in a moment is not shown"
    passing.now += 0.2
    bar.update(2)
    shown = stream.getvalue()
    assert shown.startswith("E 2/4 [")
    bar.close()
    assert stream.getvalue() == shown + "\r" + " " * len(shown) + "\r"


@pytest.mark.parametrize("seconds, said", [(1.9, ""), (2.5, "E 4/4 in 2.5s\n")])
def test_a_passing_bar_writes_a_line_to_a_log_if_it_took_long(seconds, said, monkeypatch):
    passing = Clock(monkeypatch)
    bar = ProgressBar(4, "E", stream=(stream := io.StringIO()), passing=True)
    bar.update(2)
    passing.now += seconds
    bar.close()
    assert stream.getvalue() == said


def test_a_dumb_terminal_is_like_a_file(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    bar = ProgressBar(4, "E", stream=(stream := Terminal()))
    bar.update(2)
    assert stream.getvalue() == ""
    bar.close()
    assert stream.getvalue().startswith("E 4/4 in ")


def test_an_unfinished_bar_keeps_its_line_once():
    bar = ProgressBar(4, "E", stream=(stream := Terminal()))
    bar.leave()
    assert stream.getvalue() == "", "nothing was drawn"
    bar.update(1)
    drawn = stream.getvalue()
    bar.leave()
    bar.leave()
    assert stream.getvalue() == drawn + "\n"


def test_while_it_ticks_the_newest_bar_is_drawn_without_a_step(monkeypatch):
    monkeypatch.setattr(progress._ticker, "seconds", 3600.0)  # here the test ticks
    monkeypatch.setattr(ProgressBar, "interval", -1.0)
    outer = ProgressBar(2, "outside", stream=Terminal())
    with progress.ticking():
        first, second = (ProgressBar(2, name, stream=Terminal()) for name in ("first", "second"))
        progress._ticker.tick()
        assert "second -/2" in second.stream.getvalue() and first.stream.getvalue() == ""
        second.close()
        progress._ticker.tick()
        assert "first -/2" in first.stream.getvalue()
    assert first.stream.getvalue().endswith("so far\n"), "left open: its line is ended"
    progress._ticker.tick()
    assert outer.stream.getvalue() == ""
