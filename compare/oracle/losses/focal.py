"""Oracles for the focal losses."""

import numpy as np

from compare.oracle.elementary import power, sigmoid
from compare.oracle.layers.softmax import softmax
from compare.oracle.losses.base import EPSILON, through_clip
from compare.oracle.losses.binary import BinaryCrossentropy
from compare.oracle.losses.categorical import CategoricalCrossentropy, smoothed
from compare.oracle.running_error import Bounded


class BinaryFocalCrossentropy(BinaryCrossentropy):
    """(1 - t)^gamma times the binary cross-entropy, t = y p + (1 - y) (1 - p).

    From logits the cross-entropy is that of the logit z, t that of its sigmoid.
    """

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        targets, one = smoothed(self, y, 2), Bounded(1.0, self.rounding)
        of = self.of_logits if from_logits else self.of_probabilities
        entropy, slopes = of(targets, rows)
        p = sigmoid(rows) if from_logits else rows.flushed()
        gamma = float(self.config.get("gamma", 2.0))
        rest = one - (targets * p + (one - targets) * (one - p))
        weight = power(rest, gamma)
        # the slope of t is y - (1 - y), which TensorFlow adds up from its two terms
        change = power(rest, gamma - 1) * self.constant(gamma) * ((one - targets) - targets)
        if from_logits:
            change = change * p * (one - p)
        values = weight * entropy
        slopes = self.rounded(weight * slopes, 2) + self.rounded(change * entropy, 4)
        if self.config.get("apply_class_balancing"):
            alpha = self.config.get("alpha", 0.25)
            others = Bounded(self.constant(1 - alpha), self.rounding, self.rounding.unit)
            balance = targets * self.constant(alpha) + (one - targets) * others
            values, slopes = balance * values, self.rounded(balance * slopes, 2)
        return self.mean(values), slopes * self.share(slopes)


class CategoricalFocalCrossentropy(CategoricalCrossentropy):
    """-sum(alpha (1 - q)^gamma y log q), q the probabilities over their sum, clipped; from logits
    the probabilities are their softmax."""

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        targets = smoothed(self, y, rows.shape[-1])
        p = softmax(rows, 1) if from_logits else rows
        low, high = self.constant(EPSILON), self.constant(1 - EPSILON)
        gamma = float(self.config.get("gamma", 2.0))
        alpha, one = self.constant(self.config.get("alpha", 0.25)), Bounded(1.0, self.rounding)
        sums = p.sum(axis=1, keepdims=True)
        q = p / sums
        clipped = q.clip(low, high)
        entropy, rest = -(clipped.log() * targets), one - clipped
        weight = power(rest, gamma) * alpha
        dq = (-self.rounded(targets / clipped * weight, 2)
              - self.rounded(entropy * alpha * self.constant(gamma) * power(rest, gamma - 1), 2))
        dq = through_clip(dq, q, low, high)
        slopes = (dq - (dq * q).sum(axis=1, keepdims=True)) / sums
        if from_logits:
            slopes = p * (slopes - (slopes * p).sum(axis=1, keepdims=True))
        return (weight * entropy).sum(axis=1), slopes
