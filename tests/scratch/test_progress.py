"""The progress bar: what it draws on a terminal and elsewhere."""

import io
import subprocess
import sys
import time

import nbclient
import nbformat
import numpy as np
import pytest

import scratch
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
    before, *lines, cleared, last = stream.getvalue().split("\r")
    assert before == cleared.strip() == "" and len(lines) == 4
    for line, expected, loss in ((lines[0], drawn[0], 0.125), (lines[3], drawn[1], 0.5)):
        assert line.startswith(expected) and f"- loss: {loss:.4f}" in line
    assert last.startswith(closed) and last.endswith(" - loss: 0.5000\n")


def test_a_file_sees_the_last_line_alone():
    stream = io.StringIO()
    bar = ProgressBar(4, "E", stream=stream)
    assert not bar.is_due(4)
    bar.update(4, loss=1.0)
    assert stream.getvalue() == ""
    bar.close(loss=1.0)
    assert stream.getvalue().startswith("E 4/4 in ") and stream.getvalue().endswith("1.0000\n")
    silent = Terminal()
    bar = ProgressBar(4, "E", stream=silent, moving=False)
    assert not bar.is_due(4)
    bar.update(4, loss=1.0)
    assert silent.getvalue() == "", "no bar was wanted"
    bar.close(loss=1.0)
    assert silent.getvalue().startswith("E 4/4 in ") and "\r" not in silent.getvalue()
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
    bar = ProgressBar(10, "E", stream=(stream := Terminal()))
    passing.now += 18.0
    bar.update(6)  # six steps in eighteen seconds
    assert stream.getvalue().endswith("E 6/10 [############........] 12.0s left")


def test_before_the_first_step_it_tells_the_time_until_now(monkeypatch):
    passing = Clock(monkeypatch)
    bar = ProgressBar(5, "E", stream=Terminal())
    passing.now += 65.0
    bar.draw()
    bar.leave()
    assert bar.stream.getvalue() == f"\rE -/5 [{'.' * 20}] 1m05s so far\n"


def test_a_line_fits_the_terminal(monkeypatch):
    monkeypatch.setattr(progress, "columns", lambda stream: 30)
    bar = ProgressBar(4, "A title that is long", stream=(stream := Terminal()))
    bar.update(1, loss=0.5)
    assert stream.getvalue() == "\rA title that is long 1/4 [###"


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


def test_a_bar_that_an_error_passes_keeps_its_line():
    with pytest.raises(KeyError), ProgressBar(4, "E", stream=(stream := Terminal())) as bar:
        bar.update(1)
        raise KeyError
    assert stream.getvalue().startswith("\rE 1/4 [") and stream.getvalue().endswith("left\n")
    with ProgressBar(4, "E", stream=(stream := Terminal())) as bar:
        bar.close()
    assert stream.getvalue().count("\n") == 1, "a bar that was closed has one line"


@pytest.mark.parametrize("verbose, bars, lines", [("auto", True, True), (1, True, True),
                                                  (2, False, True), (0, False, False)])
def test_what_verbose_promises(verbose, bars, lines, monkeypatch):
    monkeypatch.setattr(progress.sys, "stdout", stream := Terminal())
    x, y = np.ones((6, 2)), np.zeros(6)
    model = scratch.Sequential([scratch.Input((2,)), scratch.Dense(1)])
    model.compile("sgd", "mse")
    for work in (lambda: model.fit(x, y, batch_size=2, epochs=2, verbose=verbose),
                 lambda: model.evaluate(x, y, batch_size=2, verbose=verbose),
                 lambda: model.predict(x, batch_size=2, verbose=verbose)):
        work()
    shown = stream.getvalue()
    assert shown.count("\n") == (4 if lines else 0), "one for each epoch and each other pass"
    for title in ("Epoch 1/2", "Epoch 2/2", "Evaluate", "Predict"):
        assert (f"{title} 3/3 [####################]" in shown) == bars
        assert (f"{title} 3/3 in " in shown) == lines


def test_nothing_is_drawn_by_tqdm_before_there_is_a_bar():
    script = ("import sys, numpy as np, scratch; m = scratch.Sequential([scratch.Dense(1)]); "
              "m.compile('sgd', 'mse'); m.fit(np.ones((4, 2)), np.ones(4)); "
              "sys.exit('tqdm' in sys.modules)")
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.startswith("Epoch 1/1 1/1 in ")


def test_a_notebook_gets_a_bar_that_lives():
    cell = """
from scratch.progress import ProgressBar
ProgressBar.interval = -1.0
bar = ProgressBar(2, "E")
bar.update(1)
bar.update(2)
bar.close()"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbclient.NotebookClient(notebook).execute()
    outputs = notebook.cells[0].outputs  # a widget, where there are any, or a line drawn over
    shown = "".join(output.get("text") or output.data["text/plain"] for output in outputs)
    assert "E 1/2 [" in shown
    last = outputs[-1].text.rpartition("\r")[2]
    assert last.startswith("E 2/2 in ") and last.endswith("s\n")
