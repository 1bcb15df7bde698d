"""Layers whose states go on from batch to batch: against one whole sequence, Keras, files."""

import copy

import numpy as np
import pytest

import scratch

KINDS = ("SimpleRNN", "LSTM", "GRU")
each = pytest.mark.parametrize("kind", KINDS)


@each
def test_batches_that_go_on_are_one_sequence(kind):
    rng = np.random.default_rng(0)
    layer = getattr(scratch, kind)(3, stateful=True, return_sequences=True, dtype="float64")
    x = rng.standard_normal((2, 6, 4))
    parts = [layer(x[:, :2]), layer(x[:, 2:4]), layer(x[:, 4:])]
    whole = getattr(scratch, kind)(3, return_sequences=True, dtype="float64")
    whole.build((None, 6, 4))
    for name, weight in whole.params.items():
        weight[...] = layer.params[name]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole(x), atol=1e-12)
    layer.reset_states()
    np.testing.assert_array_equal(layer(x[:, :2]), parts[0])
    layer.reset_state()
    np.testing.assert_array_equal(layer(x[:, :2]), parts[0])


def networks(ns):
    """A network of which each layer keeps its states, one in two directions."""
    L, x = ns.layers, ns.Input((4, 3), batch_size=2)
    y = L.LSTM(3, stateful=True, return_sequences=True, name="lstm")(x)
    y = L.Bidirectional(L.GRU(2, stateful=True, return_sequences=True), name="both")(y)
    return ns.Model(x, L.Dense(2)(L.SimpleRNN(3, stateful=True, name="rnn")(y)))


def both(keras):
    keras.utils.set_random_seed(1)
    twin, model = networks(keras), networks(scratch)
    model.set_weights(twin.get_weights())
    for network in (model, twin):
        network.compile("sgd", "mse")
    return model, twin


@pytest.mark.compiled
def test_keras(keras):
    """Predictions, losses and weights, through fit with validation, evaluate and predict."""
    model, twin = both(keras)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 4, 3)), rng.standard_normal((6, 2))
    for _ in range(2):
        np.testing.assert_allclose(model.predict(x, batch_size=2, verbose=0),
                                   twin.predict(x, batch_size=2, verbose=0), atol=1e-6)
        assert model.evaluate(x, y, batch_size=2, verbose=0) == pytest.approx(
            twin.evaluate(x, y, batch_size=2, verbose=0), rel=1e-5)
        ours, theirs = (network.fit(
            x, y, batch_size=2, epochs=2, shuffle=False, verbose=0, validation_batch_size=2,
            validation_data=(x[:4], y[:4])).history for network in (model, twin))
        for key, values in theirs.items():
            assert ours[key] == pytest.approx(values, rel=1e-5), key
        for own, other in zip(model.get_weights(), twin.get_weights()):
            np.testing.assert_allclose(own, other, atol=1e-6)
    for network in (model, twin):
        for name in ("lstm", "both", "rnn"):
            network.get_layer(name).reset_states()
    np.testing.assert_allclose(model.predict(x[:2], batch_size=2, verbose=0),
                               twin.predict(x[:2], batch_size=2, verbose=0), atol=1e-6)


def test_files(keras, tmp_path):
    """The setting goes along both ways; the states do not, as in Keras."""
    model, twin = both(keras)
    x = np.random.default_rng(0).standard_normal((2, 4, 3))
    first = model.predict(x, batch_size=2, verbose=0)
    assert not np.array_equal(model.predict(x, batch_size=2, verbose=0), first)
    twin.save(tmp_path / "theirs.keras")
    model.save(tmp_path / "ours.keras")
    for network in (scratch.load_model(tmp_path / "theirs.keras"),
                    keras.saving.load_model(tmp_path / "ours.keras")):
        assert network.get_layer("lstm").stateful
        np.testing.assert_allclose(network.predict(x, batch_size=2, verbose=0), first, atol=1e-6)


def test_a_copy_goes_on_by_itself(keras):
    model, _ = both(keras)
    x = np.random.default_rng(0).standard_normal((2, 4, 3))
    model.predict(x, batch_size=2, verbose=0)
    copied = copy.deepcopy(model)
    second = model.predict(x, batch_size=2, verbose=0)
    np.testing.assert_array_equal(copied.predict(x, batch_size=2, verbose=0), second)


def test_what_is_refused():
    with pytest.raises(ValueError, match="a batch size that is known.*None, 4, 3"):
        scratch.Sequential([scratch.Input((4, 3)), scratch.GRU(2, stateful=True)])
    layer = scratch.GRU(2, stateful=True)
    layer(np.zeros((3, 4, 2)))
    with pytest.raises(ValueError, match="expected batches of 3 samples.*Received: one of 2"):
        layer(np.zeros((2, 4, 2)))
    with pytest.raises(ValueError, match="same return_sequences, return_state and stateful"):
        scratch.Bidirectional(scratch.GRU(2), backward_layer=scratch.GRU(
            2, go_backwards=True, stateful=True))
