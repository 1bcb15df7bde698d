"""Mistakes in losses and in optimizers' steps are named."""

import numpy as np
import pytest

import scratch
from compare.diagnosis import diagnose_loss, diagnose_optimizer

SPARSE = scratch.SparseCategoricalCrossentropy
CLASSES = 4


def changed_loss(base=SPARSE, value=None, gradient=None, labels=None, output=None):
    """A loss like `base`, of which what is given is a function of the right one."""
    class Changed(base):
        def forward(self, y_true, y_pred, from_logits=None, sample_weight=None):
            self.seen = y_pred, np.asarray(y_true)
            y_true = labels(np.asarray(y_true)) if labels else y_true
            y_pred = output(y_pred) if output else y_pred
            right = super().forward(y_true, y_pred, from_logits, sample_weight)
            return value(self, right) if value else right

        def backward(self):
            right = super().backward()
            return np.asarray(gradient(self, right), right.dtype) if gradient else right

    return Changed()


def half_clipped(loss, right):
    """Of probabilities kept 0.1 from 0 and 1 (softmax of the logits)."""
    z, y = loss.seen
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return np.float32(-np.log(np.clip(p[np.arange(len(y)), y], 1e-3, 1 - 1e-3)).mean())


def ones_removed(loss, right):
    """Without the targets: the softmax of the logits."""
    z, y = loss.seen
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True) / np.float32(len(y))


LOSSES = [
    ("loss-sum-for-mean", "value", dict(value=lambda s, v: v * len(s.seen[0]))),
    ("loss-sum-for-mean", "gradient", dict(gradient=lambda s, g: g * len(s.seen[0]))),
    ("scale", "gradient", dict(gradient=lambda s, g: g / len(s.seen[0]))),
    ("scale", "value", dict(value=lambda s, v: v / np.float32(np.log(2)))),
    ("sign", "gradient", dict(gradient=lambda s, g: -g)),
    ("labels-shifted", "value", dict(labels=lambda y: (y + 1) % CLASSES)),
    ("batch-mixed", "value", dict(labels=lambda y: y[::-1])),
    ("loss-clipped", "value", dict(value=half_clipped)),
    ("softmax-jacobian-missing", "gradient", dict(gradient=ones_removed)),
    ("gradient-missing", "gradient", dict(gradient=lambda s, g: 0 * g)),
    ("batch-mixed", "gradient", dict(gradient=lambda s, g: g[::-1])),
]


@pytest.mark.parametrize("cause, tensor, change", LOSSES,
                         ids=lambda each: each if isinstance(each, str) else "")
def test_loss_of_logits(cause, tensor, change):
    rng = np.random.default_rng(0)
    logits = (6 * rng.standard_normal((6, CLASSES))).astype("float32")
    y = np.array([0, 3, 1, 1, 2, 0])
    finding = diagnose_loss(changed_loss(**change), "sparse_categorical_crossentropy", y, logits,
                            fused=True)
    assert (finding.tensor, finding.identifier) == (tensor, cause), str(finding)


def probabilities(samples=6, classes=CLASSES, seed=0):
    e = np.exp(np.random.default_rng(seed).standard_normal((samples, classes)))
    return (e / e.sum(axis=1, keepdims=True)).astype("float32")


def test_clipping_of_probabilities_at_another_distance():
    p = probabilities()
    p[0] = [1, 0, 0, 0]

    def clipped(loss, right):
        seen, y = loss.seen
        return np.float32(-np.log(np.clip(seen[np.arange(len(y)), y], 1e-12, 1)).mean())

    finding = diagnose_loss(changed_loss(value=clipped), "sparse_categorical_crossentropy",
                            np.array([3, 3, 1, 1, 2, 0]), p, tensor="value")
    assert finding.identifier == "loss-clipped" and "1e-12" in finding.causes[0].detail, finding


def test_logits_and_probabilities_confused():
    base = scratch.losses.BinaryCrossentropy
    z = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    y = (z > 0.3).astype("float32")
    right = {"class_name": "BinaryCrossentropy", "config": {"from_logits": True}}
    finding = diagnose_loss(changed_loss(base), right, y, z)
    assert finding.identifier == "from-logits", str(finding)


def test_label_smoothing_ignored():
    right = {"class_name": "CategoricalCrossentropy", "config": {"label_smoothing": 0.1}}
    p, y = probabilities(), np.eye(CLASSES, dtype="float32")[[0, 3, 1, 1, 2, 0]]
    finding = diagnose_loss(scratch.CategoricalCrossentropy(), right, y, p)
    assert finding.identifier == "label-smoothing", str(finding)


def test_sample_weights_ignored():
    p, y = probabilities(), np.array([0, 3, 1, 1, 2, 0])
    weights = np.array([1, 2, 0.5, 3, 1, 0], "float32")

    class Ignores(SPARSE):
        def forward(self, y_true, y_pred, from_logits=None, sample_weight=None):
            return super().forward(y_true, y_pred, from_logits)

    finding = diagnose_loss(Ignores(), "sparse_categorical_crossentropy", y, p,
                            sample_weight=weights)
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


# steps of optimizers


