"""Colour: where it is wanted, which pieces have it, and that nothing moves by it."""

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compare.checks.row import Row
from compare.cli import colour, errors
from compare.document import tables
from compare.document.text import as_lines, bad, good, line, lines, strong, warning
from compare.evaluation import fuzzing
from compare.evaluation.faults import tables as faults_tables
from compare.evaluation.fuzzing import report as fuzz_report
from compare.experiments import benchmark, replication
from compare.experiments.replication.statistics import equivalence
from compare.report import row_table
from compare.report.narrative import plain_words
from compare.report.report import Report
from tests.compare.evaluation.faults.test_scoring import result as faults
from tests.compare.support import html_cases

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


@pytest.fixture
def coloured(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")


def test_the_two_streams_are_judged_each_by_itself(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", out := Stream(False))
    monkeypatch.setattr(sys, "stderr", err := Stream(True))
    colour.show(line(good("Parity holds"), ": all 3 rows."))
    errors.complain("parity check", "expected a. Received: b", "Give a")
    assert out.getvalue() == "Parity holds: all 3 rows.\n"
    assert CODE.search(err.getvalue()) if os.name != "nt" else True
    assert CODE.sub("", err.getvalue()) == \
        "parity check: error: expected a. Received: b. Give a\n"


def test_each_tone_has_its_colour_and_none_goes_over_a_line():
    text = lines([line(good("a"), bad("b"), warning("c"), "d"), strong(as_lines("e\n\nf"))])
    assert colour.coloured(text) == (f"{GREEN}a\x1b[0m{RED}b\x1b[0m{YELLOW}c\x1b[0md\n"
                                     f"{BOLD}e\x1b[0m\n\n{BOLD}f\x1b[0m")


@pytest.mark.parametrize("tablefmt", ["github", "latex", "html", "tsv", "rst"])
def test_what_is_meant_for_other_programs_stays_plain(tablefmt, coloured, capsys):
    text = html_cases.report().render(tablefmt)
    colour.show(text, tablefmt)
    assert capsys.readouterr().out == f"{text}\n"
    colour.show(text)
    assert GREEN + "Parity holds" in capsys.readouterr().out


def test_what_was_not_made_visible_before_is_so_when_it_is_printed(coloured, capsys):
    colour.show("one\ntwo\x1b[2J\n::stop-commands::x")
    colour.tell("Wrote a\x1b[2J\nb")
    out, err = capsys.readouterr()
    assert out == "one\ntwo\\x1b[2J\n\\x3a:stop-commands::x\n" and err == "Wrote a\\x1b[2J\\nb\n"


# What is said, piece by piece


def pieces(text) -> list[str]:
    """The coloured pieces of a text, each behind its code."""
    found = colour.coloured(text)
    assert CODE.sub("", found) == text
    return re.findall(r"(\x1b\[\d+m.*?)\x1b\[0m", found)


def test_a_report_that_holds():
    found = pieces(html_cases.report().render())
    assert found[-2:] == [BOLD + "Gates passed", GREEN + "Parity holds"]
    assert set(found[:-2]) == {GREEN + "equal"}
    rows = [Row("forward", "a", "output", True, max_abs=1.0), Row("forward", "b", "output", True)]
    assert pieces(row_table.render(rows, rows, "simple")) == [GREEN + "passed", GREEN + "equal"]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("tablefmt", sorted(tables.ON_TERMINAL))
def test_a_report_that_does_not_hold(tablefmt):
    report = html_cases.report(html_cases.Off)
    found = pieces(report.render(tablefmt))
    shown = [row for row in report.rows if not row.passed
             or row.gate in ("forward", "loss", "backward", "update", "whole network")]
    words = [GREEN + ("equal" if row.max_abs == 0 else "passed") if row.passed else
             RED + ("failed" if row.downstream else "FAILED") for row in shown]
    assert found[:len(shown)] == words and RED + "failed" in words
    count = sum(not row.passed for row in report.rows)
    assert found[len(shown):] == [BOLD + "Gates passed", BOLD + "Cause",
                                  RED + "Parity does not hold",
                                  RED + f"{count} of {len(report.rows)} rows fail"]
    assert [pieces(text) for text in report.explanation()] == [
        [BOLD + "Cause"], [BOLD + "Evidence"], [BOLD + "Remedy"]]


def test_wide_and_failures_alone_have_it_too():
    report = html_cases.report(html_cases.Off)
    assert len(pieces(report.table(wide=True))) == len(report.rows)
    assert {piece[:5] for piece in pieces(report.failures())} == {RED}


def test_a_name_that_looks_like_a_verdict_gets_no_tone():
    names = dict(first="failed", last="Parity holds")
    plain, odd = html_cases.report(html_cases.Off), html_cases.report(html_cases.Off, **names)
    assert "failed " in odd.render() and "Parity holds" in odd.summary()
    assert pieces(odd.render()) == pieces(plain.render())
    assert not any(pieces(text) for text in plain_words(odd.rows))
    row = Row("network", "", "layers", False, note="Parity holds: FAILED, exact. Cause: PARTIAL")
    assert pieces(replace(odd, rows=[row]).summary()) == [
        RED + "Parity does not hold", RED + "1 of 1 rows fail"]


def test_a_benchmark_colours_its_check_and_what_has_to_be_known_first():
    trained, _ = html_cases.benchmark()
    stopped, refused = html_cases.partial()
    assert GREEN + "Parity holds" in pieces(benchmark.render(trained))
    assert YELLOW + "PARTIAL" in pieces(benchmark.render(stopped))
    assert BOLD + "Results" in pieces(benchmark.render(trained))
    trained.data.fallback_reason = "FAILED"
    assert YELLOW + "NOT Fashion-MNIST" in pieces(benchmark.render(trained))
    refused, _ = html_cases.refused()
    found = pieces(benchmark.render(refused))
    assert RED + "FAILED" in found and RED + "Parity does not hold" in found


@pytest.mark.parametrize("differences, piece", [
    ([0.001, 0.0012, 0.0008, 0.001], GREEN + "equivalent"),
    ([0.2, 0.21, 0.19, 0.2], RED + "different"), ([0.2], YELLOW + "not enough runs")])
def test_an_outcome_of_several_runs(differences, piece):
    found = equivalence(differences, [0.0] * len(differences)).sentence("different: failed")
    assert pieces(found) == [piece]


def test_a_campaign_has_the_outcomes_of_both_measures():
    result = html_cases.replication()
    outcomes = [result.equivalence(measure).verdict for measure in ("accuracy", "macro_f1")]
    found = [piece for piece in pieces(replication.render(result)) if BOLD not in piece]
    assert [CODE.sub("", piece) for piece in found] == outcomes


def test_random_networks():
    networks = fuzzing.Result(7, list(range(4)), seconds=3.0)
    assert pieces(fuzz_report.verdict(networks)) == [GREEN + "Parity holds"]
    failure = fuzzing.Outcome("forward", "conv output: FAILED", 0.1)
    networks.failures.append(fuzzing.running.Failure(
        3, failure, networks.specifications()[3], failure))
    networks.interrupted = True
    assert pieces(fuzz_report.verdict(networks)) == [YELLOW + "Interrupted", RED + "1 of 4 fail"]
    assert all(BOLD in piece or piece in pieces(fuzz_report.verdict(networks))
               for piece in pieces(fuzz_report.render(networks)))


def test_scores_are_good_only_if_they_are_all():
    right, missed = faults(), faults(detected=False, placed=False, tensor=False)
    for each in (right, missed):
        for clean in each.clean:
            clean.alarm = ""
    missed.clean[0].alarm = "forward: dense"
    total = len(right.scores)
    assert pieces(faults_tables.verdict(right)) == [
        f"{GREEN}{total} of {total} (100 %) faults detected", f"{GREEN}0 false alarms"]
    bad_ones = pieces(faults_tables.verdict(missed))
    assert [piece[:5] for piece in bad_ones] == [RED, RED] and "1 false alarms" in bad_ones[1]


def test_errors_and_interruptions(coloured, capsys):
    errors.complain("parity bench", html_cases.report(html_cases.Off).summary(), "Find out why")
    errors.interrupted("parity fuzz", "; what was finished is in the report")
    first, second = capsys.readouterr().err.splitlines()
    assert re.findall(r"(\x1b\[\d+m.*?)\x1b\[0m", first)[:2] == [
        RED + "error", RED + "Parity does not hold"]
    assert second == f"parity fuzz: {YELLOW}interrupted\x1b[0m; what was finished is in the report"


# What comes from outside


EVIL = "x\x1b[31m\n::stop-commands::\u202ey"


def test_names_and_notes_are_shown_escaped_wherever_a_report_is_read():
    report = html_cases.report(html_cases.Off, first=EVIL, last=EVIL + "2")
    report.rows[0] = replace(report.rows[0], note=EVIL)
    report.nonfinite, report.candidate = [f"candidate: {EVIL}"], EVIL
    texts = [report.render(), report.render(wide=True), report.failures(), report.summary(),
             report.blindness(), str(report), *plain_words(report.rows), *report.explanation(),
             *map(str, report.diagnosis), report.render("github"), report.table("tsv")]
    for text in texts:
        assert not re.search(r"(?m)^\s*::", text), text
        assert all(letter in "\n\t" or letter.isprintable() for letter in text), ascii(text)
    assert r"x\x1b[31m\n::stop-commands::\u202ey" in report.summary()
    assert all(r"\x1b[31m" in text for text in (report.render(), report.explanation()[0]))


def test_a_name_stays_as_it_is_for_programs():
    report = html_cases.report(html_cases.Off, last=EVIL)
    assert EVIL in {row["layer"].split("/")[0] for row in report.as_dict()["rows"]}


def test_a_name_that_begins_like_a_command_begins_no_line():
    name = "::stop-commands::token"
    report = html_cases.report(html_cases.Off, first=name, last=name + "2")
    for tablefmt in ("simple", "plain", "tsv", "github"):
        assert not re.search(r"(?m)^\s*::", report.render(tablefmt))
    rows = [Row("forward", "", "output", False, note=f"{name} " * 20)]
    text = Report(rows, name, name, "float32", 2, [], []).render()
    assert name not in text and r"\x3a:stop-commands::token" in text


def test_messages_of_errors_and_paths_are_shown_escaped(capsys):
    from compare.cli import main

    assert main(["check", "--golden", "no\x1b[31m\n::error::file.npz"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "\x1b" not in err and r"no\x1b[31m" in err


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
    assert GREEN + "Parity holds" in done.stdout and GREEN + "equal" in done.stdout
    for path in paths:
        assert path.read_text(encoding="utf-8") and "\x1b[" not in path.read_text(encoding="utf-8")
