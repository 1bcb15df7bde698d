"""Mistakes in losses and in optimizers' steps are named."""

import numpy as np
import pytest

import scratch
from compare.diagnosis import diagnose_loss, diagnose_optimizer
from compare.evaluation.faults.families.optimizers import decaying, gradients, setting, uncounted
from compare.evaluation.faults.injection import patching
from tests.compare.support.faults import put

SPARSE = scratch.SparseCategoricalCrossentropy
CLASSES = 4


LOSSES = [
    ("loss-sum-for-mean", "value", "loss-value-sum"),
    ("loss-sum-for-mean", "gradient", "loss-gradient-sum"),
    ("scale", "gradient", "loss-gradient-divided-twice"),
    ("scale", "value", "loss-base-two"),
    ("sign", "gradient", "loss-gradient-negated"),
    ("labels-shifted", "value", "loss-classes-from-one"),
    ("batch-mixed", "value", "loss-labels-reversed"),
    ("loss-clipped", "value", "loss-clipped"),
    ("softmax-jacobian-missing", "gradient", "loss-gradient-without-labels"),
    ("gradient-missing", "gradient", "loss-gradient-missing"),
    ("batch-mixed", "gradient", "loss-gradient-samples-reversed"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("cause, tensor, fault", LOSSES)
def test_loss_of_logits(cause, tensor, fault):
    rng = np.random.default_rng(0)
    logits = (6 * rng.standard_normal((6, CLASSES))).astype("float32")
    y = np.array([0, 3, 1, 1, 2, 0])
    finding = diagnose_loss(put(SPARSE(), fault), "sparse_categorical_crossentropy", y, logits,
                            fused=True)
    assert (finding.tensor, finding.identifier) == (tensor, cause), str(finding)


def probabilities(samples=6, classes=CLASSES, seed=0):
    e = np.exp(np.random.default_rng(seed).standard_normal((samples, classes)))
    return (e / e.sum(axis=1, keepdims=True)).astype("float32")


def test_clipping_of_probabilities_at_another_distance():
    p = probabilities()
    p[0] = [1, 0, 0, 0]

    class Clipped(SPARSE):
        def forward(self, y_true, y_pred, from_logits=None, sample_weight=None):
            likely = np.clip(y_pred[np.arange(len(y_true)), y_true], 1e-12, 1)
            return np.float32(-np.log(likely).mean())

        def backward(self):
            return None

    finding = diagnose_loss(Clipped(), "sparse_categorical_crossentropy",
                            np.array([3, 3, 1, 1, 2, 0]), p, tensor="value")
    assert finding.identifier == "loss-clipped" and "1e-12" in finding.causes[0].detail, finding


def test_logits_and_probabilities_confused():
    z = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    y = (z > 0.3).astype("float32")
    right = {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}
    finding = diagnose_loss(scratch.losses.BinaryCrossentropy(), right, y, z)
    assert finding.identifier == "from-logits", str(finding)


def test_label_smoothing_ignored():
    right = {"class_name": "CategoricalCrossentropy", "config": {"label_smoothing": 0.1}}
    p, y = probabilities(), np.eye(CLASSES, dtype="float32")[[0, 3, 1, 1, 2, 0]]
    finding = diagnose_loss(scratch.CategoricalCrossentropy(), right, y, p)
    assert finding.identifier == "label-smoothing", str(finding)


def test_sample_weights_ignored():
    p, y = probabilities(), np.array([0, 3, 1, 1, 2, 0])
    weights = np.array([1, 2, 0.5, 3, 1, 0], "float32")
    loss = put(SPARSE(), "loss-weights-ignored")
    finding = diagnose_loss(loss, "sparse_categorical_crossentropy", y, p, sample_weight=weights)
    assert finding.identifier == "sample-weight", str(finding)


def test_another_loss():
    rng = np.random.default_rng(0)
    y, out = rng.standard_normal((2, 5, 3)).astype("float32")
    finding = diagnose_loss(scratch.losses.MeanAbsoluteError(), "mean_squared_error", y, out)
    assert finding.identifier == "loss-other" and "Absolute" in finding.causes[0].detail, finding


@pytest.mark.parametrize("loss, right", [
    (SPARSE(), "sparse_categorical_crossentropy"), (scratch.losses.MeanSquaredError(), "mse")])
def test_right_losses_give_no_finding(loss, right):
    rng = np.random.default_rng(0)
    sparse = right.startswith("sparse")
    y = np.array([0, 3, 1, 1]) if sparse else rng.standard_normal((4, CLASSES)).astype("float32")
    output = probabilities(4) if sparse else rng.standard_normal((4, CLASSES)).astype("float32")
    assert diagnose_loss(loss, right, y, output) is None


# Optimizers

RATE = 0.01
SGD = ("SGD", {"learning_rate": RATE})
MOMENTUM = ("SGD", {"learning_rate": RATE, "momentum": 0.9})
DECAY = ("SGD", {"learning_rate": RATE, "weight_decay": 0.1})
CLIPPED = ("SGD", {"learning_rate": RATE, "clipnorm": 0.5})
ADAM = ("Adam", {"learning_rate": RATE, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7})


class FirstStepOfAdam(scratch.SGD):
    """Adam's first step in float64, with epsilon under the root."""

    def apply(self, gradients, variables):
        rate = self.learning_rate * np.sqrt(1 - 0.999) / (1 - 0.9)
        for gradient, variable in zip(gradients, variables):
            g = gradient.astype("float64")
            variable[...] = variable - rate * (1 - 0.9) * g / np.sqrt((1 - 0.999) * g * g + 1e-7)


# cause, what the optimizer should be, what it is: another one, or a right one with a fault
STEPS = [
    ("update-sign", SGD, put(scratch.SGD(RATE), "optimizer-sgd-climbs")),
    ("update-missing", SGD, put(scratch.SGD(RATE), gradients(lambda g: 0 * g))),
    ("update-missing", SGD, put(scratch.SGD(RATE), "optimizer-sgd-only-kernels")),
    ("scale", SGD, scratch.SGD(10 * RATE)),
    ("optimizer-setting", MOMENTUM, scratch.SGD(RATE, momentum=0.9, nesterov=True)),
    ("weight-decay", DECAY, scratch.SGD(RATE)),
    ("weight-decay", DECAY, scratch.SGD(RATE, weight_decay=10.0)),
    ("weight-decay", SGD, put(scratch.SGD(RATE), decaying(1e-3))),
    ("weight-decay", ("Adam", {**ADAM[1], "weight_decay": 0.1}),
     put(scratch.Adam(RATE, weight_decay=0.1), "optimizer-adamw-coupled")),
    ("clipping", CLIPPED, scratch.SGD(RATE)),
    ("clipping", CLIPPED, scratch.SGD(RATE, clipvalue=0.5)),
    ("epsilon", ADAM, scratch.Adam(RATE, epsilon=1e-3)),
    ("epsilon", ADAM, FirstStepOfAdam(RATE)),
    ("bias-correction", ADAM, put(scratch.Adam(RATE), "optimizer-adam-uncorrected")),
    ("optimizer-setting", ADAM, scratch.RMSprop(RATE)),
]


def variables(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype("float32") for shape in ((5, 3), (3,))]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("cause, right, optimizer", STEPS,
                         ids=[f"{i}-{step[0]}" for i, step in enumerate(STEPS)])
def test_step(cause, right, optimizer):
    finding = diagnose_optimizer(optimizer, *right, variables(), variables(1))
    assert finding is not None and finding.identifier == cause, str(finding)


@pytest.mark.parametrize("optimizer", [
    scratch.SGD(RATE, momentum=0.9), scratch.Adam(RATE), scratch.RMSprop(RATE),
    scratch.Adagrad(RATE), scratch.SGD(RATE, weight_decay=0.1, clipnorm=0.5)])
def test_right_optimizers_give_no_finding(optimizer):
    assert diagnose_optimizer(optimizer, type(optimizer).__name__, optimizer.get_config(),
                              variables(), variables(1)) is None


def emptied(self, right, gradients, variables):
    """Loses its momentum after each step."""
    right(gradients, variables)
    for momentum in self.momentums:
        momentum[...] = 0


@pytest.mark.parametrize("optimizer, right, words", [
    (put(scratch.Adam(RATE), patching(apply=uncounted)), ADAM, "count"),
    (put(scratch.SGD(RATE, momentum=0.9), patching(apply=emptied)), MOMENTUM, "slots"),
    (put(scratch.SGD(RATE, momentum=0.9), setting("momentum", 0.0)), MOMENTUM, "slots")],
    ids=["Adam", "emptied", "without momentum"])
def test_what_shows_in_the_second_step_only(optimizer, right, words):
    finding = diagnose_optimizer(optimizer, *right, variables(), variables(1))
    assert finding.identifier == "optimizer-state", str(finding)
    assert words in finding.causes[0].detail, str(finding)


def decaying_before(self, right, gradients, variables):
    """Each weight as it was before its step is made smaller."""
    shares = [np.float32(0.001) * v for v in variables]
    right(gradients, variables)
    for variable, share in zip(variables, shares):
        variable -= share


@pytest.mark.parametrize("fault, words, others", [
    (patching(apply=decaying_before), "the weight shrinks", "the updated weight"),
    (decaying(1e-3), "the updated weight shrinks", None),
], ids=["before", "after"])
def test_which_weight_a_decay_takes_from(fault, words, others):
    """w - rate g - 0.001 w is the weight before its step made smaller; 0.999 (w - rate g) is that
    after it. Gradients as long as the weights tell the two apart."""
    finding = diagnose_optimizer(put(scratch.SGD(1.0), fault), "SGD", {"learning_rate": 1.0},
                                 variables(), variables(1))
    assert finding.identifier == "weight-decay", str(finding)
    assert finding.causes[0].detail.startswith(words), str(finding)
    assert others is None or others not in str(finding)