def stepping(base, before=None, after=None, settings=None):
    """An optimizer like `base` that is handed other gradients, or whose step is changed.

    Args:
        before: a function (gradient, weight) -> gradient.
        after: a function (old weight, new weight) -> weight.
    """
    class Changed(base):
        def apply(self, gradients, variables):
            kept = [np.array(v) for v in variables]
            if before:
                gradients = [before(g, v) for g, v in zip(gradients, variables)]
            super().apply(gradients, variables)
            for variable, old in zip(variables, kept):
                if after:
                    variable[...] = after(old, variable)

    return Changed(**(settings or {}))


def hand_written(rule, **settings):
    """An SGD whose step is rule(weight, gradient, optimizer)."""
    class Written(scratch.SGD):
        def apply(self, gradients, variables):
            for gradient, variable in zip(gradients, variables):
                variable[...] = rule(variable.astype("float64"), gradient.astype("float64"), self)

    return Written(**settings)


def adam(w, g, optimizer, epsilon_inside=False, corrected=True, beta_1=0.9, beta_2=0.999):
    m, v = (1 - beta_1) * g, (1 - beta_2) * g * g
    rate = optimizer.learning_rate
    if corrected:
        rate *= np.sqrt(1 - beta_2) / (1 - beta_1)
    return w - rate * m / (np.sqrt(v + 1e-7) if epsilon_inside else np.sqrt(v) + 1e-7)


RATE = 0.01
SGD = ("SGD", {"learning_rate": RATE})
MOMENTUM = ("SGD", {"learning_rate": RATE, "momentum": 0.9})
DECAY = ("SGD", {"learning_rate": RATE, "weight_decay": 0.1})
ADAM = ("Adam", {"learning_rate": RATE, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7})
STEPS = [
    ("update-sign", SGD, stepping(scratch.SGD, before=lambda g, w: -g,
                                  settings={"learning_rate": RATE})),
    ("update-missing", SGD, stepping(scratch.SGD, after=lambda old, new: old)),
    ("scale", SGD, stepping(scratch.SGD, settings={"learning_rate": 10 * RATE})),
    ("optimizer-setting", MOMENTUM, stepping(scratch.SGD, settings={
        "learning_rate": RATE, "momentum": 0.9, "nesterov": True})),
    ("weight-decay", DECAY, stepping(scratch.SGD, settings={"learning_rate": RATE})),
    ("weight-decay", DECAY, stepping(scratch.SGD, settings={
        "learning_rate": RATE, "weight_decay": 10.0})),
    ("weight-decay", SGD, stepping(scratch.SGD, settings={"learning_rate": RATE},
                                   after=lambda old, new: new * np.float32(0.999))),
    ("weight-decay", ("Adam", {**ADAM[1], "weight_decay": 0.1}), stepping(
        scratch.Adam, before=lambda g, w: g + np.float32(0.1) * w,
        settings={"learning_rate": RATE})),
    ("clipping", ("SGD", {"learning_rate": RATE, "clipnorm": 0.5}),
     stepping(scratch.SGD, settings={"learning_rate": RATE})),
    ("clipping", ("SGD", {"learning_rate": RATE, "clipnorm": 0.5}),
     stepping(scratch.SGD, settings={"learning_rate": RATE, "clipvalue": 0.5})),
    ("epsilon", ADAM, stepping(scratch.Adam, settings={"learning_rate": RATE, "epsilon": 1e-3})),
    ("epsilon", ADAM, hand_written(lambda w, g, o: adam(w, g, o, epsilon_inside=True),
                                   learning_rate=RATE)),
    ("bias-correction", ADAM, hand_written(lambda w, g, o: adam(w, g, o, corrected=False),
                                           learning_rate=RATE)),
    ("optimizer-setting", ADAM, stepping(scratch.RMSprop, settings={"learning_rate": RATE})),
]


def variables(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype("float32") for shape in ((5, 3), (3,))]


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


class Forgets(scratch.Adam):
    """Counts no steps."""

    def apply(self, gradients, variables):
        super().apply(gradients, variables)
        self.iterations = 0


class Empties(scratch.SGD):
    """Loses its momentum."""

    def apply(self, gradients, variables):
        super().apply(gradients, variables)
        for momentum in self.momentums:
            momentum[...] = 0


@pytest.mark.parametrize("optimizer, right, words", [
    (Forgets(RATE), ADAM, "count"), (Empties(RATE, momentum=0.9), MOMENTUM, "slots")],
    ids=["Adam", "SGD"])
def test_what_shows_in_the_second_step_only(optimizer, right, words):
    finding = diagnose_optimizer(optimizer, *right, variables(), variables(1))
    assert finding.identifier == "optimizer-state", str(finding)
    assert words in finding.causes[0].detail, str(finding)


@pytest.mark.parametrize("after, words, others", [
    (lambda old, new: new - np.float32(0.001) * old, "the weight shrinks", "the updated weight"),
    (lambda old, new: new * np.float32(0.999), "the updated weight shrinks", None),
], ids=["before", "after"])
def test_which_weight_a_decay_takes_from(after, words, others):
    """w - rate g - 0.001 w is the weight before its step made smaller; 0.999 (w - rate g) is that
    after it. Gradients as long as the weights tell the two apart."""
    optimizer = stepping(scratch.SGD, after=after, settings={"learning_rate": 1.0})
    finding = diagnose_optimizer(optimizer, "SGD", {"learning_rate": 1.0}, variables(),
                                 variables(1))
    assert finding.identifier == "weight-decay", str(finding)
    assert finding.causes[0].detail.startswith(words), str(finding)
    assert others is None or others not in str(finding)
