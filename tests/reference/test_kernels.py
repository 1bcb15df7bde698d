"""Which kernels compute is told rightly.

What only oneDNN's can do works there and nowhere else.
"""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROBE = """
import reference
from reference.quiet import keras, tf
for dtype in ("float32", "float64"):
    try:  # a convolution of channels first, which TensorFlow's own kernels refuse
        tf.nn.conv2d(tf.ones((1, 2, 5, 4), dtype), tf.ones((3, 2, 2, 3), dtype), 1, "VALID", "NCHW")
        ran = True
    except tf.errors.UnimplementedError:
        ran = False
    print(ran, reference.onednn_in_use(dtype))
"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("setting", ["0", "1"])
def test_what_is_said_is_what_computes(setting):
    env = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    run = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, cwd=ROOT,
                         env=env | {"TF_ENABLE_ONEDNN_OPTS": setting})
    assert run.returncode == 0, run.stderr
    single, double = (line.split() for line in run.stdout.splitlines())
    assert single[0] == single[1] and double == ["False", "False"]
    if setting == "0":
        assert single == ["False", "False"]


def test_what_is_said_is_what_computes_in_this_process(keras):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(PROBE, {})
    single, double = (line.split() for line in said.getvalue().splitlines())
    assert single[0] == single[1] and double == ["False", "False"]
