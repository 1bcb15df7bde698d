"""A model of Keras's, out of the file that Keras wrote and back into one."""

import numpy as np
import pytest

import scratch


def assert_goes_round(keras, twin, x, y, folder, steps=2, atol=1e-6, rtol=1e-5):
    """Predictions and steps of training are Keras's, and the model that Keras reads again is the
    same one.

    Args:
        twin: compiled.
        steps: of training.
        atol: how far predictions may be apart.
        rtol: how far the losses may be apart.

    Returns:
        what Keras has read.
    """
    twin.save(folder / "model.keras")
    model = scratch.load_model(folder / "model.keras")
    for _ in range(steps):
        np.testing.assert_allclose(model.predict(x, verbose=0), twin.predict(x, verbose=0),
                                   atol=atol)
        assert model.train_on_batch(x, y) == pytest.approx(twin.train_on_batch(x, y), rel=rtol)
    model.save(folder / "ours.keras")
    again = keras.saving.load_model(folder / "ours.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), twin.predict(x, verbose=0), atol=1e-5)
    return again
