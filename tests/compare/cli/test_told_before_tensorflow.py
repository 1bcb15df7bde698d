"""What can be told at once is told before TensorFlow starts, which takes seconds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import patience

ROOT = Path(__file__).parents[3]
OPTIONS = {
    "a module that is not there": ("--model nowhere:build", "No module named 'nowhere'"),
    "a module with a slip": ("--model slipped:build", "SyntaxError"),
    "a module that raises": ("--model raising:build", "RuntimeError: at once"),
    "a name that is not in it": ("--model plain:build", "Expected a callable 'build'"),
    "a name of a number": ("--model plain:number", "Expected a callable 'number'"),
    "a model that is not there": ("--model missing.keras", "missing.keras, which is no file"),
    "a file that is no model": ("--model text.keras", "expected a model saved by Keras"),
    "custom objects that are not there": (
        "--model text.keras --custom-objects missing.py", "missing.py, which is no file"),
    "a file without custom objects": (
        "--model text.keras --custom-objects plain.py", "to define custom_objects"),
    "a batch that is not there": ("--input missing.npz", "missing.npz, which is no file"),
    "a batch without x": ("--input other.npz", "expected arrays named x and y"),
    "images that are not there": ("--data-dir missing", "does not lead to Fashion-MNIST"),
    "a precision that is none": ("--dtype float8", "invalid choice: 'float8'"),
    "a size of no model": ("--size 3 3", "Expected --size with a --model"),
}
MODELS = [name for name, (options, _) in OPTIONS.items() if options.startswith("--model")]
COMMANDS = {
    "check": list(OPTIONS), "debug": list(OPTIONS), "record --out t.npz": list(OPTIONS),
    "support": MODELS,
}
OTHERS = {
    "check --golden missing.npz": "missing.npz, which is no file",
    "check --golden other.npz": "expected a whole file written by `parity record`",
    "check --outputs missing.npz --model plain:build --input other.npz": "which is no file",
    "check --outputs missing.onnx --model plain:build": "which is no file",
    "check --layers a --sample 2": "Expected --layers or --sample",
    "check --json missing/x.json": "missing is no directory",
    "bench --data-dir missing": "does not lead to Fashion-MNIST",
    "bench --network other": "invalid choice: 'other'",
    "bench --json missing/x.json": "missing is no directory",
    "speed --json missing/x.json": "missing is no directory",
    "fuzz --count 0": "expected a positive integer",
    "fuzz --json missing/x.json": "missing is no directory",
    "faults --only no-such-fault": "Expected a fault's identifier",
    "faults --json missing/x.json": "missing is no directory",
    "grade submissions --config missing.py": "missing.py",
    "grade submissions --config plain.py": "expected a function candidate",
    "support --json missing/x.json": "missing is no directory",
}
TOLD = {f"{command} {OPTIONS[name][0]}": OPTIONS[name][1]
        for command, names in COMMANDS.items() for name in names} | OTHERS
PROGRAM = """
import contextlib, io, json, sys
from compare.cli import main
found = {}
for command in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command.split())
    started = sorted({"tensorflow", "keras", "torch"} & set(sys.modules))
    found[command] = code, out.getvalue(), err.getvalue(), started
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """By command: the exit code, standard output and error, which of the frameworks started."""
    import numpy as np

    folder = tmp_path_factory.mktemp("told")
    (folder / "slipped.py").write_text("def build(:\n")
    (folder / "raising.py").write_text("raise RuntimeError('at once')\n")
    (folder / "plain.py").write_text("number = 3\n")
    (folder / "text.keras").write_text("no archive\n")
    np.savez(folder / "other.npz", other=np.ones(3))
    (folder / "submissions").mkdir()
    (folder / "submissions" / "ann.py").write_text("number = 3\n")
    run = subprocess.run([sys.executable, "-c", PROGRAM, json.dumps(list(TOLD))], cwd=folder,
                         env={**os.environ,
                              "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])},
                         capture_output=True, text=True, timeout=patience.SECONDS)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("command", TOLD)
def test_it_is_told_before_tensorflow_starts(told, command):
    code, out, error, started = told[command]
    assert (code, out, started) == (2, "", []), error
    assert TOLD[command] in " ".join(error.split()), error
    assert "Starting TensorFlow" not in error
