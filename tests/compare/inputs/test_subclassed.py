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


@pytest.mark.parametrize("model, shape, said", [
    (Branch, (2, 3), "whose call is a graph of layers"),
    (Unused, (2, 3), "same graph of all its layers")])
def test_what_is_no_graph_is_refused(model, shape, said):
    with pytest.raises(ValueError, match=said):
        reference.as_graph(built(model(), shape))


def test_one_that_was_never_called_is_refused():
    with pytest.raises(ValueError, match="not built: call it on a batch first"):
        reference.as_graph(Skip())
