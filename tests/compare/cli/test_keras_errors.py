"""What keeps Keras from running is one line and exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MINE = """
import keras

def build():
    model = keras.Sequential([keras.Input((8, 8, 3)), {layer}])
    model.compile("sgd", "mse")
    return model
"""


def checked(folder, *arguments, **environment):
    """(exit code, standard output, the last line of standard error) of `parity check`."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
           "TF_ENABLE_ONEDNN_OPTS": "0", **environment}
    run = subprocess.run([sys.executable, "-m", "compare", "check", *arguments], cwd=folder,
                         env=env, capture_output=True, text=True)
    assert "Traceback" not in run.stderr
    return run.returncode, run.stdout, run.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("layer, said", [
    ("keras.layers.SeparableConv2D(4, 3, strides=(1, 2), name='mine')",
     "'mine': expected a SeparableConv2D that TensorFlow can run"),
    ("keras.layers.Conv2DTranspose(4, 3, dilation_rate=2, name='mine')",
     "'mine': expected a Conv2DTranspose that TensorFlow can run")])
def test_a_layer_that_tensorflow_refuses(tmp_path, layer, said):
    (tmp_path / "mine.py").write_text(MINE.format(layer=layer))
    code, out, error = checked(tmp_path, "--model", "mine:build")
    assert (code, out) == (2, "") and said in error, error


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
