"""Whoever starts TensorFlow: it starts without its chatter, is told once, and is what was asked
for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import compare

CHATTER = ("oneDNN", "absl", "cudart", "cuda")
BEGINNINGS = {"keras": "import keras", "tensorflow": "import tensorflow as tf",
              "submodule": "from tensorflow import keras",
              "layers": "from keras.layers import Dense",
              "reference": "import reference"}
ASKED = """
import sys
from compare.inputs import starting_tensorflow
told = []
with starting_tensorflow.quietly(lambda: told.append("told")):
    assert "tensorflow" not in sys.modules and not told
    import theirs
    assert told == ["told"], told
    import keras, tensorflow
assert keras.__spec__.name == "keras" and keras.__spec__.loader is keras.__loader__
assert sys.modules["keras"] is keras and tensorflow.__version__ and keras.Sequential
import reference.quiet
assert reference.quiet.keras is keras and reference.quiet.tf is tensorflow
assert not any(isinstance(each, starting_tensorflow.Starter) for each in sys.meta_path)
"""


def run(folder, program, **variables):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")}
    root = str(Path(compare.__file__).parents[1])
    return subprocess.run([sys.executable, "-c", program], cwd=folder, text=True, timeout=240,
                          capture_output=True,
                          env={**environment, "PYTHONPATH": root, **variables})


@pytest.mark.sampled(2)
@pytest.mark.parametrize("beginning", [
    pytest.param(line, id=name, marks=[] if name in ("keras", "submodule") else pytest.mark.long)
    for name, line in BEGINNINGS.items()])
def test_an_import_of_somebodys_starts_it_without_chatter(tmp_path, beginning):
    (tmp_path / "theirs.py").write_text(
        f"import sys\nprint('their own words', file=sys.stderr)\n{beginning}\n")
    done = run(tmp_path, ASKED)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "their own words\n"


def test_a_module_without_it_does_not_start_it(tmp_path):
    (tmp_path / "theirs.py").write_text("import numpy\n")
    done = run(tmp_path, """
import sys
from compare.inputs import starting_tensorflow
with starting_tensorflow.quietly(lambda: print("told")):
    import theirs
assert "tensorflow" not in sys.modules
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_is_told_for_a_module_that_is_not_there(tmp_path):
    command = "from compare.cli import main; main(['check', 'nowhere:build'])"
    done = run(tmp_path, command)
    assert "No module named 'nowhere'" in done.stderr and "Starting" not in done.stderr


def test_what_is_told_is_told_once_by_the_command(tmp_path):
    (tmp_path / "theirs.py").write_text("""
import keras

def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    return model
""")
    done = run(tmp_path, "import sys\nfrom compare.cli import main\n"
                         "sys.exit(main(['check', 'theirs:build', '--steps', '0']))")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Starting TensorFlow ...") == 1
    assert not [word for word in CHATTER if word in done.stderr], done.stderr
