"""Dropout of states and of features gate by gate, and of layers inside wrappers, as in Keras."""

import numpy as np
import pytest

import scratch
from reference import noise as noises
from scratch.layer_config import layer_from_config
from tests.scratch.support.checks import DTYPES

SHAPE = (4, 5, 3)  # (N, T, D)
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
every_kind = pytest.mark.parametrize("name, more", [
    ("SimpleRNN", {"dropout": 0.4}), ("SimpleRNN", {"go_backwards": True}),
    ("LSTM", {"dropout": 0.4, "go_backwards": True}), ("LSTM", {"return_sequences": True}),
    ("GRU", {"dropout": 0.3, "return_sequences": True}), ("GRU", {"reset_after": False}),
    ("GRU", {"reset_after": False, "dropout": 0.5, "use_bias": False})], ids=str)


def built(layer, shape=SHAPE):
    layer.build((None, *shape[1:]))
    for i, weight in enumerate(layer.params.values()):
        weight[...] = np.random.default_rng(i).uniform(-1, 1, weight.shape)
    return layer


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_loops(layer, x, noise):
    """The layer's outputs of one sample, gate by gate, as Keras's cells have them."""
    gates, units = GATES[type(layer).__name__], layer.units
    kernel, recurrent = layer.params["kernel"], layer.params["recurrent_kernel"]
    bias = np.atleast_2d(layer.params.get("bias", np.zeros(gates * units)))
    at = gates * len(x[0]) if layer.dropout else 0
    h, c, found = np.zeros(units), np.zeros(units), []
    for t in range(len(x))[::-1 if layer.go_backwards else 1]:
        read, left = [], []
        for g in range(gates):
            own = noise[g * len(x[t]):(g + 1) * len(x[t])] if layer.dropout else 1
            cut = slice(g * units, (g + 1) * units)
            read.append((x[t] * own) @ kernel[:, cut] + bias[0, cut])
            left.append((h * noise[at + g * units:at + (g + 1) * units]) @ recurrent[:, cut])
        if gates == 1:
            h = np.tanh(read[0] + left[0])
        elif gates == 4:
            i, f, o = (sigmoid(read[g] + left[g]) for g in (0, 1, 3))
            c = f * c + i * np.tanh(read[2] + left[2])
            h = o * np.tanh(c)
        else:
            after = layer.reset_after and layer.use_bias
            own = [bias[1, g * units:(g + 1) * units] if after else 0 for g in range(3)]
            z, r = (sigmoid(read[g] + left[g] + own[g]) for g in range(2))
            dropped = h * noise[at + 2 * units:at + 3 * units]
            new = r * (left[2] + own[2]) if layer.reset_after else (r * dropped) @ recurrent[:, cut]
            h = z * h + (1 - z) * np.tanh(read[2] + new)
        found.append(h)
    return found if layer.return_sequences else found[-1]


@every_kind
def test_gate_by_gate(name, more):
    layer = built(getattr(scratch, name)(2, recurrent_dropout=0.4, dtype="float64", **more))
    rng = np.random.default_rng(0)
    x = rng.standard_normal(SHAPE)
    width = GATES[name] * (2 + 3 * ("dropout" in more))
    noise = rng.choice([0, 1 / 0.6], (4, 1, width))
    layer.give_noise(noise)
    y = layer.forward(x, training=True)
    for n in range(4):
        np.testing.assert_allclose(y[n], by_loops(layer, x[n], noise[n, 0]), rtol=1e-12)
    dy = rng.standard_normal(y.shape)
    dx = layer.backward(dy)
    step = 1e-6
    for i in np.ndindex(x.shape):
        moved = x.copy()
        moved[i] += step
        more_of_it = (layer.forward(moved, training=True) * dy).sum()
        moved[i] -= 2 * step
        less_of_it = (layer.forward(moved, training=True) * dy).sum()
        assert dx[i] == pytest.approx((more_of_it - less_of_it) / 2 / step, abs=1e-7)
    plain = built(getattr(scratch, name)(2, dtype="float64", **more))
    np.testing.assert_array_equal(layer.forward(x), plain.forward(x))


WRAPPED = {
    "both ways": (lambda K: K.layers.Bidirectional(
        K.layers.LSTM(2, dropout=0.4, recurrent_dropout=0.3, return_sequences=True)), SHAPE, 40),
    "one of both": (lambda K: K.layers.Bidirectional(
        K.layers.GRU(2, name="a"), "sum", backward_layer=K.layers.SimpleRNN(
            2, dropout=0.4, go_backwards=True, name="b")), SHAPE, 3),
    "steps": (lambda K: K.layers.TimeDistributed(K.layers.Dropout(0.4)), SHAPE, None),
    "maps": (lambda K: K.layers.TimeDistributed(K.layers.SpatialDropout1D(0.4)), (4, 5, 3, 2),
             None),
    "alpha": (lambda K: K.layers.TimeDistributed(K.layers.AlphaDropout(0.4)), SHAPE, None),
    "gaussian": (lambda K: K.layers.TimeDistributed(K.layers.GaussianNoise(0.4)), SHAPE, None),
    "steps of steps": (lambda K: K.layers.TimeDistributed(
        K.layers.GRU(2, recurrent_dropout=0.4)), (4, 5, 3, 2), None),
    "both ways, of steps": (lambda K: K.layers.TimeDistributed(K.layers.Bidirectional(
        K.layers.SimpleRNN(2, dropout=0.4))), (4, 5, 3, 2), None)}
