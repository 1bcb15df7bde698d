"""The oracle for cross-entropy over classes, labelled by number or by rows of targets."""

import numpy as np

from compare.oracle.layers.softmax import added_back, softmax
from compare.oracle.losses.base import EPSILON, LossOracle, through_clip
from compare.oracle.running_error import Bounded


class SparseCategoricalCrossentropy(LossOracle):
    """From logits: log sum exp(z) - z[label]. Keras clips probabilities to [1e-7, 1 - 1e-7], takes
    logs and treats them as logits."""

    def paired(self, y: np.ndarray, shape: tuple[int, ...]
               ) -> tuple[np.ndarray, np.ndarray | None, tuple[int, ...]]:
        labels = y.reshape(shape[:-1])
        ignored, mask = self.config.get("ignore_class"), None
        if ignored is not None:
            mask = labels != ignored
            labels = np.where(mask, labels, 0)
        return np.eye(shape[-1])[labels.astype(int)], mask, shape[:-1]

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        if from_logits:
            return softmax_cross_entropy(Bounded(y, self.rounding), rows)
        low, high = self.constant(EPSILON), self.constant(1 - EPSILON)
        clipped = rows.clip(low, high)
        losses, gradient = softmax_cross_entropy(Bounded(y, self.rounding), clipped.log())
        return losses, through_clip(self.rounded(gradient / clipped, 1), rows, low, high)


class CategoricalCrossentropy(LossOracle):
    """From logits: sum y (log sum exp(z) - z), whose gradient is taken to be softmax(z) - y.
    Probabilities are divided by their sum, then clipped."""

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        targets = smoothed(self, y, rows.shape[-1])
        if from_logits:
            return softmax_cross_entropy(targets, rows)
        low, high = self.constant(EPSILON), self.constant(1 - EPSILON)
        sums = rows.sum(axis=1, keepdims=True)
        q = rows / sums
        clipped = q.clip(low, high)
        losses = -(clipped.log() * targets).sum(axis=1)
        dq = through_clip(self.rounded(-targets / clipped, 1), q, low, high)
        return losses, (dq - (dq * q).sum(axis=1, keepdims=True)) / sums


def softmax_cross_entropy(targets: Bounded, z: Bounded) -> tuple[Bounded, Bounded]:
    """(losses, gradients) of logits z (n, classes), the largest of each row taken off first,
    and perhaps added back to the logarithm."""
    shift = Bounded(z.value.max(axis=1, keepdims=True), z.rounding)
    shifted = z - shift
    log_sum = shifted.exp().sum(axis=1, keepdims=True).log()
    each = log_sum - shifted
    each.error = each.bound + added_back(shift.value, z.rounding)
    losses = (each * targets).sum(axis=1)
    return losses, softmax(z, 1) - targets


def smoothed(oracle: LossOracle, y: np.ndarray, classes: int) -> Bounded:
    """Targets with the config's label smoothing: y (1 - s) + s / classes.

    Both numbers may be rounded before they are used, the second of two already rounded ones.
    """
    amount = oracle.config.get("label_smoothing") or 0.0
    targets = Bounded(y, oracle.rounding)
    if not amount:
        return targets
    unit = oracle.rounding.unit
    kept = Bounded(1 - amount, oracle.rounding, unit * abs(1 - amount))
    spread = Bounded(amount / classes, oracle.rounding, 3 * unit * amount / classes)
    return targets * kept + spread
