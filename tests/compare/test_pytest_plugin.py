"""The `parity` fixture in somebody else's tests: silent when all is well, brief when it is not."""

import os
import subprocess
import sys

import numpy as np
import pytest

import compare
import scratch

TESTS = '''
import numpy as np
import scratch


def network():
    model = scratch.Sequential([scratch.Input((5, 4, 2)), scratch.Conv2D(3, (2, 3), name="conv"),
                                scratch.Flatten(), scratch.Dense(4, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.set_weights([np.random.default_rng(i).standard_normal(w.shape)
                       for i, w in enumerate(model.get_weights())])
    return model


def test_right(parity):
    parity(network(), "golden.npz")


def test_wrong(parity):
    model = network()
    model.get_layer("conv").kernel[0, 1, 0, 2] *= 1 + 1e-6
    parity(model, "golden.npz")


def test_without_keras(parity):
    import sys
    parity(network(), "golden.npz")
    assert "tensorflow" not in sys.modules
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "test_theirs.py").write_text(TESTS)
    namespace = {}
    exec(TESTS, namespace)
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((3, 5, 4, 2)), rng.integers(0, 4, 3)
    compare.record(namespace["network"](), x, y).save(folder / "golden.npz")
    return folder


def run(project, *options):
    plugin = [] if _installed() else ["-p", "compare.pytest_plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *plugin, *options,
         "test_theirs.py"], cwd=project, capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(entry.value == "compare.pytest_plugin" for entry in entry_points(group="pytest11"))


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_failures_show_the_table_and_the_first_divergence_only(project, options):
    done = run(project, *options)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    said = " ".join(done.stdout.split())
    assert "First at gate 'weights': conv kernel at [0, 1, 0, 2] is" in said
    assert "where nothing may differ" in said
    assert "Traceback" not in done.stdout and "def test_wrong" not in done.stdout


def test_the_fixture_returns_the_report(parity):
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
    x = np.ones((2, 3), "float32")
    report = parity(model, compare.record(model, x, upstream=np.eye(2)))
    assert report and report.rows
