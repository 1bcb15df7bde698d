"""A network in one class, or an object for several layers, on whole numbers: nothing may differ."""

import keras
import numpy as np
import pytest

import compare
from compare.checks import whole_number_pass
from compare.checks.one_class import NETWORK

RNG = np.random.default_rng(3)
X = RNG.normal(size=(7, 6)).astype("float32")


class Net:
    """Dense, ReLU, dense; `passes` says where the gradient goes through the ReLU."""

    passes = staticmethod(lambda z: z > 0)
    gives_probabilities = False

    def __init__(self):
        self.W1, self.b1 = RNG.normal(size=(6, 5)), np.zeros(5)
        self.W2, self.b2 = RNG.normal(size=(5, 3)), np.zeros(3)

    def forward(self, x):
        self.x, self.z = x, x @ self.W1 + self.b1
        self.h = np.maximum(self.z, 0)
        logits = self.h @ self.W2 + self.b2
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True) if self.gives_probabilities else logits

    def backward(self, dy):
        self.dW2, self.db2 = self.h.T @ dy, dy.sum(0)
        dz = dy @ self.W2.T * self.passes(self.z)
        self.dW1, self.db1 = self.x.T @ dz, dz.sum(0)
        return dz @ self.W1.T


class AtZero(Net):
    passes = staticmethod(lambda z: z >= 0)


class Probabilities(Net):
    gives_probabilities = True


class Rounding(Net):
    def forward(self, x):
        return super().forward(x) * np.float32(1 + 1e-7)


def twin(end=()):
    keras.utils.set_random_seed(0)
    first = keras.layers.Dense(5, activation="relu", name="one")
    return keras.Sequential([keras.Input((6,)), first, keras.layers.Dense(3, name="two"), *end])


def whole(report):
    return [row for row in report.rows if row.gate.value == "whole numbers"]


def test_a_right_network_gives_every_number_exactly():
    rows = whole(compare.check(compare.wrap(Net()), twin(), X))
    assert {(row.layer, row.tensor) for row in rows} == {
        ("network", "output"), ("network", "input_gradient"),
        *((layer, f"{name}_gradient") for layer in ("one", "two") for name in ("kernel", "bias"))}
    assert all(row.passed and row.allowed == 0 and row.max_abs == 0 for row in rows)


def test_what_no_real_number_shows_is_found_and_named():
    report = compare.check(compare.wrap(AtZero()), twin(), X)
    failed = [row for row in report.rows if not row.passed]
    assert failed and all(row.gate.value == "whole numbers" for row in failed)
    assert report.cause.layer == "one/relu" and report.cause.identifier == "activation-kink"


def test_the_last_bit_counts():
    report = compare.check(compare.wrap(Rounding()), twin(), X)
    assert [row.tensor for row in whole(report) if not row.passed] == ["output"]


def test_of_a_network_that_ends_in_a_softmax_what_its_logits_lead_to_is_judged():
    softmax = [keras.layers.Softmax()]
    model = twin(softmax)
    model.compile("sgd", "sparse_categorical_crossentropy")
    how = {"backward_takes": ("logits_gradient",)}
    y = np.arange(7) % 3
    report = compare.check(compare.wrap(Probabilities(), **how), model, X, y)
    assert report, str(report)
    assert len(whole(report)) == 5 and ("network", "output") not in {
        (row.layer, row.tensor) for row in whole(report)}


def test_an_object_for_two_layers_is_run_so_too():
    class Head:
        def __init__(self):
            self.w, self.b = np.zeros((12, 4)), np.zeros(4)

        def forward(self, x):
            self.x, self.shape = x.reshape(len(x), -1), x.shape
            return self.x @ self.w + self.b

        def backward(self, dy):
            self.dw, self.db = self.x.T @ dy, dy.sum(0)
            return (dy @ self.w.T).reshape(self.shape)

    model = keras.Sequential([keras.Input((3, 4, 1)), keras.layers.Flatten(name="flat"),
                              keras.layers.Dense(4, name="dense")])
    x = RNG.normal(size=(5, 3, 4, 1)).astype("float32")
    mine = compare.wrap(Head(), layers=2, kernel="w", bias="b",
                        gradients={"kernel": "dw", "bias": "db"})
    report = compare.check([mine], model, x, steps=0)
    assert report, str(report)
    assert ("flat + dense", "output") in {(row.layer, row.tensor) for row in whole(report)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_numbers_are_whole_and_no_sum_can_round(dtype):
    model = keras.Sequential([keras.Input((8, 7, 2), dtype=dtype),
                              keras.layers.Conv2D(6, 3, activation="relu", dtype=dtype),
                              keras.layers.MaxPooling2D(2, dtype=dtype),
                              keras.layers.Flatten(dtype=dtype),
                              keras.layers.Dense(50, dtype=dtype), keras.layers.ReLU(dtype=dtype),
                              keras.layers.Dense(4, dtype=dtype)])
    x = RNG.normal(size=(3, 8, 7, 2)).astype(dtype)
    trace = compare.record(model, x, upstream=RNG.normal(size=(3, 4)).astype(dtype))
    right = whole_number_pass.drawn(trace)
    by_hand = right.trace.x.astype(np.int64)
    kernel, bias = (right.trace.parts[0].weights[name].astype(np.int64)
                    for name in ("kernel", "bias"))
    first = np.zeros((3, 6, 5, 6), np.int64)
    for i in range(6):
        for j in range(5):
            first[:, i, j] = np.einsum("nklc,klcf->nf", by_hand[:, i:i + 3, j:j + 3], kernel) + bias
    assert np.array_equal(right.trace.parts[0].output, first)
    for bound in right.exact.values():
        assert np.array_equal(bound.value, np.round(bound.value)) and not np.any(bound.bound)
    assert (NETWORK, "input_gradient") in right.exact


def test_layers_that_round_are_not_asked():
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="tanh"),
                              keras.layers.Dense(3)])
    trace = compare.record(model, X, upstream=np.ones((7, 3), "float32"))
    assert whole_number_pass.drawn(trace) is None
