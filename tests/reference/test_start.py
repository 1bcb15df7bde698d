"""TensorFlow starts quietly, and only when a reference is really needed."""

import json
import os
import subprocess
import sys

import pytest


def run(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                               **environment})


def test_nothing_is_printed_at_the_start_nor_at_the_first_step():
    done = run("import reference, numpy as np\n"
               "from reference.quiet import keras\n"
               "model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
               "reference.observe(model, np.ones((2, 3)), upstream=np.ones((2, 2)))\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_goes_wrong_at_the_start_is_shown():
    done = run("from reference.quiet import silent_stderr\n"
               "import os\n"
               "with silent_stderr():\n"
               "    os.write(2, b'held back')\n"
               "with silent_stderr():\n"
               "    os.write(2, b'said before the end')\n"
               "    raise ValueError('no start')\n")
    assert "said before the end" in done.stderr and "no start" in done.stderr
    assert "held back" not in done.stderr


def test_another_backend_is_refused():
    done = run("import reference", KERAS_BACKEND="numpy")
    assert done.returncode != 0
    assert "Expected Keras to run on TensorFlow. Received: KERAS_BACKEND='numpy'" in done.stderr


@pytest.mark.parametrize("statement", [
    "import scratch", "import compare", "import compare.cli; compare.cli.build_parser()",
    "import compare.inputs.datasets", "import compare.experiments.benchmark",
    "import compare, scratch, numpy as np\n"
    "m = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])\n"
    "t = compare.record(m, np.ones((2, 3)), upstream=np.eye(2))\n"
    "assert compare.check(m, t) and compare.diff(t, t)",
])
def test_what_needs_no_keras_does_not_start_it(statement):
    done = run(f"{statement}\nimport json, sys; print(json.dumps(sorted(sys.modules)))")
    assert done.returncode == 0, done.stderr
    loaded = {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert not loaded & {"tensorflow", "keras", "torch"}
