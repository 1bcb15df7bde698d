"""Models can be pickled and copied, whatever is in them; a copy goes its own way from there."""

import copy
import pickle

import numpy as np
import pytest

import scratch
from scratch.activations import ACTIVATIONS

RNG = np.random.default_rng(5)
X = RNG.normal(size=(6, 5, 4, 2)).astype("f4")
Y = RNG.integers(0, 3, 6)
MAKERS = {"pickle": lambda model: pickle.loads(pickle.dumps(model)), "deepcopy": copy.deepcopy}


def network(*layers):
    scratch.set_random_seed(2)
    model = scratch.Sequential([scratch.Input((5, 4, 2)), *layers, scratch.Flatten(),
                                scratch.Dense(3, activation="softmax")])
    model.compile(scratch.Adam(0.01), "sparse_categorical_crossentropy", ["accuracy"])
    return model


def as_lists(model):
    return [*map(np.copy, model.get_weights() + model.optimizer.variables)]


def require_copy(model, make):
    """The copy computes and learns the same, and neither moves the other."""
    model.train_on_batch(X, Y)
    twin = make(model)
    before, ahead = as_lists(model), model.forward(X)
    np.testing.assert_array_equal(twin.forward(X), ahead)
    scratch.set_random_seed(7)
    losses = [twin.train_on_batch(X, Y)[0] for _ in range(3)]
    for now, then in zip(as_lists(model), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert not np.array_equal(twin.forward(X), ahead)
    scratch.set_random_seed(7)
    assert [model.train_on_batch(X, Y)[0] for _ in range(3)] == losses
    for ours, theirs in zip(as_lists(model), as_lists(twin), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("activation", [*ACTIVATIONS, None, scratch.activations.approximate_gelu,
                                        scratch.activations.elu_with(0.3)],
                         ids=lambda a: getattr(a, "name", str(a)))
def test_of_any_activation(activation, make):
    require_copy(network(scratch.Conv2D(3, 2, activation=activation)), make)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("layer", [
    scratch.LeakyReLU, scratch.ELU, lambda: scratch.ReLU(6, 0.1, 0.2), lambda: scratch.ReLU(2),
    lambda: scratch.Softmax(axis=1), scratch.PReLU, scratch.BatchNormalization,
    lambda: scratch.Dropout(0.4), scratch.MaxPooling2D], ids=[
    "LeakyReLU", "ELU", "ReLU", "ReLU2", "Softmax", "PReLU", "BatchNormalization", "Dropout",
    "MaxPooling2D"])
def test_of_layers_with_arguments_statistics_and_noise(layer, make):
    require_copy(network(scratch.Conv2D(3, 2), layer()), make)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_of_a_graph(make):
    source = scratch.Input((5, 4, 2))
    first = scratch.Conv2D(2, 3, padding="same", activation="gelu")(source)
    output = scratch.Dense(3, activation="softmax")(scratch.Flatten()(scratch.Add()(
        [first, source])))
    model = scratch.Model(source, output)
    model.compile(scratch.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy", ["accuracy"])
    require_copy(model, make)
