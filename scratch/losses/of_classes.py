"""Losses over classes other than cross-entropy: a margin, and what wrong labels hurt less."""

import numpy as np

from scratch.losses.base import Loss
from scratch.losses.class_numbers import class_numbers
from scratch.losses.targets import Batch, counting, factors


class CategoricalHinge(Loss):
    """max(max((1 - y) p) - sum(y p) + 1, 0), for rows of targets y: by how much the true class is
    short of leading by 1. Classes that tie for the largest share the gradient."""

    default_name = "categorical_hinge"

    def rows(self, y, y_pred, from_logits):
        others = (1 - y) * y_pred
        largest = others.max(axis=1, keepdims=True)
        short = largest[:, 0] - (y * y_pred).sum(axis=1) + 1
        won = (others == largest).astype(y_pred.dtype)
        won /= won.sum(axis=1, keepdims=True)
        # where both arguments of the maximum are equal, TensorFlow's gradient goes to the first
        return np.maximum(short, 0), ((1 - y) * won - y) * (short >= 0)[:, np.newaxis]


class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 - p[label]^q) / q, for labels that are class numbers of shape (batch, ...).

    Labels (batch, ..., 1) are refused: Keras's formula holds each against every sample.

    Args:
        q: between 0, where this is a cross-entropy, and 1, where it is an absolute error.

    Raises:
        ValueError: for another q.
    """

    default_name = "categorical_generalized_cross_entropy"

    def __init__(self, q=0.5, **settings):
        super().__init__(**settings)
        if not 0 < q < 1:
            raise ValueError("CategoricalGeneralizedCrossEntropy: expected q in the interval "
                             f"(0, 1). Received: q={q!r}")
        self.q = q

    def targets(self, y_true, shape, dtype):
        labels = np.asarray(y_true)
        if labels.shape != shape[:-1]:
            raise ValueError(f"{type(self).__name__}: expected labels of shape {shape[:-1]} "
                             f"for outputs of shape {shape}. Received: {labels.shape}")
        return class_numbers(labels, shape[-1])

    def weigh(self, y_true, sample_weight, dtype, mask=None):
        labels = y_true.view(np.ndarray)
        counted = counting(None, mask, labels.shape, type(self).__name__)
        return Batch(labels, factors(labels.shape, self.reduction, dtype, sample_weight, counted))

    def rows(self, labels, y_pred, from_logits):
        q, each = y_pred.dtype.type(self.q), np.arange(len(y_pred))
        p = y_pred[each, labels]
        gradient = np.zeros_like(y_pred)
        with np.errstate(divide="ignore"):
            gradient[each, labels] = -np.power(p, q - 1)
        return (1 - np.power(p, q)) / q, gradient

    def get_config(self):
        return {**super().get_config(), "q": self.q}
