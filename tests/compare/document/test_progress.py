"""Work that tells how far it is: silent unless watched, one line at a time, nothing left behind."""

import io
from types import SimpleNamespace

import pytest

from compare.document import progress
from scratch.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown_on(stream, monkeypatch):
    """The stream, in the place of standard error. (pytest puts its own there before every test.)"""
    for module in ("scratch.progress.sys", "compare.document.progress.sys"):
        monkeypatch.setattr(module, SimpleNamespace(stderr=stream))
    return stream


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(ProgressBar, "patience", -1.0)
    monkeypatch.setattr(ProgressBar, "interval", -1.0)
    return shown_on(Terminal(), monkeypatch)


def test_nothing_is_shown_to_who_does_not_watch(terminal):
    assert list(progress.each(range(3), "Steps")) == [0, 1, 2]
    with progress.during("A step"):
        progress.line("a line")
    assert terminal.getvalue() == ""


def test_each_step_is_counted_and_the_line_is_cleared(terminal):
    with progress.watched():
        assert list(progress.each(zip("ab", range(2)), "Steps")) == [("a", 0), ("b", 1)]
    _, first, *_ = terminal.getvalue().split("\r")
    assert first.startswith("Steps 1/2 [##########..........]") and first.endswith(" left")
    assert terminal.getvalue().endswith(" \r")


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


def test_an_error_closes_the_bar_and_goes_through(terminal):
    with progress.watched():
        with pytest.raises(KeyError), progress.during("a step"):
            raise KeyError
        for _ in progress.each(range(3), "broken off"):
            break
        list(progress.each(range(2), "after"))
    assert "after 1/2" in terminal.getvalue(), "no bar is thought to be open"


def test_a_log_gets_a_line_only_for_what_took_long(monkeypatch):
    for long, said in ((3600.0, 0), (0.0, 2)):
        monkeypatch.setattr(ProgressBar, "long", long)
        stream = shown_on(io.StringIO(), monkeypatch)
        with progress.watched():
            list(progress.each(range(3), "Steps"))
            with progress.during("A step"):
                pass
        assert len(stream.getvalue().splitlines()) == said and "\r" not in stream.getvalue()


def test_a_check_goes_through_its_gates_on_standard_error_alone(terminal, capsys):
    import compare
    from tests.compare.support import examples

    trace = compare.record(examples.network(), *examples.batch())
    assert terminal.getvalue() == ""
    with progress.watched():
        assert compare.check(examples.network(), trace)
    for gate in ("forward", "whole numbers", "few terms"):
        assert f"'{gate}'" in terminal.getvalue(), gate
    assert capsys.readouterr().out == ""


def test_a_message_does_not_go_on_with_the_line_of_an_open_bar(terminal, capsys):
    from compare.cli.errors import interrupted

    with progress.watched():
        bar = ProgressBar(4, "Jobs")
        bar.update(1)
        assert not terminal.getvalue().endswith("\n")
        assert interrupted("parity fuzz") == 130
        assert terminal.getvalue().endswith("left\n")
    assert capsys.readouterr().err == "parity fuzz: interrupted\n"
