"""Training against Keras's: the same batches in the same order, step by step and as a whole."""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import assert_norm_close, real

LABELS = np.random.default_rng(3).integers(0, 3, 22)
X = (real(2, (22, 6, 5, 1)) + LABELS[:, None, None, None]).astype("float32")
ROUNDINGS = 1000  # units of float32's rounding of the largest entry, after a dozen steps


def pair(keras, settings=None, loss="sparse_categorical_crossentropy"):
    """(scratch's model, Keras's), compiled alike."""
    scratch.set_random_seed(4)
    model = scratch.Sequential([
        scratch.Input((6, 5, 1)), scratch.Conv2D(3, (3, 2), padding="same", activation="relu"),
        scratch.MaxPooling2D(2), scratch.Flatten(), scratch.Dense(3, activation="softmax")])
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    model.compile(scratch.SGD(0.05, **(settings or {})), loss, metrics=["accuracy"])
    twin.compile(keras.optimizers.SGD(0.05, **(settings or {})), loss, metrics=["accuracy"])
    return model, twin


def assert_alike(model, twin):
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert_norm_close(ours, theirs, ROUNDINGS)


@pytest.mark.parametrize("settings", [dict(), dict(momentum=0.9, nesterov=True)], ids=str)
def test_a_sequence_of_batches(keras, settings):
    """Keras reports means since the last reset, which is therefore made before each step."""
    model, twin = pair(keras, settings)
    for start in range(0, 22, 4):
        x, y = X[start:start + 4], LABELS[start:start + 4]
        twin.reset_metrics()
        np.testing.assert_allclose(model.train_on_batch(x, y), twin.train_on_batch(x, y), rtol=1e-5)
        assert_alike(model, twin)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_fit_evaluate_and_predict_with_a_short_last_batch(keras, loss):
    model, twin = pair(keras, loss=loss)
    y = LABELS if loss.startswith("sparse") else np.eye(3, dtype="float32")[LABELS]
    arguments = dict(batch_size=8, epochs=3, shuffle=False, verbose=0,
                     validation_data=(X[:11], y[:11]))
    ours, theirs = model.fit(X, y, **arguments), twin.fit(X, y, **arguments)
    assert ours.epoch == theirs.epoch and ours.params == theirs.params
    assert sorted(ours.history) == sorted(theirs.history)
    for key, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[key], values, rtol=1e-5, err_msg=key)
    assert_alike(model, twin)
    np.testing.assert_allclose(model.evaluate(X, y, batch_size=8, verbose=0),
                               twin.evaluate(X, y, batch_size=8, verbose=0), rtol=1e-5)
    assert_norm_close(model.predict(X, batch_size=8, verbose=0),
                      twin.predict(X, batch_size=8, verbose=0), ROUNDINGS)


@pytest.mark.parametrize("samples", [1, 2, 130])
def test_the_benchmark_network_in_batches_of_any_size(keras, samples):
    """In float64, where only rounding is left: a large batch may be worked on in parts, of unequal
    sizes, but the loss and every gradient are means over the whole of it."""
    scratch.set_random_seed(1)
    model = scratch.Sequential([
        scratch.Input((28, 28, 1)), scratch.Conv2D(6, 5, padding="same"), scratch.ReLU(),
        scratch.Conv2D(6, 5, padding="same"), scratch.ReLU(), scratch.MaxPooling2D(2),
        scratch.Flatten(), scratch.Dense(10, activation="softmax")], dtype="float64")
    twin = keras.Sequential.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    x, y = real(samples, (samples, 28, 28, 1)) / 2, np.arange(samples) ** 2 % 10
    model.compile(scratch.SGD(0.125), "sparse_categorical_crossentropy", ["accuracy"])
    loss = keras.losses.SparseCategoricalCrossentropy(dtype="float64")
    twin.compile(keras.optimizers.SGD(0.125), loss, metrics=["accuracy"])
    allowed = dict(rtol=1e-6)  # Keras reports in float32
    np.testing.assert_allclose(model.evaluate(x, y, batch_size=samples, verbose=0),
                               twin.evaluate(x, y, batch_size=samples, verbose=0), **allowed)
    assert_norm_close(model.predict(x, batch_size=samples, verbose=0),
                      twin.predict(x, batch_size=samples, verbose=0), ROUNDINGS)
    twin.reset_metrics()
    np.testing.assert_allclose(model.train_on_batch(x, y), twin.train_on_batch(x, y), **allowed)
    assert_alike(model, twin)


def test_a_compile_config_goes_from_keras_to_scratch(keras):
    model, twin = pair(keras, dict(momentum=0.5, nesterov=True))
    model.compile("sgd", "categorical_crossentropy")
    model.compile_from_config(twin.get_compile_config())
    for start in range(0, 22, 4):
        x, y = X[start:start + 4], LABELS[start:start + 4]
        model.train_on_batch(x, y)
        twin.train_on_batch(x, y)
    assert_alike(model, twin)
    assert [metric.name for metric in model.metrics] == ["accuracy"]


def test_a_compile_config_goes_from_scratch_to_keras(keras):
    model, twin = pair(keras)
    model.compile(scratch.SGD(0.25, momentum=0.5, nesterov=True),
                  scratch.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"])
    twin.compile_from_config(model.get_compile_config())
    assert twin.optimizer.get_config()["nesterov"] is True
    assert float(twin.optimizer.learning_rate.numpy()) == 0.25
    assert twin.optimizer.momentum == 0.5
    assert twin.loss.from_logits is True and type(twin.loss).__name__ == type(model.loss).__name__


@pytest.mark.parametrize("settings", [
    dict(loss="ctc"), dict(loss_weights=[2.0]),
], ids=str)
def test_a_compile_config_that_cannot_be_honoured_is_refused(keras, settings):
    model, twin = pair(keras)
    twin.compile(**{"optimizer": "sgd", "loss": "categorical_crossentropy", **settings})
    with pytest.raises(scratch.UnsupportedError):
        model.compile_from_config(twin.get_compile_config())


def test_only_what_is_trainable_changes(keras):
    model, twin = pair(keras)
    model.layers[0].trainable = twin.layers[0].trainable = False
    for each in (model, twin):
        each.compile("sgd", "sparse_categorical_crossentropy")
        each.train_on_batch(X, LABELS)
    assert_alike(model, twin)
