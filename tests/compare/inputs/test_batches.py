"""Random batches suit the loss of the model that they are for."""

import numpy as np
import pytest

import scratch
from compare.inputs import batches


def model(loss):
    end = "sigmoid" if loss and "Binary" in loss else "softmax"
    made = scratch.Sequential([scratch.Input((5,)), scratch.Dense(4, activation=end)])
    if loss:
        made.compile("sgd", loss)
    return made


@pytest.mark.parametrize("loss", [*scratch.losses.CLASSES])
def test_every_loss_takes_its_random_targets(loss):
    made = model(loss)
    x, y = batches.random(made, 6, seed=3)
    assert x.shape == (6, 5) and x.dtype == "float32" and len(y) == 6
    value, _, _ = made.loss_and_gradients(x, y)
    assert np.isfinite(value)
    again = batches.random(made, 6, seed=3)
    np.testing.assert_array_equal(x, again[0])
    np.testing.assert_array_equal(y, again[1])
    assert not np.array_equal(x, batches.random(made, 6, seed=4)[0])
    assert len(np.unique(y, axis=0)) > 1, "not all alike"


@pytest.mark.parametrize("loss, holds", [
    ("SparseCategoricalCrossentropy", lambda y: y.shape == (6,) and set(y) <= {0, 1, 2, 3}),
    ("CategoricalCrossentropy", lambda y: (y.sum(axis=1) == 1).all() and set(y.flat) == {0, 1}),
    ("BinaryCrossentropy", lambda y: y.shape == (6, 4) and set(y.flat) == {0, 1}),
    ("CategoricalGeneralizedCrossEntropy", lambda y: y.shape == (6,) and y.dtype.kind == "i"),
    ("CategoricalHinge", lambda y: (y.sum(axis=1) == 1).all()),
    ("Dice", lambda y: set(y.flat) == {0, 1}), ("CosineSimilarity", lambda y: (y < 0).any()),
    ("KLDivergence", lambda y: np.allclose(y.sum(axis=1), 1) and (y > 0).all()),
    ("Poisson", lambda y: (y >= 0).all()), ("MeanSquaredError", lambda y: (y < 0).any())])
def test_what_targets_are(loss, holds):
    assert holds(batches.random(model(loss), 6, seed=3)[1])


def test_a_model_without_a_loss_has_no_targets():
    assert batches.random(model(None), 6, seed=3)[1] is None