LAYERS = {f"{name} {more}": (lambda K, name=name, more=more: getattr(K.layers, name)(
    2, recurrent_dropout=0.3, **more), SHAPE, None) for name, more in [
        ("SimpleRNN", {"dropout": 0.4}), ("LSTM", {"dropout": 0.4, "return_sequences": True}),
        ("LSTM", {}), ("GRU", {"dropout": 0.4, "return_sequences": True}),
        ("GRU", {"reset_after": False, "go_backwards": True})]}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", [*WRAPPED, *LAYERS])
@pytest.mark.parametrize("dtype", DTYPES)
def test_keras_with_its_own_draw(keras, case, dtype):
    import tensorflow as tf

    make, shape, width = {**WRAPPED, **LAYERS}[case]
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        theirs = make(keras)
        theirs.build((None, *shape[1:]))
    finally:
        keras.config.set_dtype_policy(kept)
    ours = layer_from_config(keras.layers.serialize(theirs))
    ours.dtype = np.dtype(dtype)
    ours = built(ours, shape)
    theirs.set_weights(list(ours.params.values()))
    rng = np.random.default_rng(2)
    x = tf.constant(rng.standard_normal(shape).astype(dtype))
    noise = noises.drawn(theirs, x)
    assert noises.is_random(theirs) and (width is None or noise.shape == (4, 1, width))
    ours.give_noise(noise)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = noises.apply(theirs, x, noise)
    with noises.given({theirs: [tf.constant(noise)]}):
        again = theirs(x, training=True)
    np.testing.assert_allclose(again, y, rtol=1e-6)
    dy = rng.standard_normal(y.shape).astype(dtype)
    few = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(ours.forward(np.array(x), training=True), y, rtol=0, atol=few)
    np.testing.assert_array_equal(ours.noise, noise)
    dx, *gradients = tape.gradient(y, [x, *theirs.trainable_weights], tf.constant(dy))
    np.testing.assert_allclose(ours.backward(dy), dx, rtol=0, atol=few)
    for own, their in zip(ours.grads.values(), gradients, strict=True):
        np.testing.assert_allclose(own, their, rtol=0, atol=few)
    np.testing.assert_allclose(ours.forward(np.array(x)), theirs(x), rtol=0, atol=few)
    assert not np.allclose(theirs(x, training=True), y)  # nothing is left behind
    ours.give_noise(None)
    ours.forward(np.array(x), training=True)
    assert ours.noise.shape[:2] == noise.shape[:2] and (ours.noise != noise).any()


def test_every_step_and_every_gate_draws_for_itself():
    layer = built(scratch.LSTM(2, dropout=0.4, recurrent_dropout=0.2, seed=1))
    layer.forward(np.ones((3000, 5, 3), "float32"), training=True)
    features, states = layer.noise[:, 0, :12], layer.noise[:, 0, 12:]
    assert set(np.unique(features)) == {0, np.float32(1 / 0.6)} and states.shape == (3000, 8)
    assert abs((features == 0).mean() - 0.4) < 0.02 and abs((states == 0).mean() - 0.2) < 0.02
    assert np.abs(np.corrcoef(layer.noise[:, 0].T) - np.eye(20)).max() < 0.1
    steps = scratch.TimeDistributed(scratch.Dropout(0.4, noise_shape=(None, 1)))
    steps(np.ones((2, 4, 3), "float32"), training=True)
    assert steps.noise.shape == (2, 4, 1) and len(np.unique(steps.noise)) == 2


def test_noise_of_another_shape():
    for layer in (scratch.GRU(2, recurrent_dropout=0.3), scratch.TimeDistributed(
            scratch.Dropout(0.3)), scratch.Bidirectional(scratch.GRU(2, dropout=0.2))):
        layer.build((None, 5, 3))
        layer.give_noise(np.ones((4, 1, 9), "float32"))
        with pytest.raises(ValueError, match="expected noise"):
            layer.forward(np.ones(SHAPE, "float32"), training=True)


def test_a_share_of_all():
    with pytest.raises(ValueError, match="recurrent_dropout to be below 1. Received: rec.*=1"):
        scratch.LSTM(2, recurrent_dropout=1)
