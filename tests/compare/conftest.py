"""Keras's calls, run operation by operation in the default run of the tests."""

import gc
import sys

import pytest


@pytest.fixture(autouse=True)
def uncompiled(request):
    """A check calls Keras's predict, evaluate and train_on_batch, each of which TensorFlow compiles
    anew for each small network; that takes longer than all else. `@pytest.mark.compiled` is for
    tests of what compiling changes. With the long draws (`.ci/run`) all are compiled."""
    tf = sys.modules.get("tensorflow")  # the first test that needs it starts it by itself
    everything = request.config.option.markexpr != "not long"
    if tf is None or everything or request.node.get_closest_marker("compiled"):
        yield
        return
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(autouse=True, scope="module")
def settled():
    """What TensorFlow made at its start is looked through by no later garbage collection."""
    if "tensorflow" in sys.modules and not gc.get_freeze_count():
        gc.collect()
        gc.freeze()
