"""TensorFlow starts quietly, in the right precision, and only where it is needed."""

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


def test_the_precision_of_others_is_left_alone():
    code, out, err = python(
        "import reference; from reference.quiet import keras, tf\n"
        "print(keras.backend.backend(), keras.config.floatx(), float(tf.constant(2.0) * 3))")
    assert (code, out.split(), err) == (0, ["tensorflow", "float32", "6.0"], "")


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


def test_reference_knows_nothing_of_scratch():
    code, out, err = python("import sys, reference; print('scratch' in sys.modules, "
                            "'compare' in sys.modules)")
    assert (code, out.split(), err) == (0, ["False", "False"], "")


def test_traces_and_golden_checks_need_no_keras(tmp_path):
    """Recording scratch, saving, loading, diff, check and the command against a file."""
    path = str(tmp_path / "golden.npz")
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import compare
from tests.compare import examples
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


def test_what_native_code_says_is_shown_if_the_start_fails():
    code, out, err = python("""
import os
from reference.quiet import silent_stderr
with silent_stderr():
    os.write(2, b"chatter ")
os.write(2, b"after ")
try:
    with silent_stderr():
        os.write(2, b"the reason ")
        raise RuntimeError
except RuntimeError:
    pass
""")
    assert code == 0
    assert err == "after the reason "


def test_the_precision_is_put_back_even_after_an_error(keras):
    from reference.quiet import precision

    with pytest.raises(RuntimeError):
        with precision("float64"):
            assert keras.config.floatx() == "float64"
            raise RuntimeError
    assert keras.config.floatx() == "float32"
