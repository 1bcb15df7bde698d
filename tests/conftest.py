"""What the tests share: Keras, imported once and quietly, and only if a test asks for it."""

import os

import pytest


@pytest.fixture(scope="session")
def keras():
    """The keras module; the first test that asks waits for TensorFlow to start."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras
