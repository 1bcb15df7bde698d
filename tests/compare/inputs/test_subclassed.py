"""Subclassed Keras models, checked as the graph of the layers that their call puts together."""

import keras
import numpy as np
import pytest

import compare
import reference
from compare.inputs.twins import twins

SHAPE = (3, 6, 7, 3)


class Skip(keras.Model):
    """A sum around a convolution, an operator, and normalisation that is told of training."""

    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(2)  # not in the order in which they run
        self.conv = keras.layers.Conv2D(3, (2, 3), padding="same")
        self.norm = keras.layers.BatchNormalization()
        self.flat = keras.layers.Flatten()

    def call(self, x, training=None):
        y = self.norm(self.conv(x), training=training)
        return self.head(self.flat(keras.ops.relu(y) * 0.5 + x))


class Around(keras.Model):
    """Of parts that it is made with, which Keras cannot write into a config."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def call(self, x):
        return self.decoder(self.encoder(x))


class Branch(keras.Model):
    """What it computes depends on the numbers that come in."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, x):
        return self.dense(x) if float(keras.ops.sum(x)) > 0 else x


class Unused(keras.Model):
    """One of its layers takes no part."""

    def __init__(self):
        super().__init__()
        self.dense, self.other = keras.layers.Dense(3), keras.layers.Dense(2)
        self.other.build((None, 3))

    def call(self, x):
        return self.dense(x)


def built(model, shape=SHAPE):
    keras.utils.set_random_seed(3)
    model.compile(keras.optimizers.SGD(0.01), "mean_squared_error")
    model(np.zeros(shape, "float32"))
    return model


def test_layers_stand_in_the_order_in_which_they_ran():
    model = built(Skip())
    graph = reference.as_graph(model)
    ran = [type(operation).__name__ for operation in graph.operations]
    assert ran == ["InputLayer", "Conv2D", "BatchNormalization", "Relu", "Multiply", "Add",
                   "Flatten", "Dense"]
    assert graph.get_layer(model.conv.name) is model.conv  # shared, weights and all
    x = np.random.default_rng(0).normal(size=SHAPE).astype("float32")
    np.testing.assert_array_equal(graph(x, training=False), model(x, training=False))


def test_a_graph_stays_as_it_is():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert reference.as_graph(model) is model


def test_parity_holds():
    model = built(Skip())
    candidate, twin = twins(model)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=SHAPE).astype("float32"), rng.normal(size=(3, 2)).astype("float32")
    for theirs in (twin, model):
        report = compare.check(candidate, theirs, x, y, steps=1)
        assert report, str(report)


def test_a_model_that_has_no_config_is_a_graph():
    L = keras.layers
    model = built(Around(keras.Sequential([keras.Input((4,)), L.Dense(3)]),
                         keras.Sequential([keras.Input((3,)), L.ReLU(), L.Dense(2)])), (2, 4))
    candidate, twin = twins(model)
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(3, 4)).astype("float32"), rng.normal(size=(3, 2)).astype("float32")
    assert [type(layer).__name__ for layer in candidate.layers] == ["Dense", "ReLU", "Dense"]
    assert compare.check(candidate, model, x, y, steps=1)


@pytest.mark.parametrize("model, shape, said", [
    (Branch, (2, 3), "whose call is a graph of layers"),
    (Unused, (2, 3), "same graph of all its layers")])
def test_what_is_no_graph_is_refused(model, shape, said):
    with pytest.raises(ValueError, match=said):
        reference.as_graph(built(model(), shape))


def test_one_that_was_never_called_is_refused():
    with pytest.raises(ValueError, match="not built: call it on a batch first"):
        reference.as_graph(Skip())


class Block(keras.layers.Layer):
    """A layer of somebody's own that only puts others together."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.conv = keras.layers.Conv2D(filters, (2, 3), padding="same")
        self.norm = keras.layers.BatchNormalization()

    def call(self, x, training=None):
        y = keras.ops.relu(self.norm(self.conv(x), training=training))
        return keras.ops.concatenate([x, y], axis=-1)


class Gated(keras.layers.Layer):
    """One that has a weight with a penalty itself."""

    def build(self, input_shape):
        self.gate = self.add_weight(shape=input_shape[-1:], initializer="ones", name="gate",
                                    regularizer="l2")

    def call(self, x):
        return x * self.gate


class Dropping(keras.layers.Layer):
    """One that computes otherwise in training."""

    def call(self, x, training=None):
        return keras.ops.relu(x) * 2.0 if training else x


class Charging(keras.layers.Layer):
    """One that adds a loss."""

    def call(self, x):
        self.add_loss(0.1 * keras.ops.mean(x))
        return x


def blocks(*layers):
    source = keras.Input(SHAPE[1:])
    x = source
    for layer in layers:
        x = layer(x)
    model = keras.Model(source, keras.layers.Dense(2)(keras.layers.GlobalMaxPooling2D()(x)))
    return built(model)


class Stack(keras.Model):
    """Of blocks, whose layers it does not know."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.flat = Block(2), Block(3), keras.layers.Flatten()

    def call(self, x, training=None):
        return self.flat(self.second(self.first(x, training=training), training=training))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("model", [
    lambda: blocks(Block(2), Block(1)), lambda: built(Stack()),
    lambda: built(keras.Sequential([keras.Input(SHAPE[1:]), Block(2), keras.layers.Lambda(
        lambda x: keras.ops.mean(x[:, 1:], axis=(1, 2)) / 2)]))])
def test_layers_of_layers_are_opened(model):
    model = model()
    candidate, twin = twins(model)
    assert [type(layer).__name__ for layer in candidate.layers[:4]] == [
        "Conv2D", "BatchNormalization", "ReluOperation", "ConcatenateOperation"]
    rng = np.random.default_rng(1)
    x = rng.normal(size=SHAPE).astype("float32")
    y = rng.normal(size=model(x).shape).astype("float32")
    for theirs in (twin, model):
        report = compare.check(candidate, theirs, x, y, steps=1)
        assert report, str(report)
    candidate.layers[0].params["kernel"][0, 0, 0, 0] += 0.01
    assert not compare.check(candidate, model, x, y, steps=0)


def test_a_model_inside_that_has_no_config_is_named():
    parts = [keras.Sequential([keras.layers.Dense(3)]) for _ in range(2)]
    source = keras.Input((4,))
    model = keras.Model(source, Around(*parts)(source))
    with pytest.raises(ValueError, match="have a config. Received: Around 'around.*no get_config"):
        twins(model)


@pytest.mark.parametrize("layer", [Gated, Dropping, Charging])
def test_what_does_more_stays_a_layer(layer):
    model = blocks(layer(name="own"))
    assert reference.opened(model) is model
    with pytest.raises(ValueError, match="custom_objects=.*opens it in the live model"):
        twins(model)


def test_a_layer_that_has_a_counterpart_stays():
    model = blocks(Block(2, name="own"))
    assert reference.opened(model, {"own"}) is model
    assert reference.opened(model).count_params() == model.count_params()
