"""Whatever of somebody's own changes what it is handed is named, and the caller's arrays stay."""

import keras
import numpy as np
import pytest

import compare
from tests.compare.support.own_losses import SquaredError

K = keras.layers
RNG = np.random.default_rng(0)
X, Y = (RNG.normal(size=(5, n)).astype("float32") for n in (6, 4))


def network(*layers, optimizer=None):
    model = keras.Sequential([keras.Input((6,)), *layers])
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    model.compile(optimizer or keras.optimizers.SGD(0.1), "mean_squared_error")
    return model


def dense():
    return network(K.Dense(5, activation="tanh", name="first"), K.Dense(4, name="last"))


class InForward:
    def forward(self, x):
        self.mask = x > 0
        x *= self.mask
        return x.copy()

    def backward(self, dy):
        return dy * self.mask


class InBackward(InForward):
    def forward(self, x):
        self.mask, self.x = x > 0, x
        return x * self.mask

    def backward(self, dy):
        self.x *= self.mask
        return dy * self.mask


class TakesInput(InForward):
    def forward(self, x):
        return x * (x > 0)

    def backward(self, dy, x):
        x *= x > 0
        return dy * (x > 0)


@pytest.mark.parametrize("made, how", [(InForward, {}), (InBackward, {}),
                                       (TakesInput, {"backward_takes": ("dy", "x")})])
def test_layers_that_change_their_input(made, how):
    x, y = X.copy(), Y.copy()
    report = compare.check([compare.wrap(made(), **how), None], network(K.ReLU(name="relu"),
                                                                       K.Dense(4)), x, y)
    assert not report and report.first_failure.tensor == "input"
    assert (report.cause.layer, report.cause.identifier) == ("relu", "input-modified")
    assert not any(row.layer == "network" and row.tensor == "batch" for row in report.rows
                   if not row.passed)
    assert np.array_equal(x, X) and np.array_equal(y, Y)


class Steps:
    """Right, but for what it does to the gradients."""

    def __init__(self):
        self.params, self.grads = [], []

    def lists(self, weights, gradients):
        for w, g in zip(weights, gradients):
            g *= 0.1
            w -= g

    def by_name(self, weights, gradients):
        for name in weights:
            gradients[name] *= 0.1
            weights[name] -= gradients[name]

    def held(self):
        self.lists(self.params, self.grads)

    def one(self, w, g):
        self.lists([w], [g])


@pytest.mark.parametrize("how", [
    {"step": "lists"}, {"step": "by_name", "step_takes": ("weights_by_name", "gradients_by_name")},
    {"step": "held", "step_takes": (), "weights": {"weights": "params"},
     "gradients": {"weights": "grads"}},
    {"step": "one", "step_takes": ("weight", "gradient")}], ids=lambda how: how["step"])
def test_optimizers_that_change_the_gradients(how):
    twin = dense()
    mine = compare.wrap(Steps(), like=keras.optimizers.SGD(0.1), **how)
    report = compare.check(compare.assemble([None, None], twin, optimizer=mine), twin, X, Y)
    assert [row.tensor for row in report.rows if not row.passed] == ["gradients"]
    assert report.cause.identifier == "input-modified"


class ChangesOutput(SquaredError):
    def forward(self, p, y):
        p -= y
        self.d = p
        return (self.d ** 2).mean()


class ChangesLabels(SquaredError):
    def forward(self, p, y):
        y -= p
        self.d = -y
        return (self.d ** 2).mean()


@pytest.mark.parametrize("made, tensor", [(SquaredError, None), (ChangesOutput, "output"),
                                          (ChangesLabels, "labels")])
def test_losses_that_change_outputs_or_labels(made, tensor):
    twin, y = dense(), Y.copy()
    mine = compare.wrap(made(), like="mean_squared_error")
    report = compare.check(compare.assemble([None, None], twin, loss=mine), twin, X, y)
    assert np.array_equal(y, Y)
    assert [row.tensor for row in report.rows if not row.passed] == [tensor] * (tensor is not None)
    if tensor is not None:
        assert (report.cause.layer, report.cause.identifier) == ("loss", "input-modified")


class Net:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.W1, self.b1 = rng.normal(size=(6, 5)), np.zeros(5)
        self.W2, self.b2 = rng.normal(size=(5, 4)), np.zeros(4)

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W1 + self.b1)
        return self.h @ self.W2 + self.b2

    def backward(self, dy, y):
        self.dW2, self.db2 = self.h.T @ dy, dy.sum(0)
        dz = dy @ self.W2.T * (1 - self.h ** 2)
        self.dW1, self.db1 = self.x.T @ dz, dz.sum(0)
        return dz @ self.W1.T


class Centres(Net):
    def forward(self, x):
        x /= 2
        return super().forward(x * 2)


class Clears(Net):
    def backward(self, dy, y):
        made = super().backward(dy, y)
        self.cleared(dy, y)[...] = 0
        return made


class ClearsGradient(Clears):
    def cleared(self, dy, y):
        return dy


class ClearsInput(Clears):
    def cleared(self, dy, y):
        return self.x


class ClearsLabels(Clears):
    def cleared(self, dy, y):
        return y


@pytest.mark.parametrize("made, tensor", [
    (Net, None), (Centres, "input"), (ClearsInput, "input"), (ClearsGradient, "output_gradient"),
    (ClearsLabels, "labels")])
def test_networks_in_one_class(made, tensor):
    net = compare.wrap(made(), backward_takes=("dy", "labels"), divides_by_batch=True)
    report = compare.check(net, dense(), X, Y)
    assert [row.tensor for row in report.rows if not row.passed] == [tensor] * (tensor is not None)
    if tensor is not None:
        assert report.cause.identifier == "input-modified"
