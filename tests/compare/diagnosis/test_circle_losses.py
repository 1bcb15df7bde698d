"""Mistakes in the circle loss are named, by value and by gradient."""

import numpy as np
import pytest

from compare.diagnosis import diagnose_loss
from scratch.losses import Circle

RNG = np.random.default_rng(6)
MADE = RNG.standard_normal((7, 4))
MADE = (MADE / np.linalg.norm(MADE, axis=1, keepdims=True)).astype("float32")
LABELS = np.array([0, 1, 0, 1, 2, 1, 0])  # the fifth is alone in its class


class Divided(Circle):
    """By all samples."""

    def shares(self, losses, batch):
        return np.full_like(losses, 1 / len(losses)) * (losses > 0)


class OneWay(Circle):
    def pairs(self, labels, embeddings):
        losses, self.slopes = super().pairs(labels, embeddings)
        return losses, self.slopes

    def backward(self):
        return -self.slopes @ self.made

    def forward(self, y_true, y_pred, *given, **named):
        self.made = y_pred
        return super().forward(y_true, y_pred, *given, **named)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("tensor, cause, words, wrong", [
    ("value", "loss-other", "a partner of its own", Circle(gamma=10.0, remove_diagonal=False)),
    ("value", "loss-other", "margin 0.25", Circle(gamma=10.0, margin=0.25)),
    ("value", "loss-other", "gamma 80", Circle()),
    ("gradient", "loss-other", "gamma 256", Circle(gamma=256.0)),
    ("value", "loss-sum-for-mean", "that are 0 are counted", Divided(gamma=10.0)),
    ("gradient", "loss-other", "to which distances are measured", OneWay(gamma=10.0))])
def test_a_mistake_is_named(tensor, cause, words, wrong):
    right = {"class_name": "Circle", "config": {"gamma": 10.0, "margin": 0.4}}
    finding = diagnose_loss(wrong, right, LABELS, MADE, tensor=tensor)
    assert finding.identifier == cause, str(finding)
    assert words in finding.causes[0].detail, str(finding)


@pytest.mark.parametrize("tensor", ["value", "gradient"])
def test_a_mistake_that_nobody_knows_stays_unknown(tensor):
    right = {"class_name": "Circle", "config": {"gamma": 10.0}}
    finding = diagnose_loss(Circle(gamma=13.0, margin=0.33), right, LABELS, MADE, tensor=tensor,
                            seconds=2.0)
    assert finding.identifier == "unknown", str(finding)
