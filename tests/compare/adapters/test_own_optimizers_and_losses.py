"""Optimizers and losses of somebody's own, in the styles that they are written in: right ones pass
every gate, and a mistake is found where it is and named."""

import numpy as np
import pytest

import compare
from compare.diagnosis.later_updates import LaterSteps
from tests.compare.support import wrapped_networks as networks
from tests.compare.support.own_losses import SquaredError

X = np.random.default_rng(3).normal(size=(5, 6)).astype("float32")
TARGETS = np.random.default_rng(7).normal(size=(5, 4)).astype("float32")
BITS = (TARGETS > 0).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")[[0, 1, 2, 3, 1]]
BY_NAME = {"step_takes": ("weights_by_name", "gradients_by_name")}


class Momentum:
    """Dictionaries, changed in place."""

    def __init__(self, rate=0.1, momentum=0.9):
        self.rate, self.momentum, self.v = rate, momentum, None

    def update(self, params, grads):
        if self.v is None:
            self.v = {name: np.zeros_like(w) for name, w in params.items()}
        for name in params:
            self.v[name] = self.momentum * self.v[name] - self.rate * grads[name]
            params[name] += self.v[name]


class Forgetful(Momentum):
    def update(self, params, grads):
        self.v = None
        super().update(params, grads)


class Nesterov(Momentum):
    def update(self, params, grads):
        before = {name: np.array(w) for name, w in params.items()}
        super().update(params, grads)
        for name in params:
            params[name][...] = before[name] + self.momentum * self.v[name] \
                - self.rate * grads[name]


class Adam:
    """Lists; `beta` as Keras has them."""

    beta = float(np.float32(0.999))

    def __init__(self, rate=0.01):
        self.rate, self.t, self.m, self.v = rate, 0, {}, {}

    def step(self, weights, gradients):
        self.t += 1
        made = []
        for i, (w, g) in enumerate(zip(weights, gradients)):
            self.m[i] = 0.9 * self.m.get(i, 0) + 0.1 * g
            self.v[i] = 0.999 * self.v.get(i, 0) + 0.001 * g * g
            made.append(w - self.rate * self.correction() * self.m[i]
                        / (np.sqrt(self.v[i]) + 1e-7))
        return made

    def correction(self):
        return np.sqrt(1 - self.beta ** self.t) / (1 - float(np.float32(0.9)) ** self.t)


class Uncorrected(Adam):
    def correction(self):
        return 1.0


class ExactBetas(Adam):
    def correction(self):
        return np.sqrt(1 - 0.999 ** self.t) / (1 - 0.9 ** self.t)


class Holding:
    """Weights and gradients in itself."""

    def __init__(self):
        self.params, self.grads = [], []

    def step(self):
        for w, g in zip(self.params, self.grads):
            w -= 0.1 * g


def root_mean_square(w, dw, cache):
    """One weight at a time, with what is remembered handed in and out."""
    cache = 0.9 * (0 if cache is None else cache) + 0.1 * dw * dw
    return w - 0.01 * dw / np.sqrt(cache + 1e-7), cache


def network(keras, optimizer="sgd", loss="mean_squared_error", end=None):
    layers = keras.layers
    twin = networks.compiled(keras, keras.Sequential([
        keras.Input((6,)), layers.Dense(5, activation="tanh", name="first"),
        layers.Dense(4, activation=end, name="last")]), loss)
    twin.compile(optimizer, loss)
    return twin


def stepping(keras, like, obj=None, **how):
    """The report on somebody's optimizer that claims to be `like`."""
    twin = network(keras, like)
    mine = compare.wrap(obj, like=like, **how)
    return compare.check(compare.assemble([None, None], twin, optimizer=mine), twin, X, TARGETS)


def test_optimizers_in_four_styles_agree_with_keras(keras):
    rules = keras.optimizers
    for report in (
            stepping(keras, rules.SGD(0.1, momentum=0.9), Momentum(), **BY_NAME),
            stepping(keras, rules.Adam(0.01), Adam()),
            stepping(keras, rules.SGD(0.1), Holding(), step_takes=(),
                     weights={"weights": "params"}, gradients={"weights": "grads"}),
            stepping(keras, rules.RMSprop(0.01), forward=root_mean_square, step=root_mean_square,
                     step_takes=("weight", "gradient", "cache"), step_gives=("weight", "cache"))):
        assert report, report
        assert {"update", "lockstep"} <= {row.gate for row in report.rows}
        assert "later steps" in {row.layer for row in report.rows}


@pytest.mark.parametrize("made, identifier", [(Uncorrected, "bias-correction"),
                                              (ExactBetas, "constants-exact")])
