"""Attentions whose queries see no keys behind their own place: against Keras and a loop."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError

CAUSAL = {
    "dot": (lambda L: L.Attention(use_scale=True), (5, 7)),
    "concat": (lambda L: L.Attention(score_mode="concat"), (7, 5)),
    "sums": (lambda L: L.AdditiveAttention(), (5, 5)),
    "heads": (lambda L: L.MultiHeadAttention(2, 3), (5, 7)),
    "dropping heads": (lambda L: L.MultiHeadAttention(2, 3, dropout=0.3), (6, 6)),
    "groups": (lambda L: L.GroupQueryAttention(3, 4, 2), (7, 5)),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("make, steps", CAUSAL.values(), ids=CAUSAL)
def test_causal_masks_as_keras(keras, tmp_path, make, steps, masked):
    L, (queries, keys) = keras.layers, steps
    inputs = [keras.Input((queries, 4)), keras.Input((keys, 4))]
    query, value = [L.Masking()(each) for each in inputs] if masked else inputs
    layer, called = make(L), ([query, value],)
    if isinstance(layer, (L.MultiHeadAttention, L.GroupQueryAttention)):
        called = (query, value)
    twin = keras.Model(inputs, L.Dense(3, name="end")(layer(*called, use_causal_mask=True)))
    twin.save(tmp_path / "theirs.keras")
    ours = scratch.load_model(tmp_path / "theirs.keras")
    rng = np.random.default_rng(3)
    x = [rng.standard_normal((4, n, 4)).astype("float32") for n in steps]
    x[0][0, 2:] = x[1][1, :2] = x[1][2, 3:] = 0
    expected = twin.predict(x, verbose=0)
    np.testing.assert_allclose(ours.predict(x), expected, atol=1e-5)
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), expected)
    assert scratch.Model.from_config(ours.get_config()).get_config() == ours.get_config()


def test_a_causal_mask_by_a_loop():
    rng = np.random.default_rng(2)
    query, value, dy = (rng.standard_normal(shape) for shape in ((2, 4, 3), (2, 6, 3), (2, 4, 3)))
    layer = scratch.Attention(dtype="float64")
    y = layer([query, value], use_causal_mask=True)
    dq, dv = layer.backward(dy)
    expected = np.zeros((2, 6, 3))
    for n, q in np.ndindex(2, 4):
        seen = value[n, :q + 1]  # and nothing behind
        shares = np.exp(seen @ query[n, q])
        shares /= shares.sum()
        np.testing.assert_allclose(y[n, q], shares @ seen, atol=1e-12)
        slope = shares * (seen @ dy[n, q] - shares @ seen @ dy[n, q])
        np.testing.assert_allclose(dq[n, q], slope @ seen, atol=1e-12)
        expected[n, :q + 1] += np.outer(shares, dy[n, q]) + np.outer(slope, query[n, q])
    np.testing.assert_allclose(dv, expected, atol=1e-12)
    assert not dv[:, 4:].any()


def test_all_calls_of_a_layer_are_causal_or_none(keras):
    inputs, layer = keras.Input((4, 3)), keras.layers.Attention(name="mine")
    once = layer([inputs, inputs], use_causal_mask=True)
    twin = keras.Model(inputs, layer([once, inputs]))
    with pytest.raises(UnsupportedError, match="'mine'.*use_causal_mask to be the same at all"):
        scratch.Model.from_config(twin.get_config())
    ours, x = scratch.Attention(), scratch.Input((4, 3))
    ours([x, x], use_causal_mask=True)
    with pytest.raises(UnsupportedError, match="use_causal_mask=False beside a call"):
        ours([x, x])
