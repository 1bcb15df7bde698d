"""What the tests share: Keras, imported once and quietly, and only if a test asks for it."""

import os

import hypothesis
import pytest

# No test is timed, and every run draws the same examples; a failure prints what reproduces it.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def keras():
    """The keras module; the first test that asks waits for TensorFlow to start."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras
