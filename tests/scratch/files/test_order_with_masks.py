"""The order of layers, and so of weights in files, where Keras's graph holds masks."""

import numpy as np
import pytest

import scratch
from reference.graph import calls_of
from tests.scratch.layers.test_masks import IDS


def branches(K):
    """(input, output, what is fed) of graphs in which masks make a branch deeper."""
    L = K.layers

    def plain(source):
        x = L.Embedding(4, 3, name="plain")(source)
        for name in ("b1", "b2", "b3"):
            x = L.Dense(3, name=name)(x)
        return L.GlobalAveragePooling1D(name="mean")(x)

    def words(source):
        x = L.Embedding(4, 3, mask_zero=True, name="words")(source)
        return x, L.Dense(3, name="d1")(x), L.Dense(3, name="d2")(x)

    def join(a, b):
        return L.Concatenate(name="end")([a, b])

    found, numbers = {}, np.random.default_rng(0).standard_normal((3, 6, 2))
    numbers[:, 3:] = 0
    source = K.Input((6, 2))
    masked = L.Masking(name="mask")(L.Dense(2, activation="relu", name="da")(source))
    other = L.Dense(3, name="cb")(L.Dense(2, name="db")(source))
    found["masking"] = (source, join(L.GlobalAveragePooling1D(name="mean")(other),
                                     L.LSTM(3, name="lstm")(masked)), numbers)
    for name, make in {
            "beside": lambda w, a, b, s: L.Concatenate(name="meet")([a, b]),
            "one without": lambda w, a, b, s: L.Concatenate(name="meet")(
                [a, L.Embedding(4, 3, name="places")(s)]),
            "sum": lambda w, a, b, s: L.Add(name="meet")([a, b, w]),
            "model inside": lambda w, a, b, s: K.Sequential(
                [K.Input((6, 6)), L.GRU(3, return_sequences=True, name="inner")], name="model")(
                    L.Concatenate(name="meet")([a, L.Average(name="mid")([a, b])]))}.items():
        source = K.Input((6,))
        states = L.LSTM(2, name="lstm")(make(*words(source), source))
        found[name] = (source, join(plain(source), states), IDS)
    return found


@pytest.mark.sampled(3)
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
@pytest.mark.parametrize("name", ["masking", "beside", "one without", "sum", "model inside"])
def test_keras(keras, tmp_path, name):
    keras.utils.set_random_seed(0)
    source, end, x = branches(keras)[name]
    twin = keras.Model(source, end)
    twin.compile("sgd", "mse")
    twin.save(tmp_path / "model.keras")
    model = scratch.load_model(tmp_path / "model.keras")
    names = [layer.name for layer in twin.layers]
    assert [unit.name for unit in model.stack] == names
    called = [call.name.partition(".")[0] for call in calls_of(twin)]
    assert called == [name for name in names if name in called]
    for ours, theirs in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    expected = twin.predict(x, verbose=0)
    twin.save_weights(tmp_path / "weights.weights.h5")
    twin.save(tmp_path / "model.h5")
    for path in ("weights.weights.h5", "model.h5"):
        model.set_weights([0 * weight for weight in model.get_weights()])
        model.load_weights(tmp_path / path)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-6)
    model.save(tmp_path / "ours.keras")
    again = keras.saving.load_model(tmp_path / "ours.keras")
    assert [layer.name for layer in again.layers] == names
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, atol=1e-6)


def test_masks_alone_make_a_difference():
    """By hand: without its mask the branch is as deep as the other one, which was met first."""
    source = scratch.Input((6, 2))
    other = scratch.GlobalAveragePooling1D()(scratch.Dense(3)(scratch.Dense(2, name="b")(source)))
    for mask, first in ((scratch.Masking(), "a"), (scratch.Identity(), "b")):
        own = scratch.LSTM(3)(mask(scratch.Dense(2, name="a")(source)))
        model = scratch.Model(source, scratch.Concatenate()([other, own]))
        assert model.layers[0].name == first
        other = scratch.GlobalAveragePooling1D()(scratch.Dense(3)(
            scratch.Dense(2, name="b")(source)))
