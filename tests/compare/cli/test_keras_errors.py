"""What keeps Keras from running is one line and exit code 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MINE = """
import keras

def of(layer):
    model = keras.Sequential([keras.Input((8, 8, 3)), layer])
    model.compile("sgd", "mse")
    return model

def separable():
    return of(keras.layers.SeparableConv2D(4, 3, strides=(1, 2), name="mine"))

def transposed():
    return of(keras.layers.Conv2DTranspose(4, 3, dilation_rate=2, name="mine"))
"""
REFUSED = {"separable": "'mine': expected a SeparableConv2D that TensorFlow can run",
           "transposed": "'mine': expected a Conv2DTranspose that TensorFlow can run"}
# one process for all, as each would start TensorFlow
ONE_BY_ONE = """
import contextlib, io, json, sys
from compare.cli import main
found = {}
for name in sys.argv[1:]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["check", "--model", f"mine:{name}"])
    found[name] = code, out.getvalue(), err.getvalue()
print(json.dumps(found))
"""


def surroundings(folder) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
            "TF_ENABLE_ONEDNN_OPTS": "0"}


def checked(folder, *arguments, **environment):
    """(exit code, standard output, the last line of standard error) of `parity check`."""
    run = subprocess.run([sys.executable, "-m", "compare", "check", *arguments], cwd=folder,
                         env=surroundings(folder) | environment, capture_output=True, text=True)
    assert "Traceback" not in run.stderr
    return run.returncode, run.stdout, run.stderr.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """(exit code, standard output, standard error) by the name of what makes the model."""
    folder = tmp_path_factory.mktemp("refused")
    (folder / "mine.py").write_text(MINE)
    run = subprocess.run([sys.executable, "-c", ONE_BY_ONE, *REFUSED], cwd=folder,
                         env=surroundings(folder), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.long
@pytest.mark.parametrize("name", REFUSED)
def test_a_layer_that_tensorflow_refuses(refused, name):
    code, out, error = refused[name]
    assert (code, out) == (2, "") and "Traceback" not in error
    assert REFUSED[name] in error.strip().splitlines()[-1], error


@pytest.mark.sampled(2)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_is_named(tmp_path, backend):
    code, out, error = checked(tmp_path, "--dataset", "digits", KERAS_BACKEND=backend)
    assert (code, out) == (2, "")
    assert f"Received: KERAS_BACKEND='{backend}'; set KERAS_BACKEND=tensorflow" in error


def test_a_missing_package_is_named(tmp_path):
    """A package that fails to import as one that is not there does."""
    (tmp_path / "keras.py").write_text("import keras_that_is_not_there\n")
    code, out, error = checked(tmp_path, "--dataset", "digits")
    assert (code, out) == (2, "")
    assert "No module named 'keras_that_is_not_there'" in error and "pip install" in error
