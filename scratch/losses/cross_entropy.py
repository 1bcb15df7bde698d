"""Cross-entropy, for class numbers, for rows of targets and for yes or no.

Each can be computed from probabilities, which Keras keeps away from 0 and 1, or from the logits
that a softmax or a sigmoid would make probabilities of, which loses nothing.
"""

import numpy as np

from scratch.losses.base import EPSILON, Loss, inside
from scratch.losses.class_numbers import class_numbers
from scratch.losses.elementwise import ElementwiseLoss
from scratch.losses.targets import Batch, counting, factors


class CrossEntropy(Loss):
    """Base of the three: what they have in common is the choice between logits and probabilities.

    Args:
        from_logits: y_pred holds logits. A softmax or sigmoid output needs no such flag: the model
            hands its logits over, as Keras does.
    """

    neutral = {"axis": (-1,)}
    uses_logits_of: tuple[str, ...] = ("softmax", "sigmoid")

    def __init__(self, from_logits=False, **settings):
        super().__init__(**settings)
        self.from_logits = bool(from_logits)

    def get_config(self):
        return {**super().get_config(), "from_logits": self.from_logits}


class SparseCategoricalCrossentropy(CrossEntropy):
    """-log p[label], for labels that are class numbers of shape (batch, ...) or (batch, ..., 1).

    Args:
        ignore_class: a label, of a class or not, whose losses count for nothing; the mean is then
            over the others. Keras masks the outputs, and so uses no softmax's logits.
    """

    default_name = "sparse_categorical_crossentropy"

    def __init__(self, from_logits=False, ignore_class=None, **settings):
        super().__init__(from_logits, **settings)
        self.ignore_class = ignore_class
        if ignore_class is not None:
            self.uses_logits_of = ()

    def targets(self, y_true, shape, dtype):
        labels = np.asarray(y_true)
        if labels.ndim == len(shape) and labels.shape[-1] == 1:
            labels = labels[..., 0]
        if labels.shape != shape[:-1]:
            raise ValueError(f"{type(self).__name__}: expected labels of shape {shape[:-1]} "
                             f"for outputs of shape {shape}. Received: {labels.shape}")
        return class_numbers(labels, shape[-1], self.ignore_class)

    def weigh(self, y_true, sample_weight, dtype, mask=None):
        labels, valid = y_true.view(np.ndarray), None
        if self.ignore_class is not None:
            valid = labels != self.ignore_class
            labels = np.where(valid, labels, 0)
        counted = counting(valid, mask, labels.shape, type(self).__name__)
        return Batch(labels, factors(labels.shape, self.reduction, dtype, sample_weight, counted),
                     valid)

    def rows(self, labels, y_pred, from_logits):
        if from_logits:
            return self.from_logit_rows(labels, y_pred)
        # Keras clips, takes logs and treats them as logits, that is, it renormalises.
        clipped = np.clip(y_pred, EPSILON, 1 - EPSILON)
        losses, gradient = self.from_logit_rows(labels, np.log(clipped))
        gradient /= clipped
        gradient *= inside(y_pred, EPSILON, 1 - EPSILON)
        return losses, gradient

    @staticmethod
    def from_logit_rows(labels, z):
        each = np.arange(len(z))
        # at a batch of one a ufunc's own reduction takes half as long as the method max() or sum()
        shifted = z - np.maximum.reduce(z, axis=1, keepdims=True)
        gradient = np.exp(shifted)
        sums = np.add.reduce(gradient, axis=1, keepdims=True)
        losses = np.log(sums[:, 0]) - shifted[each, labels]
        gradient /= sums
        gradient[each, labels] -= 1  # softmax(z) - one_hot(label)
        return losses, gradient

    def get_config(self):
        return {**super().get_config(), "ignore_class": self.ignore_class}


class CategoricalCrossentropy(CrossEntropy):
    """-sum(y log p), for targets y that are one-hot rows (or distributions) of y_pred's shape.

    Args:
        label_smoothing: how much of each target is taken off and spread evenly over all classes.
    """

    default_name = "categorical_crossentropy"

    def __init__(self, from_logits=False, label_smoothing=0.0, **settings):
        super().__init__(from_logits, **settings)
        self.label_smoothing = label_smoothing

    def targets(self, y_true, shape, dtype):
        if np.shape(y_true) != shape:
            raise ValueError(f"{type(self).__name__}: expected one-hot targets of the outputs' "
                             f"shape {shape}. Received: {np.shape(y_true)}")
        return super().targets(y_true, shape, dtype)

    def prepared(self, targets):
        return smoothed(targets, self.label_smoothing, targets.shape[-1])

    def rows(self, y, y_pred, from_logits):
        return (self.from_logit_rows if from_logits else self.from_probability_rows)(y, y_pred)

    @staticmethod
    def from_logit_rows(y, z):
        shifted = z - z.max(axis=1, keepdims=True)
        gradient = np.exp(shifted)
        sums = gradient.sum(axis=1, keepdims=True)
        losses = (y * (np.log(sums) - shifted)).sum(axis=1)
        gradient /= sums
        gradient -= y  # TensorFlow's gradient too takes for granted that each row of y sums to 1
        return losses, gradient

    @staticmethod
    def from_probability_rows(y, p):
        sums = p.sum(axis=1, keepdims=True)
        q = p / sums
        clipped = np.clip(q, EPSILON, 1 - EPSILON)
        losses = -(y * np.log(clipped)).sum(axis=1)
        dq = -y / clipped * inside(q, EPSILON, 1 - EPSILON)
        return losses, (dq - (dq * q).sum(axis=1, keepdims=True)) / sums

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing, "axis": -1}


class BinaryCrossentropy(CrossEntropy, ElementwiseLoss):
    """-(y log p + (1 - y) log(1 - p)), the mean over the last axis.

    Args:
        label_smoothing: how much of each target is taken off and replaced by as much of 1/2.
    """

    default_name = "binary_crossentropy"

    def __init__(self, from_logits=False, label_smoothing=0.0, **settings):
        super().__init__(from_logits, **settings)
        self.label_smoothing = label_smoothing

    def targets(self, y_true, shape, dtype):
        targets = super().targets(y_true, shape, dtype)
        if np.size(y_true) != targets.size:
            raise ValueError(f"{type(self).__name__}: expected targets of the outputs' shape "
                             f"{shape}. Received: {np.shape(y_true)}")
        return targets

    def prepared(self, targets):
        return smoothed(targets, self.label_smoothing, 2)

    def elements(self, y, y_pred, from_logits):
        return (self.from_logits_each if from_logits else self.from_probabilities_each)(y, y_pred)

    @staticmethod
    def from_logits_each(y, z):
        small = np.exp(-np.abs(z))  # never overflows
        losses = np.maximum(z, 0) - z * y + np.log1p(small)
        slopes = np.where(z >= 0, z.dtype.type(1), small) / (1 + small)  # the sigmoid of z
        slopes -= y
        return losses, slopes

    @staticmethod
    def from_probabilities_each(y, p):
        clipped = np.clip(p, EPSILON, 1 - EPSILON)
        rest = 1 - clipped
        losses = -(y * np.log(clipped) + (1 - y) * np.log(rest))
        slopes = (1 - y) / rest - y / clipped
        slopes *= inside(p, EPSILON, 1 - EPSILON)
        return losses, slopes

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing, "axis": -1}


def smoothed(targets: np.ndarray, amount: float, classes: int) -> np.ndarray:
    """Targets of which `amount` is taken off and spread evenly over that many classes."""
    if not amount:
        return targets
    return targets * (1 - amount) + amount / classes
