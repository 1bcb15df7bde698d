"""Wrong formulas of losses are named as such, and never as a mere factor."""

import numpy as np
import pytest

import scratch
from compare.diagnosis import diagnose_loss
from compare.diagnosis.computation import LossComputation
from compare.diagnosis.hypotheses.loss_formulas import FORMULAS, computed
from compare.oracle.running_error import Rounding

N, WIDTH, S = 6, 4, 0.1
RNG = np.random.default_rng(3)
Y = RNG.standard_normal((N, WIDTH)).astype("float32")
P = RNG.standard_normal((N, WIDTH)).astype("float32")
SIGNS = np.sign(Y)
LIKELY = np.exp(P) / np.exp(P).sum(axis=1, keepdims=True)
ONE_HOT = np.eye(WIDTH, dtype="float32")[[0, 3, 1, 1, 2, 0]]
MIXED = (np.exp(Y) / np.exp(Y).sum(axis=1, keepdims=True)).astype("float32")


class Written:
    """A loss as somebody writes it: a function of targets and outputs, in their precision."""

    def __init__(self, function):
        self.function = function

    def forward(self, y_true, y_pred, from_logits=None, sample_weight=None):
        return np.mean(self.function(np.asarray(y_true, y_pred.dtype), y_pred))

    def backward(self):
        return None


def smooth(y, p):
    e = np.abs(p - y)
    return np.where(e < 1, e * e / 2, e - 0.5)


def reversed_divergence(y, p):
    return (p * np.log(p / y)).sum(axis=1)


def entropy_of(change):
    return lambda y, p: -(change(y) * np.log(p)).sum(axis=1)


def smoothing(amount=S):
    return {"class_name": "CategoricalCrossentropy", "config": {"label_smoothing": amount}}


CASES = [  # cause, words of its detail, Keras's loss, targets, outputs, what is written
    ("loss-other", "root of the batch", "mse", Y, P,
     lambda y, p: np.sqrt(np.mean((p - y) ** 2))),
    ("loss-other", "root of each sample", "mse", Y, P,
     lambda y, p: np.sqrt(((p - y) ** 2).mean(axis=1))),
    ("loss-other", "margin of 2", "hinge", SIGNS, P, lambda y, p: np.maximum(2 - y * p, 0)),
    ("loss-other", "without a margin", "hinge", SIGNS, P, lambda y, p: np.maximum(-y * p, 0)),
    ("loss-other", "smooth L1", "mae", Y, P, smooth),
    ("loss-other", "exchanged", "kl_divergence", MIXED, LIKELY, reversed_divergence),
    ("loss-other", "focal", "categorical_crossentropy", ONE_HOT, LIKELY,
     lambda y, p: -(y * (1 - p) ** 2 * np.log(p)).sum(axis=1)),
    ("label-smoothing", "other classes alone", smoothing(), ONE_HOT, LIKELY,
     entropy_of(lambda y: y * (1 - S) + (1 - y) * S / (WIDTH - 1))),
    ("label-smoothing", "nothing taken off", smoothing(), ONE_HOT, LIKELY,
     entropy_of(lambda y: y + S / WIDTH)),
    ("label-smoothing", "twice", smoothing(), ONE_HOT, LIKELY,
     entropy_of(lambda y: (y * (1 - S) + S / WIDTH) * (1 - S) + S / WIDTH)),
    ("label-smoothing", "in place of s / k", smoothing(), ONE_HOT, LIKELY,
     entropy_of(lambda y: y * (1 - S) + 1 / WIDTH)),
    ("label-smoothing", "own share", smoothing(), ONE_HOT, LIKELY,
     entropy_of(lambda y: y * (1 - S / WIDTH) + S / WIDTH)),
    ("scale", "1/2", "mse", Y, P, lambda y, p: (p - y) ** 2 / 2),
    ("scale", "0.37", "mse", Y, P, lambda y, p: 0.37 * (p - y) ** 2),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("cause, words, loss, y, output, function", CASES,
                         ids=[f"{case[0]}-{case[1]}".replace(" ", "-") for case in CASES])
def test_a_wrong_formula_is_named(cause, words, loss, y, output, function):
    finding = diagnose_loss(Written(function), loss, y, output, tensor="value")
    assert finding.identifier == cause, str(finding)
    assert words in finding.causes[0].detail, str(finding)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("loss, y, output, function", [
    ("mse", Y, P, lambda y, p: np.abs(p - y) ** 1.5),
    ("hinge", SIGNS, P, lambda y, p: np.maximum(1.3 - y * p, 0)),
    ("kl_divergence", MIXED, LIKELY, lambda y, p: (np.sqrt(p) - np.sqrt(y)) ** 2),
    (smoothing(), ONE_HOT, LIKELY, entropy_of(lambda y: y * 0.93 + 0.02)),
    ("mae", Y, P, lambda y, p: np.abs(p - y)[:, :3])], ids=[
        "power", "margin", "Hellinger", "smoothing", "column"])
def test_a_wrong_formula_that_nobody_knows_is_no_factor(loss, y, output, function):
    finding = diagnose_loss(Written(function), loss, y, output, tensor="value", seconds=0.5)
    assert finding.identifier == "unknown", str(finding)


def test_a_single_number_shows_no_factor():
    """Of a recorded loss nothing can be run: any two numbers have some quotient."""
    observed = (np.float64(1.2345), np.zeros((N, WIDTH)))
    finding = diagnose_loss(None, "mse", Y, P, tensor="value", observed=observed)
    assert finding.identifier == "unknown", str(finding)


@pytest.mark.parametrize("formula", [f for f in FORMULAS if "Entropy" not in f.losses[0]
                                     and "Cross" not in f.losses[0]], ids=lambda f: f.said)
def test_gradients_are_those_of_the_formulas(formula):
    """Against differences of the value itself, (f(x + h) - f(x - h)) / 2 h."""
    y = {"K": MIXED, "H": SIGNS, "S": SIGNS}.get(formula.losses[0][0], np.abs(Y))
    if formula.losses[0] == "Huber":
        y = Y
    output = (LIKELY if formula.losses[0] == "KLDivergence" else np.abs(P) + 0.1).astype("float64")

    def result(tensor, output):
        c = LossComputation(Rounding.of("float64"), tensor=tensor, y=y, output=output,
                            loss={"class_name": formula.losses[0], "config": {}}, dtype="float64")
        return computed(c, formula.function).value

    gradient, h = result("gradient", output), 1e-6
    for index in [(0, 0), (2, 1), (5, 3)]:
        there, back = output.copy(), output.copy()
        there[index] += h
        back[index] -= h
        slope = (result("value", there) - result("value", back)) / (2 * h)
        np.testing.assert_allclose(gradient[index], slope, rtol=1e-5, atol=1e-8)


def test_the_right_smoothing_is_silent():
    loss = scratch.CategoricalCrossentropy(label_smoothing=S)
    assert diagnose_loss(loss, smoothing(), ONE_HOT, LIKELY) is None
