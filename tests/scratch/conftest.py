"""Keras as an oracle: its small networks run operation by operation."""

import pytest


@pytest.fixture(autouse=True)
def uncompiled(request):
    """Nearly every test makes networks of its own and trains them for a few steps: to trace and
    compile them takes ten times as long as to run them eagerly. `@pytest.mark.compiled` is for
    tests of what compiling changes."""
    if "keras" not in request.fixturenames or request.node.get_closest_marker("compiled"):
        yield
        return
    request.getfixturevalue("keras")
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
