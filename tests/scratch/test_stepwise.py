"""A model on every step: against a loop that runs it step by step, against Keras, in files."""

import functools

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from tests.compare.support import stepwise


def steps_of(x):
    return [np.ascontiguousarray(x[:, t]) for t in range(x.shape[1])]


def test_a_loop_that_runs_the_model_step_by_step():
    x, _ = stepwise.batch()
    model = stepwise.frames(scratch)
    inner = scratch.Model.from_config(model.get_config())
    inner.set_weights(model.get_weights())
    whole = scratch.TimeDistributed(model)
    y = whole(x)
    np.testing.assert_allclose(y, np.stack([inner(step) for step in steps_of(x)], axis=1),
                               rtol=0, atol=1e-6)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dx = whole.backward(dy)
    expected, totals = [], {}
    for step, gradient in zip(steps_of(x), steps_of(dy)):
        inner.forward(step)
        expected.append(inner.backward(gradient))
        for layer in inner.unique_layers:
            for name, value in layer.grads.items():
                totals[layer.name, name] = totals.get((layer.name, name), 0) + value
    np.testing.assert_allclose(dx, np.stack(expected, axis=1), rtol=0, atol=1e-5)
    for layer in whole.unique_layers:
        for name, value in layer.grads.items():
            np.testing.assert_allclose(value, totals[layer.name.removeprefix("cnn."), name],
                                       rtol=1e-5, atol=1e-5)


def test_names_shapes_and_counts():
    model = stepwise.video(scratch)
    assert [layer.name for layer in model.layers][:3] == [
        "frames.cnn.conv", "frames.cnn.norm", "frames.cnn.again"]
    assert "frames.cnn.again (call 2)" in {layer.name for layer in model.layers}
    assert model.get_layer("frames").on_every_step.name == "cnn"
    assert model.get_layer("frames").compute_output_shape((None, 7, *stepwise.IMAGE)) == (
        None, 7, 4)
    assert model.count_params() == stepwise.frames(scratch).count_params() + model.get_layer(
        "gru").count_params() + model.get_layer("end").count_params()
    model.get_layer("frames").trainable = False
    assert not any(layer.trainable_params for layer in model.layers[:4])


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_files_of_keras_and_back(keras, tmp_path, ending):
    x, y = stepwise.batch()
    made = functools.partial(stepwise.video, keras, ending == "keras")  # Keras reads no other back
    twin = made()
    twin.fit(x, y, verbose=0)
    twin.save(tmp_path / f"theirs.{ending}")
    model = scratch.load_model(tmp_path / f"theirs.{ending}")
    expected = twin.predict(x, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=0, atol=1e-6)
    for own, their in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(own, their)
    model.save(tmp_path / "ours.keras")
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "ours.keras").predict(x, verbose=0), expected)
    model.save_weights(tmp_path / "ours.weights.h5")
    fresh = made()
    fresh.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_array_equal(fresh.predict(x, verbose=0), expected)


def test_trained_by_both(keras):
    """A step of plain gradient descent, batch normalization's statistics included."""
    x, y = stepwise.batch()
    twin = stepwise.video(keras)
    twin.get_layer("frames").layer.get_layer("drop").rate = 0.0
    config = twin.get_config()
    model = scratch.Model.from_config(config)
    model.set_weights(twin.get_weights())
    for each in (model, twin):
        each.compile("sgd", "sparse_categorical_crossentropy")
        each.train_on_batch(x, y)
    for own, their in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(own, their, rtol=0, atol=2e-6)


def test_a_frozen_model_is_inferred_with_and_not_trained(keras, tmp_path):
    x, y = stepwise.batch()
    twin = stepwise.video(keras)
    frames = twin.get_layer("frames").layer
    frames.get_layer("drop").rate, frames.trainable = 0.0, False
    rng = np.random.default_rng(3)
    twin.set_weights([w + rng.uniform(0.1, 0.3, w.shape) for w in twin.get_weights()])
    twin.save(tmp_path / "theirs.keras")
    model = scratch.load_model(tmp_path / "theirs.keras")
    before = [w.copy() for w in model.get_layer("frames").get_weights()]
    assert len(before) > 5 and not model.get_layer("frames").trainable_variables
    for each in (model, twin):
        each.compile("sgd", "sparse_categorical_crossentropy")
        each.train_on_batch(x, y)
    for own, their in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(own, their, rtol=0, atol=2e-6)
    for own, old in zip(model.get_layer("frames").get_weights(), before, strict=True):
        np.testing.assert_array_equal(own, old)
    model.save(tmp_path / "ours.keras")
    back = keras.models.load_model(tmp_path / "ours.keras")
    assert len(back.trainable_variables) == len(twin.trainable_variables)
    np.testing.assert_array_equal(back.predict(x, verbose=0), twin.predict(x, verbose=0))


def test_models_on_steps_of_steps(keras):
    def made(library):
        K = library.layers
        words = library.Sequential([library.Input((4,)), K.Embedding(9, 3), K.LSTM(2)],
                                   name="words")
        lines = library.Sequential([library.Input((3, 4)), K.TimeDistributed(words), K.LSTM(2)],
                                   name="lines")
        return library.Sequential([library.Input((2, 3, 4)), K.TimeDistributed(lines), K.Flatten()])

    model, twin = made(scratch), made(keras)
    twin.set_weights(model.get_weights())
    x = np.random.default_rng(0).integers(0, 9, (5, 2, 3, 4))
    np.testing.assert_allclose(model.predict(x, verbose=0), twin.predict(x, verbose=0), atol=1e-6)
    assert model.layers[0].name == "time_distributed.lines.time_distributed.words.embedding"


def several(library):
    x = library.Input((3,))
    return library.Model(x, [library.layers.Dense(2)(x), library.layers.Dense(2)(x)])


@pytest.mark.parametrize("model, said", [
    (several, "one input and one output"),
    (lambda K: K.Sequential([K.Input((4,)), K.layers.Embedding(5, 2, mask_zero=True)]), "no masks"),
    (lambda K: K.Sequential([K.Input((3,)), K.layers.SpectralNormalization(K.layers.Dense(2))]),
     "that sample alone"),
])
def test_what_is_refused_by_name(model, said):
    with pytest.raises(UnsupportedError, match=said):
        scratch.TimeDistributed(model(scratch))(np.zeros((2, 5, 3), "float32"))
    with pytest.raises(UnsupportedError, match="activity_regularizer='l2'"):
        scratch.TimeDistributed(scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)]),
                                activity_regularizer="l2")
    with pytest.raises(UnsupportedError, match="trainable=False around a model with"):
        scratch.TimeDistributed(scratch.Sequential([scratch.Dense(2)]), trainable=False)
    with pytest.raises(ValueError, match="three axes"):
        scratch.TimeDistributed(scratch.Sequential([scratch.Dense(2)])).build((None, 4))
