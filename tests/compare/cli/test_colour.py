"""Colour: where it is wanted, on which words, and that nothing moves by it."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from compare.cli import colour
from compare.document import sections, tables
from compare.document.sections import Section, Table

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"\x1b\[\d*m")
GREEN, RED, YELLOW, BOLD = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[1m"


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


@pytest.mark.skipif(os.name == "nt", reason="older windows take no colours")
@pytest.mark.parametrize("terminal, environ, wanted", [
    (True, {}, True), (False, {}, False),
    (True, {"NO_COLOR": "1"}, False), (True, {"NO_COLOR": "0"}, False),
    (True, {"NO_COLOR": ""}, True),  # https://no-color.org: "when present and not empty"
    (True, {"TERM": "dumb"}, False), (True, {"TERM": "xterm"}, True),
    (False, {"FORCE_COLOR": "1"}, True), (False, {"FORCE_COLOR": ""}, False),
    (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    (False, {"FORCE_COLOR": "1", "TERM": "dumb"}, True)])
def test_where_colour_is_wanted(terminal, environ, wanted):
    assert colour.wanted(Stream(terminal), environ) is wanted


def test_the_two_streams_are_judged_each_by_itself(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", out := Stream(False))
    monkeypatch.setattr(sys, "stderr", err := Stream(True))
    colour.show("Parity holds: all 3 rows.")
    colour.tell("parity check: error: expected a. Received: b")
    assert out.getvalue() == "Parity holds: all 3 rows.\n"
    assert CODE.search(err.getvalue()) if os.name != "nt" else True
    assert CODE.sub("", err.getvalue()) == "parity check: error: expected a. Received: b\n"


@pytest.mark.parametrize("text, painted", [
    ("Parity holds: all 91 rows", [GREEN + "Parity holds"]),
    ("Twins: Parity does not hold: 2 of 91 rows fail. First", [RED + "Parity does not hold",
                                                            RED + "2 of 91 rows fail"]),
    ("Accuracy: equivalent. The mean", [GREEN + ": equivalent"]),
    ("Accuracy: different. The mean", [RED + ": different"]),
    ("F1: not enough runs. 2 pairs", [YELLOW + ": not enough runs"]),
    ("4 of 100 fail: numbers 1, 2, 3, 4", [RED + "4 of 100 fail"]),
    ("12 of 12 (100 %) faults detected, 11 of 12 (92 %) in the right layer; 0 false alarms on 3",
     [GREEN + "12 of 12 (100 %) faults detected", GREEN + "0 false alarms"]),
    ("11 of 12 (91.7 %) faults detected; 10 false alarms on 30",
     [RED + "11 of 12 (91.7 %) faults detected", RED + "10 false alarms"]),
    ("2 of 12 (16.7 %) faults detected", [RED + "2 of 12 (16.7 %) faults detected"]),
    ("PARTIAL: interrupted by Ctrl-C", [YELLOW + "PARTIAL", YELLOW + "interrupted"]),
    ("NOT Fashion-MNIST: it was", [YELLOW + "NOT Fashion-MNIST"]),
    ("Cause: dense output: bias-doubled", [BOLD + "Cause"]),
    ("       Remedy: add it once", [BOLD + "Remedy"]),
    ("parity fuzz: interrupted; what", [YELLOW + "interrupted"]),
    # prose that only mentions such words
    ("If parity holds, rows that passed are exact.", []), ("It is equivalent to a Dense.", []),
    ("the test failed before", []), ("passed  exact  FAILED", [])])
def test_the_words_of_a_sentence(text, painted):
    found = colour.coloured(text)
    assert CODE.sub("", found) == text
    assert re.findall(r"(\x1b\[\d+m.*?)\x1b\[0m", found) == painted


HEADERS = ["layer", "bound", "used", "verdict", "note"]
ROWS = [["exact", "exact", "0", "exact", ""],
        ["passed", "normwise", "12", "passed", "passed by a hair"],
        ["conv", "exact", "300", "FAILED: candidate", "FAILED"],
        ["dense", "normwise", "200", "failed: downstream", ""]]


@pytest.mark.parametrize("tablefmt", sorted(tables.ON_TERMINAL - {"pretty"}))
def test_a_table_has_its_verdicts_coloured_and_nothing_else(tablefmt):
    table = tables.render(HEADERS, ROWS, tablefmt)
    found = colour.coloured(table + "\n\npassed", tablefmt)
    assert CODE.sub("", found) == table + "\n\npassed"
    # of tables, only the four words of the column 'verdict'
    words = [word for word in re.findall(r"(\x1b\[\d+m\w+)\x1b\[0m", found) if BOLD not in word]
    assert words == [GREEN + "exact", GREEN + "passed", RED + "FAILED", RED + "failed"]


@pytest.mark.parametrize("tablefmt", ["github", "latex", "html", "tsv", "rst"])
def test_what_is_pasted_elsewhere_stays_plain(tablefmt):
    text = "Parity holds\n============\n\n" + tables.render(HEADERS, ROWS, tablefmt)
    assert colour.coloured(text, tablefmt) == text


def test_headings_are_bold_and_tables_heads_are_not():
    report = sections.as_text([
        Section("A title that is so long that it does not fit a single line of eighty columns "
                "by any means",
                ["said"], Table(["a", "b"], [["1", "x"], ["2", "y"]])),
        Section("Second", ["more"])])
    found = colour.coloured(report)
    assert CODE.sub("", found) == report
    bold = re.findall(r"\x1b\[1m(.*?)\x1b\[0m", found)
    title = report.split("\nsaid")[0].splitlines()
    assert bold == [*title, "Second", "------"] and len(title) == 3


def test_files_are_never_coloured(tmp_path):
    """The whole command, told to colour: what it prints has colours, what it writes has none."""
    environ = {**os.environ, "FORCE_COLOR": "1"}
    environ.pop("NO_COLOR", None)
    paths = [tmp_path / name for name in ("g.json", "g.html", "g.xml")]
    golden = tmp_path / "golden.npz"
    program = "import sys; from compare.cli import main; sys.exit(main())"
    import compare
    from tests.compare.support import examples

    compare.record(examples.network(), *examples.batch()).save(golden)
    done = subprocess.run(
        [sys.executable, "-c", program, "check", "--golden", str(golden), "--json", str(paths[0]),
         "--html", str(paths[1]), "--junit", str(paths[2])],
        capture_output=True, text=True, cwd=ROOT, env=environ)
    assert done.returncode == 0, done.stderr
    assert GREEN + "Parity holds" in done.stdout and GREEN + "exact" in done.stdout
    for path in paths:
        assert path.read_text(encoding="utf-8") and "\x1b[" not in path.read_text(encoding="utf-8")
