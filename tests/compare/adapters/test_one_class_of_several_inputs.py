"""A network of two inputs in one class: handed over one by one or in a list; right ones pass, and
a mistake in a branch, or where the branches meet, is named."""

import numpy as np
import pytest

import compare
from compare.checks import whole_number_pass
from compare.checks.one_class import NETWORK
from scratch.errors import UnsupportedError
from tests.compare.support import wrapped_networks as networks

WIDE, NARROW = 6, 4
LABELS = np.arange(7) % 3


def batch():
    rng = np.random.default_rng(4)
    return [rng.normal(size=(7, width)).astype("float32") for width in (WIDE, NARROW)]


def twin(keras, end=None, loss="mean_squared_error", optimizer=None):
    """Two dense layers with a ReLU, side by side, then one on both."""
    layers = keras.layers
    wide, narrow = keras.Input((WIDE,)), keras.Input((NARROW,))
    joined = layers.Concatenate(name="joined")([
        layers.Dense(5, activation="relu", name="left")(wide),
        layers.Dense(5, activation="relu", name="right")(narrow)])
    model = networks.compiled(keras, keras.Model([wide, narrow], layers.Dense(
        3, activation=end, name="last")(joined)), loss)
    if optimizer is not None:
        model.compile(optimizer, loss)
    return model


def targets():
    return np.random.default_rng(6).normal(size=(7, 3)).astype("float32")


class Apart:
    """forward(a, b), and backward(dy) that returns (da, db)."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.W1, self.b1 = rng.normal(size=(WIDE, 5)), np.zeros(5)
        self.W2, self.b2 = rng.normal(size=(NARROW, 5)), np.zeros(5)
        self.W3, self.b3 = rng.normal(size=(10, 3)), np.zeros(3)

    def forward(self, a, b):
        self.a, self.b = a, b
        self.left, self.right = a @ self.W1 + self.b1, b @ self.W2 + self.b2
        self.h = self.join(np.maximum(self.left, 0), np.maximum(self.right, 0))
        return self.h @ self.W3 + self.b3

    def join(self, left, right):
        return np.concatenate([left, right], axis=1)

    def cut(self, dh):
        return dh[:, :5], dh[:, 5:]

    def mask(self, dh, z):
        return dh * (z > 0)

    def backward(self, dy):
        self.dW3, self.db3 = self.h.T @ dy, dy.sum(0)
        dl, dr = self.cut(dy @ self.W3.T)
        dl, dr = dl * (self.left > 0), self.mask(dr, self.right)
        self.dW1, self.db1 = self.a.T @ dl, dl.sum(0)
        self.dW2, self.db2 = self.b.T @ dr, dr.sum(0)
        return dl @ self.W1.T, dr @ self.W2.T


class Listed(Apart):
    """forward([a, b]); its backward returns the weights' gradients in a dictionary; a step."""

    rate, after = 0.1, ()

    def forward(self, inputs, training=False):
        a, b = inputs
        return super().forward(a, b)

    def backward(self, dy):
        super().backward(dy)
        return {name: getattr(self, name) for name in ("dW1", "db1", "dW2", "db2", "dW3", "db3")}

    def train_step(self, inputs, y):
        output = self.forward(inputs)
        self.backward(2 * (output - y) / y.size)
        for name in ("W1", "b1", "W2", "b2", "W3", "b3"):
            setattr(self, name, getattr(self, name) - self.rate * getattr(self, f"d{name}"))


class Probabilities(Apart):
    """Ends in a softmax; backward takes labels; a single one is called one by one."""

    def forward(self, *inputs):
        z = super().forward(*inputs)
        self.p = np.exp(z - z.max(axis=1, keepdims=True))
        self.p /= self.p.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, labels):
        return super().backward((self.p - np.eye(3)[labels]) / len(labels))

    def loss(self, p, labels):
        return -np.mean(np.log(p[np.arange(len(p)), labels]))


class OneByOne(Apart):
    """One sample at a time, without a batch axis."""

    def forward(self, a, b):
        return super().forward(a[None], b[None])[0]

    def backward(self, dy):
        da, db = super().backward(dy[None])
        return da[0], db[0]


def checked(net, model, y=None, **how):
    return compare.check(compare.wrap(net, **how), model, batch(), targets() if y is None else y)


