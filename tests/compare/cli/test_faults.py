"""`parity faults` as people run it: the catalogue listed, bad input, and a short run."""

import json

import pytest

from compare.cli import main
from compare.evaluation.faults.catalogue import faults


def test_the_catalogue_is_listed_without_tensorflow(capsys):
    assert main(["faults", "--list", "--format", "github"]) == 0
    shown = capsys.readouterr().out
    assert all(f"| {fault.identifier} " in shown for fault in faults())
    assert main(["faults", "--list", "--only", "permute-inverse"]) == 0
    assert "permute-dx" not in capsys.readouterr().out


@pytest.mark.parametrize("argv, message", [
    (["--only", "no-such"], "Expected a fault's identifier"),
    (["--resume"], "expected --runs with --resume"),
    (["--address", "tcp://here:1"], "expected --backend dask or ray with --address"),
    (["--count", "-1"], "expected an integer of 0 or more")])
def test_bad_input_is_one_line(argv, message, capsys):
    assert main(["faults", *argv]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.long
def test_a_short_run(tmp_path, capsys):
    argv = ["faults", "--only", "permute-inverse", "--count", "1", "--out", str(tmp_path / "out"),
            "--runs", str(tmp_path / "runs"), "--json", str(tmp_path / "faults.json")]
    assert main(argv) == 0
    shown = capsys.readouterr().out
    assert "1 of 1 (100 %) faults detected" in shown and "0 false alarms on 1 clean" in shown
    said = json.loads((tmp_path / "faults.json").read_text())
    assert said["passed"] and said["scores"][0]["where"] == "whole numbers: permute output"
    assert (tmp_path / "out" / "faults.md").read_text().count("|") > 50
    assert main([*argv, "--resume"]) == 0, "nothing is left to do"
    assert capsys.readouterr().out == shown
