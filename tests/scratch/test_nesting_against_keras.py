"""Models inside models and shared layers: what Keras makes of the same graph."""

import io
import zipfile

import h5py
import numpy as np
import pytest

import scratch
from tests.scratch.support import nested

SEEDS = range(8)


@pytest.fixture()
def float64(keras):
    """Keras's own numbers, such as penalties, in float64."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def both(keras, seed, dtype="float64"):
    """(a Keras model drawn at random, ours of the same config and weights), compiled."""
    rng = np.random.default_rng(seed)
    theirs = nested.drawn(rng, keras, dtype=dtype)
    theirs.compile(keras.optimizers.Adam(0.01), "mean_squared_error")
    theirs.set_weights(nested.numbers(rng, theirs))
    ours = scratch.model_from_config(theirs.get_config())
    ours.compile(scratch.Adam(0.01), "mean_squared_error")
    ours.set_weights(theirs.get_weights())
    return theirs, ours, rng.standard_normal((4, 3)), rng.standard_normal((4, 3))


def test_what_is_drawn_is_nested_and_shared(keras):
    models = [both(keras, seed)[1] for seed in SEEDS]
    assert sum(any(layer.tied_to for layer in model.layers) for model in models) > 5
    assert sum(any(layer.name.count(".") == 2 for layer in model.layers) for model in models) > 3


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("seed", SEEDS)
def test_outputs_weights_and_gradients_are_kerass(keras, seed):
    theirs, ours, x, y = both(keras, seed)
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    assert ours.count_params() == theirs.count_params()
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs(x, training=False), rtol=1e-9)
    output, loss, gradients = nested.plain_pass(keras, theirs, x, y)
    value, made, _ = ours.loss_and_gradients(x, y)
    np.testing.assert_allclose(made, output, rtol=1e-9, atol=1e-12)
    assert value == pytest.approx(loss, rel=1e-6)  # Keras holds the penalties' factors in float32
    own = [layer.grads[name] for layer in ours.layers for name in layer.trainable_params]
    assert len(own) == len(gradients) == len(ours.trainable_variables)
    for mine, other in zip(own, gradients):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-9)
    # each pass moves the statistics of a normalization as often as it is called
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12)


@pytest.mark.sampled(4)
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_step_of_training_is_kerass(keras, seed):
    theirs, ours, x, y = both(keras, seed)
    theirs.train_on_batch(x, y)
    ours.train_on_batch(x, y)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("seed", SEEDS)
def test_configs_go_there_and_back(keras, seed):
    theirs, ours, x, _ = both(keras, seed)
    again = type(theirs).from_config(ours.get_config())
    again.set_weights(ours.get_weights())
    np.testing.assert_allclose(again(x, training=False), theirs(x, training=False), rtol=1e-12)
    assert [layer.name for layer in again.layers] == [layer.name for layer in theirs.layers]
    once_more = scratch.model_from_config(again.get_config())
    assert [layer.name for layer in once_more.layers] == [layer.name for layer in ours.layers]
    assert once_more.sources == ours.sources


def variables(path):
    """{path in the file: array} of a .keras file's weights."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as store:
            store.visititems(lambda name, item: found.update({name: item[()]})
                             if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.mark.sampled(2)
@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("seed", SEEDS)
def test_files_are_kerass_and_are_read_by_it(keras, seed, tmp_path):
    theirs, ours, x, y = both(keras, seed)
    theirs.train_on_batch(x, y)
    theirs.save(tmp_path / "keras.keras")
    read = scratch.load_model(tmp_path / "keras.keras")
    for mine, other in zip(read.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)
    read.save(tmp_path / "ours.keras")
    by_keras, by_us = variables(tmp_path / "keras.keras"), variables(tmp_path / "ours.keras")
    assert by_keras.keys() == by_us.keys()
    for path, array in by_keras.items():
        np.testing.assert_allclose(by_us[path], array, rtol=1e-7)  # the rate is a float32
    again = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_array_equal(again(x, training=False), theirs(x, training=False))
    theirs.train_on_batch(x, y)
    read.train_on_batch(x, y)
    for mine, other in zip(read.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("around", ["Sequential", "Functional"])
def test_training_false_at_a_call_is_overruled_by_fit_as_in_keras(keras, around):
    """Whatever is said at a call: Keras hands on what the model around it was called with."""
    L = keras.layers
    base = keras.Sequential([keras.Input((3,)), L.BatchNormalization()], name="base")
    source = keras.Input((3,))
    inner = base if around == "Sequential" else keras.Model(*(lambda a: (a, base(a)))(
        keras.Input((3,))), name="inner")
    theirs = keras.Model(source, inner(source, training=False))
    theirs.compile("sgd", "mse")
    ours = scratch.model_from_config(theirs.get_config())
    ours.compile(scratch.SGD(0.01), "mean_squared_error")
    x = np.random.default_rng(0).normal(3, 2, (8, 3))
    before = [np.array(w) for w in theirs.get_weights()]
    theirs.train_on_batch(x, x)
    ours.train_on_batch(x, x)
    assert not np.allclose(before[2], theirs.get_weights()[2]), "its statistics moved"
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5)


def test_a_frozen_base_is_as_it_is_outside_of_training(keras):
    L = keras.layers
    base = keras.Sequential([keras.Input((3,)), L.Dense(4), L.BatchNormalization()], name="base")
    base.trainable = False
    source = keras.Input((3,))
    theirs = keras.Model(source, L.Dense(2, name="head")(base(source, training=False)))
    theirs.compile(keras.optimizers.SGD(0.1), "mse")
    ours = scratch.model_from_config(theirs.get_config())
    ours.compile(scratch.SGD(0.1), "mean_squared_error")
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    x, y, before = rng.normal(3, 2, (8, 3)), rng.normal(size=(8, 2)), ours.get_weights()
    theirs.train_on_batch(x, y)
    ours.train_on_batch(x, y)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
    changed = [not np.array_equal(a, b) for a, b in zip(before, ours.get_weights())]
    assert changed == [False] * 6 + [True] * 2