def judged(report):
    return {(row.layer, row.tensor) for row in report.rows if row.judged}


GRADIENTS = {(layer, f"{name}_gradient") for layer in ("left", "right", "last")
             for name in ("kernel", "bias")}
INPUTS = {(NETWORK, "input_gradient_1"), (NETWORK, "input_gradient_2")}


def test_inputs_one_by_one(keras):
    report = checked(Apart(), twin(keras))
    assert report, report
    assert {*GRADIENTS, *INPUTS, (NETWORK, "output")} <= judged(report)
    assert any(row.gate == "whole numbers" and (row.layer, row.tensor) in INPUTS
               for row in report.rows)


def test_inputs_in_a_list_and_steps(keras):
    report = checked(Listed(), twin(keras), step="train_step")
    assert report, report
    assert {*GRADIENTS, (NETWORK, "output"), ("left", "kernel after a step")} <= judged(report)
    assert not INPUTS & judged(report)
    assert any("returns no gradient of its inputs 1 and 2" in note for note in report.notes)
    assert {row.layer for row in report.rows if row.gate == "lockstep"} == {"left", "right", "last"}


def test_labels_and_any_number_of_arguments(keras):
    model = twin(keras, "softmax", "sparse_categorical_crossentropy")
    report = checked(Probabilities(), model, LABELS, backward_takes=("labels",), loss="loss")
    assert report, report
    assert {*GRADIENTS, *INPUTS, ("loss", "value")} <= judged(report)


def test_one_sample_at_a_time(keras):
    report = checked(OneByOne(), twin(keras), batched=False)
    assert report, report
    assert {*GRADIENTS, *INPUTS} <= judged(report)


def test_declared_names(keras):
    class Turned(Apart):
        def forward(self, training, b, a):
            return super().forward(a, b)

        def backward(self, b, dy, a):
            da, db = super().backward(dy)
            return "memo", [db, da]

    report = checked(Turned(), twin(keras), forward_takes=("training", "x_2", "x_1"),
                     backward_takes=("x_2", "dy", "x_1"),
                     backward_gives=("ignored", ("input_gradient_2", "input_gradient_1")))
    assert report, report
    assert {*GRADIENTS, *INPUTS} <= judged(report)


def test_a_single_gradient_of_several(keras):
    class First(Apart):
        def backward(self, dy):
            return super().backward(dy)[0], None

    report = checked(First(), twin(keras))
    assert report, report
    assert INPUTS & judged(report) == {(NETWORK, "input_gradient_1")}
    assert any("returns no gradient of its input 2" in note for note in report.notes)


def test_without_labels_and_forward_alone(keras):
    for given in ({}, {"gradients": False}):
        report = compare.check(compare.wrap(Apart()), twin(keras), batch(), **given)
        assert report, report
        assert (INPUTS <= judged(report)) == (not given)


class MaskMissing(Apart):
    def mask(self, dh, z):
        return dh


class CutElsewhere(Apart):
    def cut(self, dh):
        return dh[:, 5:], dh[:, :5]


class JoinedTheOtherWay(Apart):
    def join(self, left, right):
        return np.concatenate([right, left], axis=1)


class BiasMean(Apart):
    def backward(self, dy):
        found = super().backward(dy)
        self.db2 /= len(dy)
        return found


@pytest.mark.sampled(2)
@pytest.mark.parametrize("mistaken, layer, identifier", [
    (MaskMissing, "right/relu", "mask-missing"), (CutElsewhere, "joined", "inputs-swapped"),
    (JoinedTheOtherWay, "joined", "inputs-swapped"), (BiasMean, "right", "scale")],
    ids=lambda value: getattr(value, "__name__", None))
def test_a_mistake_is_named_with_its_layer(keras, mistaken, layer, identifier):
    names = {"left": "1", "right": "2", "last": "3"}
    weights = {f"{layer}/{name}": f"{letter}{number}" for layer, number in names.items()
               for name, letter in (("kernel", "W"), ("bias", "b"))}
    report = checked(mistaken(), twin(keras), weights=weights)
    assert not report
    assert (report.cause.layer, report.cause.identifier) == (layer, identifier), report
    assert "join them in a scratch.Model" in report.notes[-1]


