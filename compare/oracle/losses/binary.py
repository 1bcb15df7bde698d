"""The oracle for binary cross-entropy."""

import numpy as np

from compare.oracle.losses.base import EPSILON, LossOracle, through_clip
from compare.oracle.losses.categorical import smoothed
from compare.oracle.running_error import LIBRARY_ULPS, Bounded

LIBRARY = 2 * LIBRARY_ULPS  # roundings that a library's exp or log1p may cost


class BinaryCrossentropy(LossOracle):
    """The mean over the last axis of max(z, 0) - z y + log(1 + exp(-|z|)), for logits z.

    Probabilities are clipped to [1e-7, 1 - 1e-7]: -(y log p + (1 - y) log(1 - p)).
    """

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        targets = smoothed(self, y, 2)
        if from_logits:
            values, slopes = self.of_logits(targets, rows)
        else:
            values, slopes = self.of_probabilities(targets, rows)
        return self.mean(values), slopes * self.share(slopes)

    def of_logits(self, y: Bounded, z: Bounded) -> tuple[Bounded, Bounded]:
        """Each logit's loss and slope, sigmoid(z) - y.

        An error in z moves the loss by at most the steepest slope between, the slope by at most the
        steepest slope of the sigmoid. The three terms of either are rounded, and their sum, at
        most 4 roundings; exp(-|z|) and what is made of it by log1p or by e / (1 + e) is good
        to the libraries' ulps and 4 roundings more. TensorFlow's slope is 1 - y - e / (1 + e) for
        z >= 0 and e / (1 + e) - y below: each term's size counts, not their difference's.
        """
        z = z.flushed()
        small = np.exp(-np.abs(z.value))
        part = small / (1 + small)
        positive = np.maximum(z.value, 0.0)
        gamma = self.rounding.gamma
        value = positive - z.value * y.value + np.log1p(small)
        low, high = sigmoid(z.value - z.bound), sigmoid(z.value + z.bound)
        steepest = np.maximum(np.abs(low - y.value), np.abs(high - y.value)) + y.bound
        own = (gamma(4) * (positive + np.abs(z.value) * (np.abs(y.value) + y.bound)
                           + np.log1p(small))
               + gamma(2 * LIBRARY + 4) * np.log1p(small))
        tiny = 4 * self.rounding.tiny
        values = Bounded(value, self.rounding,
                         steepest * z.bound + np.abs(z.value) * y.bound + own + tiny)
        slope = sigmoid(z.value) - y.value
        nearest = np.clip(0.0, z.value - z.bound, z.value + z.bound)
        curvature = sigmoid(nearest) * sigmoid(-nearest)
        own = gamma(4) * (1 + np.abs(y.value) + part) + gamma(LIBRARY + 4) * part
        slopes = Bounded(slope, self.rounding, curvature * z.bound + y.bound + own + tiny)
        return values, slopes

    def of_probabilities(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded]:
        low, high = self.constant(EPSILON), self.constant(1 - EPSILON)
        clipped, one = p.clip(low, high), Bounded(1.0, self.rounding)
        rest, untrue = one - clipped, one - y
        values = -(y * clipped.log() + untrue * rest.log())
        slopes = self.rounded(untrue / rest, 2) - self.rounded(y / clipped, 2)
        return values, through_clip(slopes, p, low, high)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), without overflow."""
    small = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1.0, small) / (1 + small))
