"""Inputs of another precision than the layers: Keras rounds to theirs what it is fed."""

import numpy as np
import pytest

import scratch


@pytest.fixture
def pair(keras):
    """(Keras's model, the same in scratch) in float64, with an Input of float32."""
    layers = keras.layers
    keras.utils.set_random_seed(2)
    model = keras.Sequential([
        keras.Input((7, 6, 2)), layers.Conv2D(3, (3, 2), activation="relu", dtype="float64"),
        layers.Flatten(dtype="float64"), layers.Dense(3, dtype="float64")])
    keras.config.set_floatx("float64")  # of the loss and of the arrays that `fit` takes
    try:
        model.compile(keras.optimizers.SGD(0.05), "mse")
        mine = scratch.Sequential.from_config(model.get_config())
        mine.set_weights(model.get_weights())
        mine.compile(scratch.SGD(0.05), "mse")
        yield model, mine
    finally:
        keras.config.set_floatx("float32")


def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(9, 7, 6, 2)), rng.normal(size=(9, 3))


@pytest.mark.parametrize("size", [1, 4])
def test_layers_in_float64_behind_an_input_in_float32(pair, size):
    model, mine = pair
    x, y = batch()
    rounded = x.astype(np.float32).astype(np.float64)
    assert mine.dtype == np.float64
    np.testing.assert_allclose(mine.predict(x), model.predict(x, verbose=0), rtol=1e-12)
    np.testing.assert_array_equal(mine.predict(x), mine.predict(rounded))
    np.testing.assert_allclose(mine.evaluate(x, y), model.evaluate(x, y, verbose=0), rtol=1e-12)
    mine.fit(x, y, epochs=2, batch_size=size, shuffle=False, verbose=0)
    model.fit(x, y, epochs=2, batch_size=size, shuffle=False, verbose=0)
    for ours, theirs in zip(mine.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(mine.train_on_batch(x, y),
                               model.train_on_batch(x, y), rtol=1e-12)


def test_it_stays_so_in_a_file(pair, tmp_path, keras):
    model, mine = pair
    x, _ = batch()
    mine.save(tmp_path / "mine.keras")
    again = keras.models.load_model(tmp_path / "mine.keras")
    assert again.inputs[0].dtype == "float32" and again.layers[0].compute_dtype == "float64"
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-12)


def test_integers_and_half_precision_are_rounded_likewise():
    model = scratch.Sequential([scratch.Input((2,), dtype="float16"),
                                scratch.Dense(1, use_bias=False, dtype="float32")])
    model.set_weights([np.ones((2, 1))])
    for numbers in (np.array([[2049, 4099]]), np.array([[2049.0, 4099.0]])):
        np.testing.assert_array_equal(model.predict(numbers), [[2048 + 4100]])
