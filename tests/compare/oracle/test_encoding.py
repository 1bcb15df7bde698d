"""The oracles of encoded classes and of bins, and checks of networks that begin with them."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding

EDGES = [-1.0, 0.25]


def network(layer):
    scratch.set_random_seed(0)
    model = scratch.Sequential([scratch.Input((5,)), layer, scratch.Flatten(), scratch.Dense(3)])
    model.compile("sgd", "mse")
    return model


def made(kind, config, x, error=None, dtype="float32"):
    oracle = oracle_for(kind, config)
    rounding = Rounding.of(dtype)
    return oracle, oracle.forward(Bounded(x, rounding, error), {})


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_numbers_that_may_lie_on_either_side(mode):
    """Whatever lies within the error of the inputs comes out within the bound; else it is 0."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 1, (30, 4))
    x[:, 0] = -1.0005
    config = {"bin_boundaries": EDGES, "output_mode": mode}
    assert not made("Discretization", config, x)[1].bound.any()
    oracle, y = made("Discretization", config, x, np.full(x.shape, 0.001))
    assert y.bound.any() and not y.bound.all()
    for _ in range(20):
        other = made("Discretization", config, x + rng.uniform(-0.001, 0.001, x.shape))[1]
        assert (np.abs(other.value - y.value) <= y.bound).all()
    dx, gradients = oracle.backward(Bounded(np.ones(y.shape), y.rounding))
    assert dx.shape == x.shape and not dx.value.any() and not gradients


def test_float64_may_be_read_as_float32():
    near = np.array([[0.25 - 1e-9, 0.3]])
    found = made("Discretization", {"bin_boundaries": EDGES, "output_mode": "int"}, near,
                 dtype="float64")[1]
    assert found.bound.tolist() == [[1, 0]]


def test_any_numbers_become_class_numbers():
    oracle = oracle_for("CategoryEncoding", {"num_tokens": 5})
    drawn = np.array([0.5, -7.25, 1e30, np.inf, np.nan, 4, 5], "float32")
    assert set(oracle.admitted(drawn)) <= set(range(5))


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_right_networks_hold(mode):
    rng = np.random.default_rng(2)
    y = rng.standard_normal((7, 3))
    for make, x in ((lambda: scratch.CategoryEncoding(4, output_mode=mode),
                     rng.integers(0, 4, (7, 5))),
                    (lambda: scratch.Discretization(EDGES, output_mode=mode),
                     rng.standard_normal((7, 5)))):
        model = network(make())
        units = (7, *model.output_shape[1:])
        report = compare.check(model, network(make()), x, np.resize(y, units))
        assert report, str(report)
        assert "place by place" not in str(report), "there is no table whose gradients are added"


@pytest.mark.parametrize("loss", ["MeanSquaredError", "SparseCategoricalCrossentropy"])
def test_bins_as_numbers_hold_before_a_loss(keras, loss):
    """Which TensorFlow has no way back through, but a gradient of."""
    def model(K):
        found = K.Sequential([K.Input((4,)), K.layers.Discretization([-1.0, 0.5, 2.0])])
        found.compile("sgd", getattr(K.losses, loss)())
        return found

    rng = np.random.default_rng(4)
    y = rng.integers(0, 4, 7) if loss.startswith("Sparse") else rng.standard_normal((7, 4))
    ours, theirs = model(scratch), model(keras)
    report = compare.check(ours, theirs, rng.standard_normal((7, 4)), y)
    assert report, str(report)
    row, = (row for row in report.rows if (row.gate, row.tensor) == ("loss", "gradient"))
    assert row.allowed and not row.note


def test_bins_as_numbers_hold_before_a_table():
    def model():
        scratch.set_random_seed(0)
        found = scratch.Sequential([scratch.Input((5,)), scratch.Discretization(EDGES),
                                    scratch.Embedding(3, 2), scratch.Flatten(), scratch.Dense(3)])
        found.compile("sgd", "mse")
        return found

    rng = np.random.default_rng(3)
    report = compare.check(model(), model(), rng.standard_normal((7, 5)),
                           rng.standard_normal((7, 3)))
    assert report, str(report)
