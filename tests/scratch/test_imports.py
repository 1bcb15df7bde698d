"""scratch is NumPy and the standard library: importing and training it loads nothing else."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
import numpy as np
import numpy.random

before = set(sys.modules)

import scratch

model = scratch.Sequential([scratch.Input((4, 4, 1)), scratch.Conv2D(2, 2), scratch.ReLU(),
                            scratch.MaxPooling2D(2), scratch.Flatten(), scratch.Dense(3),
                            scratch.Softmax()])
model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])
model.fit(np.ones((4, 4, 4, 1)), np.zeros(4), verbose=0)
scratch.Sequential.from_config(model.get_config()).summary(print_fn=str)
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(loaded - sys.stdlib_module_names - {"numpy", "scratch"}))
"""


def test_scratch_needs_numpy_alone():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True,
                         cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [], "importing scratch imports these too"
