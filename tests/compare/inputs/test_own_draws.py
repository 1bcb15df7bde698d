"""Sampling layers of a live model, which draw at every call: a variational autoencoder."""

import keras
import numpy as np
import pytest

import compare
import reference
from compare.inputs import batches
from compare.inputs.twins import twins

ops, L = keras.ops, keras.layers


class Sampling(L.Layer):
    """z = mean + exp(log_var / 2) epsilon, as published."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def draw(self, mean):
        shape = ops.shape(mean)
        return keras.random.normal(shape=(shape[0], shape[1]), seed=self.seed_generator)

    def call(self, inputs):
        mean, log_var = inputs
        return mean + ops.exp(0.5 * log_var) * self.draw(mean)


class Stretched(Sampling):
    """The draw with a mean and a deviation of its own."""

    def draw(self, mean):
        return keras.random.normal(ops.shape(mean), mean=0.5, stddev=2.0)


class SameForAll(Sampling):
    """One draw for all samples."""

    def draw(self, mean):
        return keras.random.normal((1, 2), seed=self.seed_generator)


class Uniform(Sampling):
    """Another distribution."""

    def draw(self, mean):
        return keras.random.uniform(ops.shape(mean), seed=self.seed_generator)


class InTraining(Sampling):
    """Draws in training alone."""

    def call(self, inputs, training=None):
        return super().call(inputs) if training else inputs[0]


def autoencoder(sampling=Sampling, nested=True):
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 4, 1))
    y = L.Conv2D(3, (3, 2), strides=2, padding="same", activation="relu")(image)
    y = L.Dense(5, activation="relu")(L.Flatten()(y))
    mean, log_var = L.Dense(2, name="z_mean")(y), L.Dense(2, name="z_log_var")(y)
    z = sampling(name="sampling")([mean, log_var])
    source = keras.Input((2,))
    y = L.Reshape((3, 2, 2))(L.Dense(12, activation="relu")(source))
    y = L.Conv2DTranspose(1, (3, 2), strides=2, padding="same", activation="sigmoid")(y)
    decoder = keras.Model(source, y, name="decoder")
    if nested:
        z = keras.Model(image, [mean, log_var, z], name="encoder")(image)[2]
    model = keras.Model(image, decoder(z), name="vae")
    model.compile("adam", "binary_crossentropy")
    return model


def pixels():
    return np.random.default_rng(0).random((4, 6, 4, 1)).astype("float32")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("sampling, nested", [(Sampling, True), (Sampling, False),
                                              (Stretched, True)])
def test_the_whole_is_checked_with_the_same_draw_on_both_sides(sampling, nested):
    model = autoencoder(sampling, nested)
    candidate, twin = twins(model)
    assert reference.drawn_inputs(twin) == ["drawn_normal"]
    assert candidate.input_names[-1] == "drawn_normal" and len(candidate.inputs) == 2
    x = pixels()
    for theirs in (twin, model):
        report = compare.check(candidate, theirs, x, x, steps=1)
        assert report, report
        assert any("comes in from outside" in note for note in report.notes)
    given = np.ones((4, 2), "float32")
    report = compare.check(candidate, model, [x, given], x, steps=0)
    assert report, report
    candidate.get_layer("z_log_var").params["kernel"][0, 0] += 0.01
    assert not compare.check(candidate, model, x, x, steps=0)


def test_the_draw_is_what_the_layer_computes_with():
    """Against the formula, on a draw that is given."""
    model = autoencoder(Stretched, False)
    graph = reference.opened(model)
    x, drawn = pixels(), np.random.default_rng(1).standard_normal((4, 2)).astype("float32")
    mean, log_var = (np.array(keras.Model(model.inputs, model.get_layer(name).output)(x))
                     for name in ("z_mean", "z_log_var"))
    z = mean + np.exp(log_var / 2) * (0.5 + 2 * drawn)
    np.testing.assert_allclose(np.array(graph([x, drawn])), model.get_layer("decoder")(z),
                               rtol=0, atol=1e-6)
    assert {id(weight) for weight in graph.weights} == {id(weight) for weight in model.weights}


def test_a_batch_gets_draws_once():
    graph = reference.opened(autoencoder())
    x = pixels()
    made = batches.with_draws(graph, x, ["drawn_normal"], seed=3)
    again = batches.with_draws(graph, x, ["drawn_normal"], seed=3)
    assert made[0] is x and made[1].shape == (4, 2) and made[1].dtype == np.float32
    np.testing.assert_array_equal(made[1], again[1])
    assert batches.with_draws(graph, made, ["drawn_normal"], seed=4) is made


@pytest.mark.parametrize("sampling, reason", [
    (SameForAll, "draws for each sample. Received: keras.random.normal of shape (1, 2)"),
    (Uniform, "normal, in training and outside. Received: keras.random.uniform"),
    (InTraining, "in training and outside. Received: keras.random.normal")])
def test_other_draws_stay_a_layer_and_say_why(sampling, reason):
    model = autoencoder(sampling)
    draws = keras.random.normal, keras.random.uniform
    assert reference.opened(model) is model
    assert reason in reference.closed_by(model)
    assert reference.closed_by(autoencoder()) is None
    assert (keras.random.normal, keras.random.uniform) == draws  # Keras's own are back


class WithTrainStep(keras.Model):
    """As published: trained by a step of its own, without a call."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def train_step(self, data):
        raise NotImplementedError


def test_a_step_of_its_own_is_refused_with_what_can_be_checked():
    whole = autoencoder()
    model = WithTrainStep(whole.get_layer("encoder"), whole.get_layer("decoder"))
    model.compile("adam")
    with pytest.raises(ValueError, match="train_step.*encoder, decoder"):
        twins(model)
