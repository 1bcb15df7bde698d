"""What the tests share: Keras, imported once and quietly, and only if a test asks for it."""

import os
import sys
from pathlib import Path

import hypothesis
import pytest

# No test is timed, and every run draws the same examples; a failure prints what reproduces it.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("suite")


PLUGIN = "keras_parity_pytest"


def pytest_configure(config):
    """The fixture `parity`, also where the package is on the path without being installed."""
    if PLUGIN not in sys.modules:
        sys.path.append(str(Path(__file__).parents[1] / "compare" / "pytest_plugin"))
        config.pluginmanager.import_plugin(PLUGIN)


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch):
    """No colours, annotations and options because the tests themselves run where those are wanted.
    """
    for name in ("PYTEST_ADDOPTS",
                 "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def keras():
    """The keras module; the first test that asks waits for TensorFlow to start."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


@pytest.fixture(scope="session")
def onednn(keras):
    """(dtype) -> whether Keras computes it on oneDNN's kernels here: TF_ENABLE_ONEDNN_OPTS=0 or 1
    gives a run of the tests on the others."""
    import reference

    return reference.onednn_in_use
