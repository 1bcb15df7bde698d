"""What runs without Keras starts none; what runs with it leaves its settings alone."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python(program, **environment):
    """A fresh interpreter's (exit code, standard output, standard error)."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT,
                         env={**env, **environment})
    return run.returncode, run.stdout, run.stderr


HEAVY = "('tensorflow', 'keras', 'sklearn', 'matplotlib', 'h5py')"

LIGHT = f"""
import sys
{{program}}
print(*[name for name in {HEAVY} if name in sys.modules])
"""

GOLDEN = """
import contextlib, io
from compare.cli import main
with contextlib.redirect_stdout(io.StringIO()) as said:
    code = main(["check", "--golden", {path!r}])
assert code == {code}, said.getvalue()
"""


def test_the_reference_knows_nothing_of_scratch_and_leaves_keras_precision_alone():
    code, out, err = python(
        "import sys, reference; from reference.quiet import keras\n"
        "print('scratch' in sys.modules, 'compare' in sys.modules, keras.config.floatx())")
    assert (code, out.split(), err) == (0, ["False", "False", "float32"], "")


def test_traces_and_golden_checks_need_no_keras(tmp_path):
    """Recording scratch, saving, loading, diff, check and the command against a file."""
    path = str(tmp_path / "golden.npz")
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import compare
from tests.compare.support import examples
model, (x, y) = examples.network("inside"), examples.batch()
compare.record(model, x, y).save({path!r})
trace = compare.Trace.load({path!r})
assert compare.diff(trace, trace) and compare.check(model, trace)
compare.assert_parity(model, trace)
{GOLDEN.format(path=path, code=0)}
str(compare.check(model, model, x, y)), compare.diff(trace, trace).as_dict()
"""
    code, out, err = python(LIGHT.format(program=program))
    assert (code, out.strip(), err) == (0, "", "")


def test_the_precision_is_put_back_even_after_an_error(keras):
    from reference.quiet import precision

    with pytest.raises(RuntimeError):
        with precision("float64"):
            assert keras.config.floatx() == "float64"
            raise RuntimeError
    assert keras.config.floatx() == "float32"


def test_advice_on_retracing_is_held_back_and_nothing_else(keras):
    from reference.quiet import tf

    said = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())
    logger = tf.get_logger()
    logger.addHandler(listener)
    try:
        logger.warning("%d out of the last 5 calls to %r triggered tf.function retracing.", 5, "f")
        logger.warning("something else")
    finally:
        logger.removeHandler(listener)
    assert said == ["something else"]


@pytest.mark.long
def test_layers_made_afterwards_have_the_precision_that_they_had_before():
    """In a process that has made no layer yet, which is when Keras settles on a policy."""
    code, out, err = python(
        "import reference, scratch; from reference.quiet import keras\n"
        "config = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)],"
        " dtype='float64').get_config()\n"
        "model = reference.from_config(config)\n"
        "print(model.layers[-1].dtype, keras.layers.Dense(3).dtype, keras.config.floatx())")
    assert (code, out.split(), err) == (0, ["float64", "float32", "float32"], "")
