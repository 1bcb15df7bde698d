"""Custom layers with weights of their own, as published examples have them: opened in the live
model, checked in full, and what stays a layer."""

import keras
import numpy as np
import pytest

import compare
import reference
import scratch
from compare.inputs.twins import twins

ops, L = keras.ops, keras.layers
SEQUENCE = (5, 3)


class TokenAndPosition(L.Layer):
    """Words and their places, each by a table."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.token, self.place = L.Embedding(9, 4), L.Embedding(5, 4)

    def call(self, x):
        return self.token(x) + self.place(ops.arange(0, ops.shape(x)[-1], 1))


class PatchEncoder(L.Layer):
    """A projection, and a place for each patch."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.projection, self.place = L.Dense(4), L.Embedding(5, 4)

    def call(self, x):
        return self.projection(x) + self.place(ops.expand_dims(ops.arange(0, 5, 1), axis=0))


class Linear(L.Layer):
    """A matrix and a bias."""

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], 4), initializer="random_normal", name="w")
        self.b = self.add_weight(shape=(4,), initializer="random_normal", name="b")

    def call(self, x):
        return ops.matmul(x, self.w) + self.b


class Placed(L.Layer):
    """Weights without names, which go by their attributes."""

    def build(self, shape):
        self.place = self.add_weight(shape=(1, *shape[1:]), initializer="random_normal")
        self.gain = self.add_weight(shape=shape[-1:], initializer="ones")

    def call(self, x):
        return ops.maximum(x + self.place, self.gain) * self.gain


class ClassToken(L.Layer):
    """A vector in front of each sequence."""

    def build(self, shape):
        self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal",
                                     name="token")

    def call(self, x):
        spread = ops.broadcast_to(self.token, [ops.shape(x)[0], 1, x.shape[-1]])
        return ops.concatenate([spread, x], axis=1)


class TiledToken(ClassToken):
    """The same by tile."""

    def call(self, x):
        return ops.concatenate([ops.tile(self.token, [ops.shape(x)[0], 1, 1]), x], axis=1)


class RepeatedToken(ClassToken):
    """The same by repeat."""

    def call(self, x):
        return ops.concatenate([ops.repeat(self.token, ops.shape(x)[0], axis=0), x], axis=1)


class Fixed(L.Layer):
    """A weight that is not trained."""

    def build(self, shape):
        self.gain = self.add_weight(shape=shape[-1:], initializer="ones", name="gain",
                                    trainable=False)

    def call(self, x):
        return x * self.gain


class Penalised(Fixed):
    """A weight with a penalty."""

    def build(self, shape):
        self.gain = self.add_weight(shape=shape[-1:], initializer="ones", regularizer="l2")


class Turned(Fixed):
    """A weight in another operation."""

    def call(self, x):
        return ops.power(ops.exp(x), self.gain)


class Sliced(ClassToken):
    """A part of a weight, of which Keras sees numbers alone."""

    def call(self, x):
        return x + self.token[:, :, :1]


