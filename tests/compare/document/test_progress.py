"""Work that tells how far it is: silent unless watched, one line at a time, nothing left behind."""

import io
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from compare.document import progress
from tests import patience


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown_on(stream, monkeypatch):
    """The stream, in the place of standard error. (pytest puts its own there before every test.)"""
    monkeypatch.setattr("compare.document.progress.sys", SimpleNamespace(stderr=stream))
    return stream


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "TICK", 3600.0)  # here the test ticks
    monkeypatch.setattr(progress._line_class(), "__init__", eager(progress._line_class().__init__))
    return shown_on(Terminal(), monkeypatch)


def eager(init):
    """Bars that are drawn at every step, however fast it is."""
    return lambda line, **options: init(line, **{**options, "mininterval": 0})


def drawings(stream) -> list[str]:
    """Everything that was drawn, in order."""
    return [text.rstrip() for text in re.split("[\r\n]", stream.getvalue()) if text.strip()]


def screen(stream) -> list[str]:
    """The lines that a terminal shows in the end."""
    lines, at = [[]], 0
    for character in stream.getvalue():
        if character == "\n":
            lines, at = [*lines, []], 0
        elif character == "\r":
            at = 0
        else:
            lines[-1][at:at + 1] = character
            at += 1
    return ["".join(line).rstrip() for line in lines]


def test_nothing_is_shown_to_who_does_not_watch(terminal):
    assert list(progress.each(range(3), "Steps")) == [0, 1, 2]
    with progress.during("A step"), progress.arriving("A file") as line:
        progress.line("a line")
        assert line is None
    assert terminal.getvalue() == ""


def test_each_step_is_counted_and_the_line_is_cleared(terminal):
    with progress.watched():
        assert list(progress.each(zip("ab", range(2)), "Steps")) == [("a", 0), ("b", 1)]
    first, second, third = drawings(terminal)
    assert first.startswith("Steps 0/2 [....") and first.endswith("? left")
    assert second.startswith("Steps 1/2 [####") and second.endswith("00:00 left")
    assert third.startswith("Steps 2/2 [####") and "." not in third
    assert screen(terminal) == [""]


def test_a_step_within_a_step_has_no_bar_of_its_own(terminal):
    @progress.during("inside")
    def work():
        return list(progress.each(range(2), "deeper"))

    with progress.watched():
        for _ in progress.each(range(2), "outside"):
            assert work() == [0, 1]
        assert "inside" not in terminal.getvalue() and "deeper" not in terminal.getvalue()
        work()
        list(progress.each(range(2), "after"))
    assert "outside 1/2" in terminal.getvalue() and "after 1/2" in terminal.getvalue()
    assert "inside [00:00]" in terminal.getvalue()
    assert screen(terminal) == [""]


def test_an_error_closes_the_bar_and_goes_through(terminal):
    with progress.watched():
        with pytest.raises(KeyError), progress.during("a step"):
            raise KeyError
        for _ in progress.each(range(3), "broken off"):
            break
        list(progress.each(range(2), "after"))
    assert "after 1/2" in terminal.getvalue(), "no bar is thought to be open"
    assert screen(terminal) == [""]


def test_what_is_over_in_a_moment_is_not_shown(terminal, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 3600.0)
    with progress.watched():
        list(progress.each(range(3), "Steps"))
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("dumb", [False, True])
def test_a_log_gets_only_how_long_a_counted_job_took(monkeypatch, dumb):
    """Passing steps say nothing there, however long they take; nor is a line ever drawn over."""
    monkeypatch.setenv("TERM", "dumb")
    stream = shown_on(Terminal() if dumb else io.StringIO(), monkeypatch)
    with progress.watched():
        list(progress.each(range(3), "Steps"))
        with progress.during("A step"):
            pass
        with progress.Bar(4, "Jobs", done=1) as bar:
            bar.update(3, loss=0.5)
            bar.update(4, loss=0.25)
        with pytest.raises(KeyError), progress.Bar(4, "Broken off"):
            raise KeyError
    line, = stream.getvalue().splitlines()
    assert line.startswith("Jobs 4/4 in 0.") and line.endswith("s, loss: 0.2500")


def test_a_bar_is_replaced_by_the_time_it_took(terminal):
    with progress.Bar(4, "Jobs", done=1) as bar:
        bar.update(3, loss=0.5, accuracy=0.125)
    assert drawings(terminal)[1].endswith("left, loss: 0.5000, accuracy: 0.1250")
    line, last = screen(terminal)
    assert line.startswith("Jobs 4/4 in ") and line.endswith("loss: 0.5000, accuracy: 0.1250")
    assert last == ""
    with progress.Bar(4, "Silent", shown=False) as bar:
        bar.update(3)
    assert "Silent" not in terminal.getvalue()


def test_a_bar_that_an_interrupt_ends_keeps_its_line(terminal):
    with pytest.raises(KeyboardInterrupt), progress.Bar(4, "Jobs") as bar:
        bar.update(1)
        raise KeyboardInterrupt
    bar.leave()
    line, last = screen(terminal)
    assert line.startswith("Jobs 1/4 [") and last == ""


