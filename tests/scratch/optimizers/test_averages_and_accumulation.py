"""Moving averages of weights and gathered gradients in whole training runs, against Keras's."""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import real

SETTINGS = [("SGD", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.6)),
            ("Adam", dict(learning_rate=0.05, use_ema=True, ema_momentum=0.8,
                          ema_overwrite_frequency=2)),
            ("RMSprop", dict(learning_rate=0.02, gradient_accumulation_steps=3)),
            ("Nadam", dict(learning_rate=0.02, gradient_accumulation_steps=2, use_ema=True,
                           ema_momentum=0.5, clipnorm=0.3, weight_decay=0.1))]


def data():
    x = real(1, (14, 3)).astype("float32")
    return x, (x[:, :2] * x[:, 1:]).astype("float32")


def twins(keras, tmp_path, name, settings):
    """(Keras's model, scratch's out of its file)."""
    keras.utils.set_random_seed(3)
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="tanh"),
                               keras.layers.Dense(2)])
    theirs.compile(getattr(keras.optimizers, name)(**settings), "mse")
    theirs.save(tmp_path / "model.keras")
    return theirs, scratch.load_model(tmp_path / "model.keras")


def assert_alike(ours, theirs):
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name, settings", SETTINGS)
def test_fit_ends_with_keras_s_weights_and_goes_on_from_a_file(keras, tmp_path, name, settings):
    x, y = data()
    theirs, ours = twins(keras, tmp_path, name, settings)
    run = dict(batch_size=4, epochs=2, shuffle=False, verbose=0)
    theirs.fit(x, y, **run)
    ours.fit(x, y, **run)
    assert_alike(ours, theirs)
    if settings.get("use_ema"):
        for weight, average in zip(ours.trainable_variables, ours.optimizer.averages):
            np.testing.assert_array_equal(weight, average)
    theirs.save(tmp_path / "later.keras")
    ours = scratch.load_model(tmp_path / "later.keras")
    theirs.fit(x, y, **run)
    ours.fit(x, y, **run)
    assert_alike(ours, theirs)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("on_epoch", [False, True])
def test_averages_are_swapped_in_where_keras_swaps_them(keras, tmp_path, on_epoch):
    x, y = data()
    theirs, ours = twins(keras, tmp_path, "SGD", dict(learning_rate=0.2, use_ema=True,
                                                      ema_momentum=0.9))
    run = dict(batch_size=4, epochs=3, shuffle=False, verbose=0, validation_data=(x, y))
    past = {}
    for name, model, module in (("keras", theirs, keras), ("scratch", ours, scratch)):
        swap = module.callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)
        past[name] = model.fit(x, y, callbacks=[swap], **run).history["val_loss"]
    np.testing.assert_allclose(past["scratch"], past["keras"], rtol=1e-4)
    assert_alike(ours, theirs)


def test_an_evaluation_by_averages_leaves_the_weights_in_their_places():
    x, y = data()
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
    model.compile(scratch.SGD(0.2, use_ema=True), "mse")
    for _ in range(3):
        model.train_on_batch(x, y)
    before, averages = model.get_weights(), [a.copy() for a in model.optimizer.averages]
    swap = scratch.callbacks.SwapEMAWeights()
    found = model.evaluate(x, y, verbose=0, callbacks=[swap])
    for a, b in zip(model.get_weights() + model.optimizer.averages, before + averages):
        np.testing.assert_array_equal(a, b)
    predicted = model.predict(x, verbose=0, callbacks=[swap])
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)
    model.set_weights(averages)
    assert found == model.evaluate(x, y, verbose=0) != 0
    np.testing.assert_array_equal(predicted, model.predict(x, verbose=0))


@pytest.mark.parametrize("settings, steps", [({}, 1), (dict(use_ema=True), 0)])
def test_without_averages_there_is_nothing_to_swap(settings, steps):
    x, y = data()
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
    model.compile(scratch.SGD(0.2, **settings), "mse")
    for _ in range(steps):
        model.train_on_batch(x, y)
    with pytest.raises(ValueError, match="SwapEMAWeights: expected an optimizer with use_ema=True"):
        model.evaluate(x, y, verbose=0, callbacks=[scratch.callbacks.SwapEMAWeights()])


def test_a_layer_that_is_frozen_later_does_not_shift_the_averages_of_others():
    model = scratch.Sequential([scratch.Input((3,)), *[scratch.Dense(3) for _ in range(3)]])
    model.compile(scratch.optimizers.SGD(0.1, use_ema=True), "mse")
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 3), np.float32)
    model.train_on_batch(x, y)
    averages = [average.copy() for average in model.optimizer.averages]
    model.layers[1].trainable = False
    frozen = model.layers[1].params["kernel"].copy()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    np.testing.assert_array_equal(model.layers[1].params["kernel"], frozen)
    np.testing.assert_array_equal(model.layers[2].params["kernel"], averages[4])
