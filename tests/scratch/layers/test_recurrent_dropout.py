"""Dropout of what recurrent layers read: the same features at every step, as in Keras."""

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES

SHAPE = (4, 5, 3)  # (N, T, D)
every_kind = pytest.mark.parametrize("name, more", [
    ("SimpleRNN", {}), ("LSTM", {"go_backwards": True}), ("LSTM", {"return_sequences": True}),
    ("GRU", {"return_sequences": True}), ("GRU", {"reset_after": False})], ids=str)


def built(name, more, dtype="float32", **arguments):
    layer = getattr(scratch, name)(2, **more, **arguments, dtype=dtype)
    layer.build((None, *SHAPE[1:]))
    for i, weight in enumerate(layer.params.values()):
        weight[...] = np.random.default_rng(i).uniform(-1, 1, weight.shape)
    return layer


@every_kind
def test_it_is_the_layer_without_dropout_on_what_is_left(name, more):
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal(SHAPE), rng.choice([0, 1 / 0.6], (4, 1, 3))
    layer, plain = built(name, more, "float64", dropout=0.4), built(name, more, "float64")
    layer.give_noise(noise)
    left = np.zeros_like(x)
    for n, t, d in np.ndindex(x.shape):
        left[n, t, d] = x[n, t, d] * noise[n, 0, d]
    y, expected = layer.forward(x, training=True), plain.forward(left, training=True)
    np.testing.assert_allclose(y, expected, rtol=1e-13)
    dy = rng.standard_normal(y.shape)
    np.testing.assert_allclose(layer.backward(dy), plain.backward(dy) * noise, rtol=1e-12)
    for weight, gradient in plain.grads.items():
        np.testing.assert_allclose(layer.grads[weight], gradient, rtol=1e-12)
    np.testing.assert_array_equal(layer.forward(x), plain.forward(x))
    assert layer.noise is None


@pytest.mark.sampled(3)
@every_kind
@pytest.mark.parametrize("dtype", DTYPES)
def test_keras_with_its_own_draw(keras, name, more, dtype):
    import tensorflow as tf

    from reference import noise as noises

    ours = built(name, more, dtype, dropout=0.4)
    theirs = getattr(keras.layers, name)(2, **more, dropout=0.4, dtype=dtype)
    theirs.build((None, *SHAPE[1:]))
    theirs.set_weights(list(ours.params.values()))
    rng = np.random.default_rng(2)
    x = tf.constant(rng.standard_normal(SHAPE).astype(dtype))
    noise = noises.drawn(theirs, x)
    assert noises.is_random(theirs) and noise.shape == (4, 1, 3)
    ours.give_noise(noise)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = noises.apply(theirs, x, noise)
    dy = rng.standard_normal(y.shape).astype(dtype)
    few = 100 * np.finfo(dtype).eps
    np.testing.assert_allclose(ours.forward(np.array(x), training=True), y, rtol=0, atol=few)
    np.testing.assert_allclose(ours.backward(dy), tape.gradient(y, x, tf.constant(dy)), rtol=0,
                               atol=few)
    np.testing.assert_allclose(ours.forward(np.array(x)), theirs(x), rtol=0, atol=few)
    assert not np.allclose(theirs(x, training=True), y)  # nothing is left behind


def test_draws():
    layer = built("GRU", {}, dropout=0.4, seed=1)
    layer.forward(np.ones((2000, *SHAPE[1:]), "float32"), training=True)
    assert layer.noise.shape == (2000, 1, 3)
    assert abs((layer.noise == 0).mean() - 0.4) < 0.04
    assert set(np.unique(layer.noise)) == {0, np.float32(1 / 0.6)}


def test_what_is_refused():
    with pytest.raises(ValueError, match="dropout to be below 1. Received: dropout=1"):
        scratch.LSTM(2, dropout=1)
