"""JUnit's XML and GitHub's annotations: a case for each row, and text that survives both."""

import re
import shlex
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.checks.row import Row, raised
from compare.cli import build_parser
from compare.report import github_annotations
from compare.report.junit import junit
from compare.report.report import Report, describe
from compare.tracing.layer_error import LayerError
from tests.compare.support import html_cases

ODD = "a\x00<&\"'>\x1b[31m\ud800 ü ✓\nb"


def report(rows) -> Report:
    return Report(rows, "ours", "theirs", "float32", 2, [], [])


def failed(number, downstream=False, note="no, not: 50%\r\nof it"):
    return Row("forward", f"layer_{number}", "output", False, used=np.inf, note=note,
               downstream=downstream)


def test_every_row_is_a_case_in_the_suite_of_its_gate():
    found = html_cases.report(html_cases.Off)
    root = ElementTree.fromstring(junit(found, "the model").encode())
    assert root.tag == "testsuites" and root.get("name") == "the model"
    assert int(root.get("tests")) == len(found.rows)
    assert int(root.get("failures")) == sum(not row.passed for row in found.rows) > 0
    for suite in root:
        rows = [row for row in found.rows if row.gate == suite.get("name")]
        cases = suite.findall("testcase")
        assert [case.get("name") for case in cases] == [row.name or row.gate for row in rows]
        for case, row in zip(cases, rows):
            assert not row.stopped and case.find("error") is None
            failure = case.find("failure")
            assert (failure is None) == row.passed
            if failure is not None:
                assert failure.get("message") == describe(row)
                assert ("downstream" in failure.get("type")) == row.downstream
        assert suite.get("failures") == str(sum(not row.passed for row in rows))
    assert sum(len(suite) for suite in root) == len(found.rows)


def test_what_raised_is_an_error_and_a_number_over_its_bound_a_failure():
    rows = [Row("forward", "ours", "output", False, used=2.0, actual=1.0, expected=2.0, size=1,
                over=1),
            raised(Gate.FORWARD, "broken", "output", "its forward pass raised KeyError: 'w'"),
            raised(Gate.FORWARD, "odd", "output", LayerError("expected an array")),
            Row("forward", "none", "output", True, unjudged=3, note="not judged")]
    root = ElementTree.fromstring(junit(report(rows), "mine:build"))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "2", "2")
    kinds = {case.get("name"): case[0].tag for case in root.iter("testcase")}
    assert kinds == {"ours output": "failure", "broken output": "error", "odd output": "failure",
                     "none output": "error"}
    assert {case.get("classname") for case in root.iter("testcase")} == {
        "parity.mine:build.forward"}
    assert "KeyError" in root.find("testsuite/testcase/error").get("message")


def test_a_layer_that_raises_is_an_error_wherever_it_is_run():
    def broken(x):
        raise KeyError("w")

    right = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, name="dense")])
    trace = compare.record(right, np.ones((2, 3), "float32"), upstream=np.eye(2))
    wrong = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, name="dense")])
    wrong.set_weights(right.get_weights())
    wrong.layers[-1].forward = lambda x, *rest, **more: broken(x)
    root = ElementTree.fromstring(junit(compare.check(wrong, trace)))
    errors = root.findall("testsuite/testcase/error")
    assert errors and all("KeyError" in error.text for error in errors)
    assert not root.findall("testsuite/testcase/failure")
    assert root.get("failures") == "0" and root.get("errors") == str(len(errors))


def test_the_seconds_of_a_check_are_told():
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
    began = time.perf_counter()
    found = compare.check(model, compare.record(model, np.ones((2, 3), "float32"),
                                                upstream=np.eye(2)))
    took = time.perf_counter() - began
    root = ElementTree.fromstring(junit(found, "folder/my.model.keras"))
    assert 0 < float(root.get("time")) <= took + 0.001
    known = {suite.get("name"): float(suite.get("time")) for suite in root if suite.get("time")}
    assert {"whole numbers", "few terms", "extremes"} <= set(known)
    assert 0 < sum(known.values()) <= float(root.get("time")) + 0.001 * len(known)
    classes = {case.get("classname") for case in root.iter("testcase")}
    assert "parity.folder/my_model_keras.whole_numbers" in classes
    assert junit(report([]), "x").count("time=") == 0


def test_no_text_breaks_the_xml():
    rows = [Row("forward", ODD, ODD, False, used=np.inf, note=ODD)]
    root = ElementTree.fromstring(junit(report(rows), ODD).encode())
    case = root.find("testsuite/testcase")
    assert case.get("name").startswith("a\\x00<&\"'>\\x1b")
    assert "ü ✓" in case.find("failure").text


def test_a_failure_is_an_error_of_one_line_escaped_as_github_reads_it():
    line, = github_annotations.annotations(report([failed("a:b,c")]), "about")
    title, message = line.removeprefix("::error title=").split("::", 1)
    assert "\n" not in line and "\r" not in line
    assert title == "Parity%3A forward%2C layer_a%3Ab%2Cc output"
    assert message == "layer_a:b,c output: no, not: 50%25%0D%0Aof it."


def test_what_lies_behind_another_failure_is_left_out_and_a_flood_is_cut():
    rows = [failed(0), failed(1, downstream=True)]
    assert len(github_annotations.annotations(report(rows), "about")) == 1
    for count in (10, 11, 40):
        lines = github_annotations.annotations(report([failed(i) for i in range(count)]), "about")
        assert len(lines) == 10
        assert all(line.startswith("::error ") for line in lines)
        assert (f"{count - 9} more failures" in lines[-1]) == (count > 10)


def test_parity_is_a_notice():
    line, = github_annotations.annotations(html_cases.report(), "Checking it")
    assert line.startswith("::notice title=Parity holds::Checking it: Parity holds")


@pytest.mark.parametrize("option, variable, wanted", [
    (None, "true", True), (None, "", False), (None, None, False), (False, "true", False),
    (True, None, True)])
def test_annotations_are_automatic_on_github_alone(option, variable, wanted, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    if variable is not None:
        monkeypatch.setenv("GITHUB_ACTIONS", variable)
    assert github_annotations.wanted(option) is wanted


def test_the_job_s_page_gets_the_verdict_and_a_table(tmp_path, monkeypatch):
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    found = html_cases.report(html_cases.Off)
    github_annotations.write_summary(found, "Checking it\nsecond line")
    text = page.read_text()
    assert text.startswith("before\n### ❌ Checking it\n") and found.summary() in text
    assert "| forward" in text
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    github_annotations.write_summary(found, "Checking it")
    assert page.read_text() == text


def test_every_command_in_the_instructions_is_one():
    text = (Path(compare.__file__).parent / "guides" / "CI.md").read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```.*?\n(.*?)```", text, re.S))
    commands = re.findall(r"^ *(?:- )?(?:run: )?(parity [^#\n]*)", blocks, re.M)
    assert len(commands) == 4
    for command in commands:
        args = build_parser().parse_args(shlex.split(command)[1:])
        assert args.command in ("check", "record")