def test_the_branch_is_told_in_which_the_gradients_are_wrong(keras):
    report = checked(MaskMissing(), twin(keras))
    assert "and so do the gradients of last; from right on they do not" in report.notes[-2]
    assert "through right/relu, joined" in report.notes[-2]


def test_what_a_step_forgets_is_found(keras):
    class LeftForgotten(Listed):
        def train_step(self, inputs, y):
            kept = self.W1
            super().train_step(inputs, y)
            self.W1 = kept

    report = checked(LeftForgotten(), twin(keras), backward=None, step="train_step")
    assert not report
    assert {(row.layer, row.tensor) for row in report.rows if not row.passed} == {
        ("left", "kernel after a step")}


def test_what_is_changed_in_place_is_found(keras):
    class Changing(Apart):
        def forward(self, a, b):
            output = super().forward(a.copy(), b.copy())
            b *= 2
            return output

    report = checked(Changing(), twin(keras))
    assert not report and report.cause.identifier == "input-modified"
    assert {row.tensor for row in report.rows if not row.passed} == {"input_2"}


def test_one_gradient_for_two_inputs_is_asked_for(keras):
    class Both(Apart):
        def backward(self, dy):
            return np.concatenate(super().backward(dy), axis=1)

    with pytest.raises(ValueError, match=r"gradients of all 2 inputs in a list; backward_gives="
                                         r"\('input_gradient_1', 'input_gradient_2'\)"):
        checked(Both(), twin(keras))


def test_a_name_of_an_input_that_is_not_there(keras):
    with pytest.raises(ValueError, match="forward_takes to name what there is: x_1, x_2, x, "
                                         "training. Received: x_3"):
        checked(Apart(), twin(keras), forward_takes=("x_1", "x_3"))


def test_class_numbers_and_what_is_drawn_for_them(keras):
    """One input is looked up in a table, and gets no gradient."""
    layers = keras.layers
    words, row = keras.Input((3,)), keras.Input((NARROW,))
    table = layers.Flatten(name="flat")(layers.Embedding(5, 2, name="table")(words))
    model = networks.compiled(keras, keras.Model([words, row], layers.Dense(3, name="last")(
        layers.Concatenate(name="joined")([table, row]))), "mean_squared_error")

    class Reader:
        def __init__(self):
            self.table, self.W, self.b = np.ones((5, 2)), np.ones((10, 3)), np.zeros(3)

        def forward(self, words, row):
            assert (words >= 0).all()
            self.words = words.astype(int)
            self.h = np.concatenate([self.table[self.words].reshape(len(row), -1), row], axis=1)
            return self.h @ self.W + self.b

        def backward(self, dy):
            self.dW, self.db, dh = self.h.T @ dy, dy.sum(0), dy @ self.W.T
            self.dtable = np.zeros_like(self.table)
            np.add.at(self.dtable, self.words, dh[:, :6].reshape(-1, 3, 2))
            return None, dh[:, 6:]

    x = [np.random.default_rng(0).integers(0, 5, (7, 3)).astype("float32"), batch()[1]]
    report = compare.check(compare.wrap(Reader()), model, x, targets())
    assert report, report
    assert ("table", "embeddings_gradient") in judged(report)
    assert any(row.gate == "whole numbers" for row in report.rows)


def test_several_outputs_are_refused(keras):
    a = keras.Input((6,))
    model = keras.Model(a, [keras.layers.Dense(2)(a), keras.layers.Dense(3)(a)])
    with pytest.raises(UnsupportedError, match="one output beside one class. Received 2"):
        compare.check(compare.wrap(Apart()), model, batch()[0], gradients=False)


def test_whole_numbers_of_both_inputs(keras):
    trace = compare.record(twin(keras), batch(), targets())
    right = whole_number_pass.drawn(trace)
    assert right is not None
    first, second = right.trace.x.arrays
    assert (first.shape, second.shape) == ((7, WIDE), (7, NARROW))
    weights = {(part.layer, name): weight for part in right.trace.parts
               for name, weight in part.weights.items()}
    hidden = [np.maximum(x @ weights[name, "kernel"] + weights[name, "bias"], 0)
              for x, name in ((first, "left"), (second, "right"))]
    output = np.concatenate(hidden, axis=1) @ weights["last", "kernel"] + weights["last", "bias"]
    assert np.array_equal(right.given[NETWORK, "output"], output)
