"""Focal losses (Lin et al., 2017): cross-entropies in which what is certain counts for little."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.losses.base import EPSILON, inside
from scratch.losses.cross_entropy import BinaryCrossentropy, CategoricalCrossentropy


class BinaryFocalCrossentropy(BinaryCrossentropy):
    """(1 - t)^gamma times the binary cross-entropy, t = y p + (1 - y) (1 - p); the mean over the
    last axis.

    From logits, also a sigmoid's, the cross-entropy is computed from the logit and t from its
    sigmoid, as in Keras. After a softmax Keras mixes logits and probabilities, which is refused.

    Args:
        apply_class_balancing: whether losses count alpha for targets of 1, 1 - alpha for those of
            0.
        alpha: see there.
        gamma: how much less the certain ones count.
        from_logits, label_smoothing: see `BinaryCrossentropy`.
    """

    default_name = "binary_focal_crossentropy"

    def __init__(self, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False,
                 label_smoothing=0.0, **settings):
        super().__init__(from_logits, label_smoothing, **settings)
        self.apply_class_balancing = bool(apply_class_balancing)
        self.alpha, self.gamma = alpha, gamma

    def fuses(self, kind, y_true, output_shape):
        fused = super().fuses(kind, y_true, output_shape)
        if fused and kind == "softmax":
            raise UnsupportedError("BinaryFocalCrossentropy after a softmax is not supported: "
                                   "expected a sigmoid, or outputs without activation.")
        return fused

    def elements(self, y, y_pred, from_logits):
        losses, slopes = super().elements(y, y_pred, from_logits)
        gamma = y.dtype.type(self.gamma)
        p = sigmoid(y_pred) if from_logits else y_pred
        rest = 1 - (y * p + (1 - y) * (1 - p))
        weight = np.power(rest, gamma)
        change = gamma * np.power(rest, gamma - 1) * (1 - 2 * y)  # of the weight, with p
        if from_logits:
            change = change * p * (1 - p)
        slopes = weight * slopes + change * losses
        losses = weight * losses
        if self.apply_class_balancing:
            balance = y * self.alpha + (1 - y) * (1 - self.alpha)
            losses, slopes = balance * losses, balance * slopes
        return losses, slopes

    def get_config(self):
        return {**super().get_config(), "apply_class_balancing": self.apply_class_balancing,
                "alpha": self.alpha, "gamma": self.gamma}


class CategoricalFocalCrossentropy(CategoricalCrossentropy):
    """-sum(alpha (1 - p)^gamma y log p), for rows of targets y.

    It is always computed from probabilities, as in Keras: those of logits are their softmax.

    Args:
        alpha: what all classes count for.
        gamma: how much less the certain ones count.
        from_logits, label_smoothing: see `CategoricalCrossentropy`.
    """

    default_name = "categorical_focal_crossentropy"
    uses_logits_of: tuple[str, ...] = ()

    def __init__(self, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, **settings):
        super().__init__(from_logits, label_smoothing, **settings)
        self.alpha, self.gamma = alpha, gamma

    def rows(self, y, y_pred, from_logits):
        if not from_logits:
            return self.of_probabilities(y, y_pred)
        p = np.exp(y_pred - y_pred.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        losses, dp = self.of_probabilities(y, p)
        return losses, p * (dp - (dp * p).sum(axis=1, keepdims=True))

    def of_probabilities(self, y, p):
        gamma = p.dtype.type(self.gamma)
        sums = p.sum(axis=1, keepdims=True)
        q = p / sums
        clipped = np.clip(q, EPSILON, 1 - EPSILON)
        entropy, rest = -y * np.log(clipped), 1 - clipped
        weight = np.power(rest, gamma) * self.alpha
        dq = (-y / clipped * weight
              - entropy * (gamma * self.alpha) * np.power(rest, gamma - 1))
        dq *= inside(q, EPSILON, 1 - EPSILON)
        return (weight * entropy).sum(axis=1), (dq - (dq * q).sum(axis=1, keepdims=True)) / sums

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "gamma": self.gamma}


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), without overflow."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, z.dtype.type(1), small) / (1 + small)
