"""Dropout of attention's weights: in loops with given noise, and as Keras with its own."""

import math

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import DTYPES

QUERY, VALUE = (3, 4, 5), (3, 6, 5)  # (N, T, D)
MAKE = {"Attention": {"dropout": 0.3, "use_scale": True},
        "AdditiveAttention": {"dropout": 0.3},
        "MultiHeadAttention": {"dropout": 0.3, "num_heads": 2, "key_dim": 3, "value_dim": 2},
        "GroupedQueryAttention": {"dropout": 0.3, "head_dim": 3, "num_query_heads": 2,
                                  "num_key_value_heads": 1}}
APART = ("MultiHeadAttention", "GroupedQueryAttention")  # called on their inputs one by one
every_kind = pytest.mark.parametrize("name", MAKE)


def built(name, dtype="float32", seed=None):
    layer = getattr(scratch, name)(**MAKE[name], dtype=dtype, seed=seed)
    layer.build([(None, *QUERY[1:]), (None, *VALUE[1:])])
    for i, weight in enumerate(layer.params.values()):
        weight[...] = np.random.default_rng(i).uniform(-1, 1, weight.shape)
    return layer


def noise_for(name, seed=4):
    heads = (2,) if name in APART else ()
    drawn = np.random.default_rng(seed).random((3, *heads, 4, 6))
    return np.where(drawn < 0.3, 0, 1 / 0.7)


def in_loops(name, params, query, value, noise):
    """The output, number by number."""
    def attended(q, k, v, score, mask):
        made = np.zeros((len(q), v.shape[1]))
        for i in range(len(q)):
            scores = [score(q[i], each) for each in k]
            total = sum(math.exp(s) for s in scores)
            for j, s in enumerate(scores):
                made[i] += math.exp(s) / total * mask[i, j] * v[j]
        return made

    out = []
    for n in range(len(query)):
        if name == "Attention":
            out.append(attended(query[n], value[n], value[n],
                                lambda a, b: params["scale"] * (a @ b), noise[n]))
        elif name == "AdditiveAttention":
            out.append(attended(query[n], value[n], value[n],
                                lambda a, b: params["scale"] @ np.tanh(a + b), noise[n]))
        else:
            total = np.array(params["attention_output/bias"])[None].repeat(len(query[n]), 0)
            for h in range(2):
                q, k, v = (given @ params[f"{part}/kernel"][:, h % params[f"{part}/bias"].shape[0]]
                           + params[f"{part}/bias"][h % params[f"{part}/bias"].shape[0]]
                           for part, given in (("query", query[n]), ("key", value[n]),
                                               ("value", value[n])))
                total = total + attended(q, k, v, lambda a, b: a @ b / math.sqrt(3),
                                         noise[n, h]) @ params["attention_output/kernel"][h]
            out.append(total)
    return np.array(out)


@every_kind
def test_the_output_in_loops_and_the_gradients_by_differences(name):
    rng, layer, noise = np.random.default_rng(1), built(name, "float64"), noise_for(name)
    query, value = rng.standard_normal(QUERY), rng.standard_normal(VALUE)
    layer.give_noise(noise)
    y = layer.forward([query, value], training=True)
    np.testing.assert_allclose(y, in_loops(name, layer.params, query, value, noise), rtol=1e-6)
    dy = rng.standard_normal(y.shape)
    given = layer.backward(dy)
    for i in range(2):
        for index in [(0, 1, 2), (2, 3, 4), (1, 0, 0)]:
            ends = []
            for step in (1e-5, -1e-5):
                moved = [query.copy(), value.copy()]
                moved[i][index] += step
                ends.append((layer.forward(moved, training=True) * dy).sum())
            assert given[i][index] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-8)


@every_kind
@pytest.mark.parametrize("dtype", DTYPES)
def test_keras_with_its_own_draw(keras, name, dtype):
    import tensorflow as tf

    from reference import noise as noises
    from tests.scratch.support.definition_cases import build, call, keras_layer

    ours = built(name, dtype)
    theirs = keras_layer(name)(**MAKE[name], dtype=dtype)
    build(theirs, [QUERY, VALUE])
    theirs.set_weights(list(ours.params.values()))
    rng = np.random.default_rng(2)
    x = [tf.constant(rng.standard_normal(shape).astype(dtype)) for shape in (QUERY, VALUE)]
    assert noises.is_random(theirs)
    noise = noises.drawn(theirs, x)
    assert set(np.unique(noise)) == {0, np.dtype(dtype).type(1 / 0.7)}
    ours.give_noise(noise)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = noises.apply(theirs, x, noise)
    dy = rng.standard_normal(y.shape).astype(dtype)
    few = 200 * np.finfo(dtype).eps
    own = ours.forward([np.array(each) for each in x], training=True)
    np.testing.assert_allclose(own, y, rtol=0, atol=few)
    for a, b in zip(ours.backward(dy), tape.gradient(y, x, tf.constant(dy)), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=few)
    # and nothing of it is left behind: at inference as ever, in training draws of its own
    np.testing.assert_allclose(ours.forward([np.array(each) for each in x]), call(theirs, x),
                               rtol=0, atol=few)
    again = theirs(*x, training=True) if name in APART else theirs(x, training=True)
    assert not np.allclose(again, y)


@every_kind
def test_draws(name):
    layer = built(name, seed=3)
    x = [np.ones((200, *QUERY[1:]), "float32"), np.ones((200, *VALUE[1:]), "float32")]
    layer.forward(x, training=True)
    assert layer.noise.shape == (200, *noise_for(name).shape[1:])
    assert abs((layer.noise == 0).mean() - 0.3) < 0.03
    assert set(np.unique(layer.noise)) == {0, np.float32(1 / 0.7)}
    assert layer.forward(x) is not None and layer.noise is None
    assert not layer.sample_by_sample and scratch.Attention().sample_by_sample


@every_kind
@pytest.mark.parametrize("arguments, said", [
    ({"dropout": 1.0}, "dropout to be below 1"), ({"dropout": -0.5}, "between 0 and 1"),
    ({"seed": "x"}, "seed to be an integer or None. Received: seed='x'")])
def test_what_is_refused(name, arguments, said):
    with pytest.raises(ValueError, match=said):
        getattr(scratch, name)(**{**MAKE[name], **arguments})
    layer = built(name)
    layer.give_noise(np.ones((2, 2)))
    with pytest.raises(ValueError, match="noise of the shape of the weights"):
        layer.forward([np.ones(QUERY, "float32"), np.ones(VALUE, "float32")], training=True)
