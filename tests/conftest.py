"""What the tests share: Keras, imported once and quietly, and only if a test asks for it."""

import collections
import os
import random
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

import compare  # noqa: F401  before any test's own `import keras`, see compare/inputs/load_order.py
import scratch
from tests.draws import FULL, left_out

# No test is timed, and every run draws the same examples; a failure prints what reproduces it.
PROFILES = {"short": FULL // 4, "long": FULL}
for profile, examples in PROFILES.items():
    hypothesis.settings.register_profile(profile, deadline=None, derandomize=True, print_blob=True,
                                         max_examples=examples)
hypothesis.settings.load_profile("short")

SEED = 0
TABLE = 20  # cases that make a table
PLUGIN = "keras_parity_pytest"


def pytest_configure(config):
    """The fixture `parity`, also where the package is on the path without being installed; and all
    examples of every property where the long draws are asked for."""
    if config.option.markexpr != "not long":
        hypothesis.settings.load_profile("long")
    if PLUGIN not in sys.modules:
        sys.path.append(str(Path(__file__).parents[1] / "compare" / "pytest_plugin"))
        config.pluginmanager.import_plugin(PLUGIN)


@pytest.hookimpl(tryfirst=True)  # before those that are not asked for are left out
def pytest_collection_modifyitems(config, items):
    """Among the long draws are, of a table that is tried in both precisions, those in float64, and
    of one that is marked as sampled all but the sample. A test that is named in full is whole."""
    if any("::" in argument for argument in config.args):
        return
    tables = collections.defaultdict(list)
    for item in items:
        if _precision(item) == "float64":
            tables[item.function].append(item)
    for cases in tables.values():
        for item in cases if len(cases) >= TABLE else []:
            item.add_marker(pytest.mark.long)
    for item in left_out(item for item in items if not item.get_closest_marker("long")):
        item.add_marker(pytest.mark.long)


def _precision(item):
    """What a test that is tried in several precisions is tried in."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return parameters.get("dtype")


def pytest_xdist_auto_num_workers(config):
    """How many processes `-n auto` is: one per core, and none beside this one for single tests.

    More than eight would spend their time on starting TensorFlow, which each of them does.
    """
    if any("::" in argument for argument in config.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores or 1, 8)


@pytest.hookimpl(tryfirst=True)  # before fixtures that outlive the test draw anything
def pytest_runtest_setup():
    """A test draws the same weights wherever and after whatever it runs: scratch's generator and
    those from which Keras seeds its initializers begin anew."""
    random.seed(SEED)
    np.random.seed(SEED)
    scratch.set_random_seed(SEED)


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
