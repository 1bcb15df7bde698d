"""Somebody's reference.py, scratch.py or compare.py beside their network: neither is lost."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import own_packages
from tests import patience

ROOT = Path(__file__).parents[3]
NETWORK = """
import scratch as theirs


def build():
    import numpy as np
    from scratch import Dense, Input, Sequential
    return Sequential([Input((3,)), Dense(2)]), Sequential([Input((3,)), Dense(2)])
"""
# the command as it is installed: without the current folder on the path
PROGRAM = "import sys; from compare.cli import main; sys.exit(main(sys.argv[1:]))"


def parity(folder, *options, path=(ROOT,)):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), "PYTHONSAFEPATH": "1"}
    return subprocess.run([sys.executable, "-P", "-c", PROGRAM, *options], cwd=folder, env=env,
                          capture_output=True, text=True, timeout=patience.SECONDS)


needs_safe_path = pytest.mark.skipif(sys.version_info < (3, 11), reason="needs Python's option -P")


@pytest.mark.sampled(3)
@needs_safe_path
@pytest.mark.parametrize("name", ["reference", "scratch", "compare"])
def test_their_own_file_of_our_name_is_what_model_names(tmp_path, name):
    (tmp_path / f"{name}.py").write_text(NETWORK)
    golden = []
    if name != "reference":  # which nothing imports where there is a recorded trace
        network = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
        compare.record(network, np.ones((2, 3)), upstream=np.ones((2, 2))).save(tmp_path / "g.npz")
        golden = ["--golden", "g.npz"]
    run = parity(tmp_path, "check", "--model", f"{name}:build", *golden)
    assert f"Checking {name}:build" in run.stdout, run.stdout + run.stderr


@needs_safe_path
def test_their_file_does_not_take_the_place_of_ours(tmp_path):
    for name in own_packages.OURS:
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('theirs')")
    (tmp_path / "mine.py").write_text(NETWORK)
    run = parity(tmp_path, "check", "--model", "mine:build", path=(ROOT, tmp_path))
    assert "Checking mine:build" in run.stdout, run.stdout + run.stderr


@pytest.mark.long
@needs_safe_path
def test_a_file_that_imports_theirs_is_told_which_name_is_in_the_way(tmp_path):
    (tmp_path / "reference.py").write_text("def network(): pass\n")
    (tmp_path / "mine.py").write_text("from reference import network\n")
    run = parity(tmp_path, "check", "--model", "mine:build")
    assert run.returncode == 2 and run.stdout == ""
    last = run.stderr.splitlines()[-1]
    assert "own packages in place of reference.py" in last and "Rename it" in last, run.stderr


def test_a_module_of_our_name_that_came_first_is_named(tmp_path):
    (tmp_path / "scratch.py").write_text("")
    run = subprocess.run([sys.executable, "-c", "import scratch, compare"], cwd=tmp_path,
                         env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path),
                                                                           str(ROOT)])},
                         capture_output=True, text=True, timeout=patience.SECONDS)
    last = run.stderr.splitlines()[-1]
    assert "Expected keras-parity's package 'scratch'" in last
    assert str(tmp_path / "scratch.py") in last
