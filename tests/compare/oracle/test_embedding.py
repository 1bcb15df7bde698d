"""The oracle of embeddings: values, bounds, and that drawn numbers become class numbers."""

import numpy as np

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding

CLASSES, SIZE = 6, 3


def words():
    scratch.set_random_seed(0)
    model = scratch.Sequential([scratch.Input((5,)), scratch.Embedding(CLASSES, SIZE, name="table"),
                                scratch.Flatten(), scratch.Dense(3)])
    model.compile("sgd", "mse")
    return model


def batch():
    rng = np.random.default_rng(1)
    return rng.integers(0, CLASSES, (40, 5)), rng.standard_normal((40, 3))


def test_values_and_bounds():
    """Each sum of the gradient, in whatever order, lies within the bound and is not far from it."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, CLASSES, (50, 4)).astype("float32")
    table = rng.standard_normal((CLASSES, SIZE)).astype("float32")
    dy = rng.standard_normal((50, 4, SIZE)).astype("float32")
    rounding = Rounding.of("float32")
    oracle = oracle_for("Embedding", {"input_dim": CLASSES})
    y = oracle.forward(Bounded(x, rounding), {"embeddings": Bounded(table, rounding)})
    np.testing.assert_array_equal(y.value, table[x.astype(int)])
    assert not y.bound.any()
    dx, gradients = oracle.backward(Bounded(dy, rounding))
    assert not dx.value.any() and not dx.bound.any()
    for c in range(CLASSES):
        own = dy[x == c]
        np.testing.assert_allclose(gradients["embeddings"].value[c],
                                   own.astype(float).sum(axis=0), atol=1e-12)
        for order in (own, own[::-1], rng.permutation(own)):
            total = np.zeros(SIZE, "float32")
            for each in order:
                total += each
            off = np.abs(total - gradients["embeddings"].value[c])
            assert (off <= gradients["embeddings"].bound[c]).all()
    largest = np.abs(dy).sum(axis=(0, 1)) * 200 * 2.0**-24
    assert (gradients["embeddings"].bound <= largest).all()


def test_any_numbers_become_class_numbers():
    oracle = oracle_for("Embedding", {"input_dim": CLASSES})
    drawn = np.array([0.5, -7.25, 1e30, np.inf, np.nan, 5, 6, -0.0], "float32")
    made = oracle.admitted(drawn)
    assert made.dtype == drawn.dtype
    assert set(made) <= set(range(CLASSES))
    np.testing.assert_array_equal(made[[0, 1, 3, 4, 5, 6]], [0, 1, 0, 0, 5, 0])


def test_a_right_network_holds_also_with_a_gradient_of_zeros(monkeypatch):
    x, y = batch()
    assert compare.check(words(), words(), x, y)

    class Zeros(scratch.Embedding):
        def backward(self, dy, wants_input_gradient=True):
            super().backward(dy)
            return np.zeros(dy.shape[:-1], dy.dtype)

    model = words()
    model.layers[0].__class__ = Zeros
    assert compare.check(model, words(), x, y)


def test_a_gradient_that_is_made_up_does_not():
    x, y = batch()

    class Ones(scratch.Embedding):
        def backward(self, dy, wants_input_gradient=True):
            super().backward(dy)
            return np.ones(dy.shape[:-1], dy.dtype)

    model = words()
    model.layers[0].__class__ = Ones
    report = compare.check(model, words(), x, y)
    assert not report and report.first_failure.tensor == "input_gradient"