@pytest.mark.parametrize("width", [24, 60, 200])
def test_a_line_fits_the_terminal(terminal, monkeypatch, width):
    monkeypatch.setattr(progress, "columns", lambda stream: width)
    with progress.watched():
        list(progress.each(range(2), "A title that is a little long"))
        with progress.during("A title that is long " * 9):
            pass
        bar = progress.Bar(4, "A title")
        bar.update(1, loss=0.5)
        bar.leave()
    assert max(map(len, drawings(terminal))) <= min(width - 1, progress.WIDEST)
    if width > 24:
        assert any(text.endswith("[00:00]") for text in drawings(terminal)), "no sign of life"


def test_a_long_step_is_seen_to_live(terminal, monkeypatch):
    """The ticker draws without a step; the time that the test waits for is that of a drawing."""
    monkeypatch.setattr(progress, "TICK", 0.01)
    with progress.watched(), progress.during("A long step"):
        patience.until(lambda: len(drawings(terminal)) >= 3)
    assert set(drawings(terminal)) >= {"A long step [00:00]"} and screen(terminal) == [""]


def test_only_the_newest_bar_is_drawn_by_the_ticker(terminal):
    first, second = progress.Bar(2, "first"), progress.Bar(2, "second")
    before = terminal.getvalue()
    assert progress._open == [first, second]
    progress._open[-1].tick()
    added = terminal.getvalue()[len(before):]
    assert "second 0/2" in added and "first" not in added
    second.leave()
    first.leave()
    assert not progress._open


def test_a_check_goes_through_its_gates_on_standard_error_alone(terminal, capsys):
    import compare
    from tests.compare.support import examples

    trace = compare.record(examples.network(), *examples.batch())
    assert terminal.getvalue() == ""
    with progress.watched():
        assert compare.check(examples.network(), trace)
    for gate in ("forward", "whole numbers", "few terms"):
        assert f"'{gate}'" in terminal.getvalue(), gate
    assert capsys.readouterr().out == "" and screen(terminal) == [""]


def test_a_message_does_not_go_on_with_the_line_of_an_open_bar(terminal, capsys):
    from compare.cli.errors import interrupted

    with progress.watched():
        bar = progress.Bar(4, "Jobs")
        bar.update(1)
        assert screen(terminal) != [""]
        assert interrupted("parity fuzz") == 130
        assert screen(terminal) == [""], "the message comes where the bar was"
    assert capsys.readouterr().err == "parity fuzz: interrupted\n"


def test_a_file_that_arrives_shows_its_bytes(terminal):
    """By the calls of whoever downloads: pooch."""
    with progress.watched(), progress.arriving("Downloading a.gz") as line:
        assert line, "pooch asks"
        line.total = 2_000_000
        line.update(1_000_000)
        line.reset()
        line.update(2_000_000)
        line.close()
    assert any("1.00M/2.00M" in text for text in drawings(terminal))
    assert screen(terminal) == [""]


def test_a_notebook_gets_bars_that_live():
    cell = """
from compare.document import progress
progress.PATIENCE = 0.0
with progress.watched():
    list(progress.each(range(2), "Steps"))
with progress.Bar(4, "Jobs") as bar:
    bar.update(4, loss=0.5)"""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbclient.NotebookClient(notebook).execute()
    outputs = notebook.cells[0].outputs  # a widget, where there are any, or a line drawn over
    shown = "".join(output.get("text") or output.data["text/plain"] for output in outputs)
    assert "Steps 0/2 [" in shown and "Jobs 0/4 [" in shown
    last = outputs[-1].text.rpartition("\r")[2]
    assert last.startswith("Jobs 4/4 in ") and last.endswith("s, loss: 0.5000\n")


@pytest.mark.parametrize("start", ["import compare", "import compare.cli as c; c.main(['--help'])"])
def test_who_draws_no_bar_does_not_pay_for_it(start):
    code = f"{start}\nimport sys; assert 'tqdm' not in sys.modules, 'tqdm'"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_steps_that_share_a_bar_tell_how_far_all_of_them_are(terminal):
    with progress.watched(), progress.together({"one": 1.0, "two": 3.0}):
        assert list(progress.each("ab", "one")) == ["a", "b"]
        with progress.during("two"), progress.during("on its behalf"):
            pass
    said = drawings(terminal)
    assert [text.split(" [")[0] for text in said if "%" in text][1:] == [
        "one 12 %", "one 25 %", "one 25 %", "two 100 %"]
    assert all(text.endswith("left") for text in said) and screen(terminal) == [""]


def test_what_shares_no_bar_and_who_does_not_watch(terminal):
    with progress.together({"one": 1.0}):
        assert list(progress.each("ab", "one")) == ["a", "b"]
    assert terminal.getvalue() == ""
    with progress.watched():
        assert list(progress.each("ab", "one")) == ["a", "b"]
    assert drawings(terminal)[-1].startswith("one 2/2")