def built(*layers, shape=SEQUENCE, dtype="float32"):
    keras.utils.set_random_seed(0)
    x = source = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    model = keras.Model(source, L.Dense(2, activation="softmax")(L.Flatten()(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def batch(model):
    rng = np.random.default_rng(1)
    words = len(model.input_shape) == 2 and model.input_shape[1] == 5
    shape = (4, *model.input_shape[1:])
    x = rng.integers(0, 9, shape) if words else rng.standard_normal(shape)
    return x.astype("float32"), np.array([0, 1, 1, 0])


@pytest.mark.sampled(4)
@pytest.mark.parametrize("layer, shape, names", [
    (TokenAndPosition, (5,), {"embedding_1_embeddings": "embeddings"}),
    (PatchEncoder, SEQUENCE, {"embedding_embeddings": "embeddings"}),
    (Linear, SEQUENCE, {"own_w": "w", "own_b": "b"}), (Linear, (3,), {"own_w": "w", "own_b": "b"}),
    (Placed, SEQUENCE, {"own_place": "place", "own_gain": "gain"}),
    (ClassToken, SEQUENCE, {"own_token": "token"}), (TiledToken, SEQUENCE, {"own_token": "token"}),
    (RepeatedToken, SEQUENCE, {"own_token": "token"}), (Fixed, SEQUENCE, {"own_gain": "gain"})])
def test_they_are_opened_and_checked_in_full(layer, shape, names):
    keras.backend.clear_session()
    model = built(layer(name="own"), shape=shape)
    candidate, twin = twins(model)
    held = {each.name: each for each in candidate.layers if type(each).__name__ == "OwnWeight"}
    assert {name: list(each.params) for name, each in held.items()} == {
        name: [weight] for name, weight in names.items()}
    assert sorted(map(np.sum, candidate.get_weights())) == sorted(map(np.sum, model.get_weights()))
    x, y = batch(model)
    np.testing.assert_allclose(candidate.predict(x, verbose=0), model.predict(x, verbose=0),
                               rtol=0, atol=1e-6)
    for theirs in (twin, model):
        report = compare.check(candidate, theirs, x, y, steps=1)
        assert report, report
    name, weight = list(names.items())[-1]
    graded = [row for row in report.rows if (row.layer, row.tensor) == (name, f"{weight}_gradient")]
    assert bool(graded) == (layer is not Fixed)
    held[name].params[weight].flat[-1] += 0.01
    assert not compare.check(candidate, model, x, y, steps=0)


def test_a_gradient_that_lacks_a_sample_is_found():
    model = built(Placed(name="own"))
    candidate, twin = twins(model)
    layer = candidate.get_layer("own_place")
    right = layer.backward

    def first_lost(dy, wants_input_gradient=True):
        right(dy[1:], wants_input_gradient)
        return np.zeros(layer._read, dy.dtype)

    layer.backward = first_lost
    report = compare.check(candidate, twin, *batch(model), steps=0)
    wrong = {(row.layer, row.tensor) for row in report.rows
             if not row.passed and row.gate in ("whole numbers", "backward")}
    assert wrong == {("own_place", "place_gradient")}, report


@pytest.mark.parametrize("layer, reason", [
    (Penalised, "layer 'own': Expected a weight without penalty"),
    (Turned, "layer 'own': Expected one of .*Received: Power"), (Sliced, "."),
    (lambda name: Fixed(name=name, dtype="mixed_float16"), "'own' casts .* is mixed_float16")])
def test_what_does_more_with_its_weight_stays_a_layer_and_says_why(layer, reason):
    model = built(layer(name="own"))
    assert reference.opened(model) is model
    with pytest.raises(ValueError, match="custom_objects=.*opens it in the live model.*"
                       f"tried here, and failed: .*{reason}"):
        twins(model)


def test_what_was_opened_is_saved_and_read_by_both(tmp_path):
    """By Keras where the class of such layers is known, as it is beside `reference`."""
    model = built(Placed(name="own"))
    candidate, twin = twins(model)
    x, _ = batch(model)
    expected = model.predict(x, verbose=0)
    candidate.save(tmp_path / "ours.keras")
    twin.save(tmp_path / "theirs.keras")
    for name in ("ours", "theirs"):
        np.testing.assert_allclose(scratch.load_model(tmp_path / f"{name}.keras").predict(
            x, verbose=0), expected, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(keras.models.load_model(tmp_path / f"{name}.keras").predict(
            x, verbose=0), expected)


def test_the_layer_against_a_loop_and_by_its_oracle():
    from compare.oracle.registry import oracle_for
    from compare.oracle.running_error import Bounded, Rounding

    rng = np.random.default_rng(2)
    layer = scratch.layers.OwnWeight("gain", (3, 2), (1, 3, 2))
    layer.build((None, 7))
    layer.params["gain"][...] = weight = rng.standard_normal((3, 2)).astype("float32")
    x = rng.standard_normal((4, 7)).astype("float32")
    dy = rng.standard_normal((4, 1, 3, 2)).astype("float32")
    y, dx = layer.forward(x), layer.backward(dy)
    total = np.zeros((3, 2))
    for n in range(4):
        np.testing.assert_array_equal(y[n, 0], weight)
        total += dy[n, 0].astype(float)
    np.testing.assert_allclose(layer.grads["gain"], total, rtol=0, atol=1e-6)
    assert dx.shape == x.shape and not dx.any()
    rounding = Rounding.of("float32")
    oracle = oracle_for("OwnWeight", layer.get_config())
    made = oracle.forward(Bounded(x, rounding), {"gain": Bounded(weight, rounding)})
    back, gradients = oracle.backward(Bounded(dy, rounding))
    np.testing.assert_array_equal(made.value, y)
    assert not made.bound.any() and not back.value.any()
    np.testing.assert_allclose(gradients["gain"].value, total, rtol=1e-12)
    off = np.abs(layer.grads["gain"] - total)
    assert (off <= gradients["gain"].bound).all() and gradients["gain"].bound.max() < 1e-5
    with pytest.raises(ValueError, match="as many numbers"):
        scratch.layers.OwnWeight("gain", (3, 2), (5,))
