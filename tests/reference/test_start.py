"""TensorFlow starts quietly, and only when a reference is really needed."""

import json
import os
import subprocess
import sys

import pytest

import scratch
from tests import patience


def run(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          timeout=patience.SECONDS,
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


@pytest.mark.parametrize("setting", ["set_dtype_policy('mixed_float16')",
                                     "set_dtype_policy('float16')", "set_floatx('float64')"])
def test_a_precision_of_the_users_is_not_that_of_a_network_that_has_its_own(keras, setting):
    """Nor does Keras scale its loss, as it would under a mixed policy; the setting stays."""
    import reference

    found = keras.config.floatx(), keras.config.dtype_policy()
    try:
        exec(f"config.{setting}", {"config": keras.config})
        before = keras.config.floatx(), keras.config.dtype_policy().name
        m = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
        m.compile('adam', 'mean_squared_error')
        twin = reference.from_config(m.get_config(), m.get_compile_config())
        assert type(twin.optimizer).__name__ == 'Adam', twin.optimizer
        assert twin.dtype_policy.name == twin.layers[0].dtype_policy.name == 'float32'
        assert before == (keras.config.floatx(), keras.config.dtype_policy().name)
    finally:
        keras.config.set_floatx(found[0])
        keras.config.set_dtype_policy(found[1])