def test_a_wrong_adam_is_named(keras, made, identifier):
    report = stepping(keras, keras.optimizers.Adam(0.01), made())
    assert not report and {row.gate for row in report.rows if not row.passed} <= {"update",
                                                                                 "lockstep"}
    assert report.cause.identifier == identifier, report.cause


def test_what_is_forgotten_shows_in_later_steps(keras):
    report = stepping(keras, keras.optimizers.SGD(0.1, momentum=0.9), Forgetful(), **BY_NAME)
    assert not report and report.first_failure.gate == "update"
    assert "at iteration 1" in report.first_failure.tensor
    assert report.cause.identifier == "optimizer-state", report.cause


@pytest.mark.parametrize("made, identifier, said", [
    (Momentum(momentum=0.8), "optimizer-setting", "momentum of 0.8 in place of 0.9"),
    (Nesterov(), "optimizer-setting", "Nesterov's momentum for the plain one")])
def test_another_momentum_is_named_although_it_cannot_be_seen(keras, made, identifier, said):
    report = stepping(keras, keras.optimizers.SGD(0.1, momentum=0.9), made, **BY_NAME)
    assert not report and report.cause.identifier == identifier, report.cause
    assert said in report.cause.sentence


def test_each_of_the_first_steps_is_held_against_what_that_step_gives(keras):
    rule = keras.optimizers.SGD(0.1, momentum=0.9)
    twin = network(keras, rule)
    model = compare.assemble([None, None], twin,
                             optimizer=compare.wrap(Momentum(), like=rule, **BY_NAME))
    steps = LaterSteps(model, twin, compare.record(twin, X, TARGETS), "candidate")
    assert not steps.can_be_set
    for position in range(len(steps.keys)):
        seen = steps.consecutive(position)
        assert len(seen) > 1 and not any(each.fails for each in seen)


def test_errors_name_the_options(keras):
    sgd = keras.optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="step_takes says"):
        stepping(keras, sgd, Momentum())
    with pytest.raises(ValueError, match=r"step='NAME'\)\. It has: none"):
        compare.wrap(object(), like="sgd")
    with pytest.raises(ValueError, match=r"backward='NAME'.*It has: forward"):
        compare.wrap(type("Half", (), {"forward": lambda self, p, y: 0.0})(), like="mse")


class WithoutTwo(SquaredError):
    def backward(self):
        return self.d / self.d.size


class YesOrNo:
    """Labels first; a gradient of the probabilities; sums over the samples of their means."""

    def loss(self, y, p):
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=1).sum()

    def grad(self, y, p):
        return (p - y) / (p * (1 - p)) / p.shape[1]


class CrossEntropy:
    """Of probabilities; a mean for its value, a sum for its gradient."""

    def __call__(self, p, y):
        return -(y * np.log(p)).sum() / len(y)

    def backward(self, p, y):
        return -y / p


class Mixed(CrossEntropy):
    """Its gradient is that of the logits already."""

    def backward(self, p, y):
        return p - y


def losing(keras, obj, loss, y, end=None, **how):
    twin = network(keras, loss=loss, end=end)
    mine = compare.wrap(obj, like=loss, **how)
    return compare.check(compare.assemble([None, None], twin, loss=mine), twin, X, y)


ORDER = {"forward": "loss", "backward": "grad", "forward_takes": ("labels", "output"),
         "backward_takes": ("labels", "output"), "divides_by_batch": False}
APART = {"divides_by_batch": {"loss": True, "gradient": False}}


def test_losses_without_softmax_agree_with_keras(keras):
    assert losing(keras, SquaredError(), "mean_squared_error", TARGETS)
    assert losing(keras, YesOrNo(), "binary_crossentropy", BITS, "sigmoid", **ORDER)
    untold = {**ORDER, "divides_by_batch": None}
    report = losing(keras, YesOrNo(), "binary_crossentropy", BITS, "sigmoid", **untold)
    assert report.cause.identifier == "loss-sum-for-mean", report
    report = losing(keras, CrossEntropy(), "categorical_crossentropy", ONE_HOT, "softmax", **APART)
    assert report and "is a loss of probabilities" in report.notes[0], report


def test_mistakes_in_losses_are_named(keras):
    report = losing(keras, WithoutTwo(), "mean_squared_error", TARGETS)
    assert (report.cause.layer, report.cause.identifier) == ("loss", "scale")
    report = losing(keras, Mixed(), "categorical_crossentropy", ONE_HOT, "softmax", **APART)
    assert not report and report.first_failure.gate == "loss"
