"""Masks at products and largest and smallest numbers: taken where Keras computes the same of them,
refused where it does not."""

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError

KINDS = ["Maximum", "Minimum", "Multiply"]


def merged(L, kind, one_sided=False):
    """(an input, what merges two things made of it): of its masked steps, or of one and all."""
    source = L.Input((4, 3))
    steps = L.Masking(0.0)(source)
    first, second = (L.Dense(3, bias_initializer="random_normal") for _ in range(2))
    return source, getattr(L, kind)()([first(steps), second(source if one_sided else steps)])


def batch():
    x = np.random.default_rng(0).standard_normal((3, 4, 3)).astype("float32")
    x[0, 1:], x[1, 0] = 0, 0
    return x


@pytest.mark.parametrize("kind", KINDS)
def test_keras_merges_otherwise_where_steps_are_masked(keras, kind):
    """Were this no longer so, masks could be taken everywhere."""
    source, y = merged(keras.layers, kind)
    model = keras.Model(source, y)
    a, b = (keras.Model(source, each)(batch()).numpy() for each in model.layers[-1].input)
    plain = {"Maximum": np.maximum, "Minimum": np.minimum, "Multiply": np.multiply}[kind](a, b)
    left_out = (batch() == 0).all(axis=-1)
    made = model(batch()).numpy()
    np.testing.assert_allclose(made[~left_out], plain[~left_out], rtol=1e-6)
    instead = np.zeros_like(a) if kind == "Multiply" else a
    np.testing.assert_allclose(made[left_out], instead[left_out], rtol=1e-6)
    assert not np.allclose(made[left_out], plain[left_out])


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_reads_may_differ(keras, kind):
    source, y = merged(keras.layers, kind)
    end = keras.layers.LSTM(2)(keras.layers.Activation("tanh")(y))
    theirs = keras.Model(source, end)
    ours = scratch.Model.from_config(theirs.get_config())
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours.predict(batch()), theirs(batch()), atol=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end, said", [
    ("output", "no use of the masked steps, which the network puts out"),
    ("Dense", "no use of the masked steps, which the network puts out"),
    ("Flatten", "no use of the masked steps, which Flatten"),
    ("unmasked LSTM", "no use of the masked steps, which LSTM"),
    ("one-sided", "the same mask of all inputs")])
def test_masked_steps_that_are_seen_are_refused(kind, end, said):
    source, y = merged(scratch, kind, one_sided=end == "one-sided")
    y = {"Dense": scratch.Dense(2), "Flatten": scratch.Flatten()}.get(end, lambda y: y)(y)
    if end == "unmasked LSTM":
        y = scratch.LSTM(2)(scratch.Add()([y, source]))
    if end == "one-sided":
        y = scratch.LSTM(2)(y)
    with pytest.raises(UnsupportedError, match=f"{kind} '.*' does not support masks .*{said}"):
        scratch.Model(source, y)


@pytest.mark.parametrize("kind", KINDS)
def test_without_masks_nothing_is_refused(kind):
    source = scratch.Input((4, 3))
    model = scratch.Model(source, getattr(scratch, kind)()([source, scratch.Dense(3)(source)]))
    assert model.predict(batch()).shape == (3, 4, 3)
