"""Precision, recall and F1, from counts of hits and misses gathered over all batches."""

import numpy as np

from scratch.losses.base import EPSILON
from scratch.losses.targets import same_rank
from scratch.metrics.base import Metric, require


class Thresholded(Metric):
    """Base of precision and recall: an output is a yes if it is above a threshold.

    Args:
        thresholds: a number in [0, 1] or several, of which each gets a figure; 0.5 by default.
        top_k: only the k largest outputs of each row can be a yes (the first of equals); then
            without a threshold unless one is given.
        class_id: look at this class's outputs and targets alone.

    Raises:
        ValueError: for a threshold outside of [0, 1].
    """

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        several = list(thresholds) if isinstance(thresholds, (list, tuple)) else [thresholds]
        if thresholds is not None and any(t is None or not 0 <= t <= 1 for t in several):
            raise ValueError(f"{type(self).__name__}: expected thresholds in [0, 1]. "
                             f"Received: thresholds={thresholds!r}")
        if thresholds is None:
            several = [0.5 if top_k is None else -np.inf]
        self.init_thresholds = thresholds
        self.thresholds = several
        self.top_k = top_k
        self.class_id = class_id
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred, weights = self._alike(y_true, y_pred, sample_weight)
        allowed = np.ones(y_pred.shape, bool) if self.top_k is None else top(y_pred, self.top_k)
        if self.class_id is not None:
            one = np.s_[..., self.class_id, np.newaxis]
            y_true, y_pred, allowed = y_true[one], y_pred[one], allowed[one]
        truth, weights = y_true != 0, np.broadcast_to(weights, y_pred.shape)
        if evenly_spread(self.thresholds):  # Keras then sorts the outputs into bins
            y_pred = np.clip(y_pred, 0, 1)
        for i, threshold in enumerate(self.thresholds):
            yes = allowed & (y_pred > y_pred.dtype.type(threshold))
            self.true_positives[i] += weights[truth & yes].sum()
            self.false_positives[i] += weights[~truth & yes].sum()
            self.false_negatives[i] += weights[truth & ~yes].sum()
            self.true_negatives[i] += weights[~truth & ~yes].sum()

    def _alike(self, y_true, y_pred, sample_weight):
        """Labels, outputs and weights of as many axes, weights in float64."""
        y_pred, y_true = same_rank(np.asarray(y_pred), np.asarray(y_true))
        if y_pred.dtype.kind != "f":
            y_pred = y_pred.astype(np.float32)
        require(y_true.shape == y_pred.shape, type(self).__name__, "labels of the outputs' shape",
                y_true, y_pred)
        if sample_weight is None:
            return y_true, y_pred, np.ones(())
        given = np.asarray(sample_weight, np.float64)
        weights = given[..., np.newaxis]
        if weights.ndim == y_true.ndim + 1:
            weights = weights[..., 0]
        try:
            np.broadcast_to(weights, y_pred.shape)
        except ValueError:
            raise ValueError(f"{type(self).__name__}: expected one sample weight for each row of "
                             f"outputs {y_pred.shape}. Received: {given.shape}") from None
        return y_true, y_pred, weights

    def reset_state(self):
        zeros = np.zeros((4, len(self.thresholds)))
        (self.true_positives, self.false_positives, self.false_negatives,
         self.true_negatives) = zeros

    def _figure(self, misses: np.ndarray):
        """Hits over hits and misses, for each threshold; 0 where there is neither."""
        found = divided(self.true_positives, self.true_positives + misses)
        return float(found[0]) if len(found) == 1 else found

    def get_config(self):
        return {**super().get_config(), "thresholds": self.init_thresholds, "top_k": self.top_k,
                "class_id": self.class_id}


class Precision(Thresholded):
    """How many of those taken for a yes are one."""

    default_name = "precision"

    def result(self):
        return self._figure(self.false_positives)


class Recall(Thresholded):
    """How many of those that are a yes are taken for one."""

    default_name = "recall"

    def result(self):
        return self._figure(self.false_negatives)


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), class by class; targets are rows
    of 0 and 1.

    Args:
        beta: how much more recall counts than precision, a float above 0.
        average: None for a figure of each class, 'macro' for their mean, 'weighted' for their mean
            by how often each class occurs, 'micro' for one figure from the counts of all classes.
        threshold: an output above it is a yes; None: the largest of each row is, all of equals,
            unless it is 0.

    Raises:
        ValueError: for another average, a threshold outside of (0, 1], or another beta.
    """

    default_name = "fbeta_score"

    def __init__(self, average=None, beta=1.0, threshold=None, name=None, dtype=None):
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(f"{type(self).__name__}: expected beta to be a float above 0. "
                             f"Received: beta={beta!r}")
        self.beta = beta
        if average not in (None, "micro", "macro", "weighted"):
            raise ValueError(f"{type(self).__name__}: expected average to be None, 'micro', "
                             f"'macro' or 'weighted'. Received: average={average!r}")
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(f"{type(self).__name__}: expected threshold to be a float in (0, 1]. "
                             f"Received: threshold={threshold!r}")
        self.average = average
        self.threshold = threshold
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        truth, y_pred = np.asarray(y_true, np.float64), np.asarray(y_pred)
        require(y_pred.ndim == 2 and truth.shape == y_pred.shape, type(self).__name__,
                "targets (batch, classes)", truth, y_pred)
        if self.threshold is None:
            yes = (y_pred >= y_pred.max(axis=1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            yes = y_pred > y_pred.dtype.type(self.threshold)
        weights = np.ones(len(y_pred)) if sample_weight is None else np.asarray(sample_weight)
        if weights.shape != (len(y_pred),):
            raise ValueError(f"{type(self).__name__}: expected one sample weight for each of "
                             f"{len(y_pred)} "
                             f"samples. Received: {weights.shape}")
        counts = [weights @ part for part in (yes * truth, yes * (1 - truth), ~yes * truth)]
        if self.average == "micro":
            counts = [count.sum() for count in counts]
        self.counts = np.stack(counts) + (0 if self.counts is None else self.counts)

    def result(self):
        if self.counts is None:
            return 0.0
        hits, false_positives, misses = self.counts
        precision = hits / (hits + false_positives + EPSILON)
        recall = hits / (hits + misses + EPSILON)
        square = self.beta ** 2
        score = (1 + square) * precision * recall / (precision * square + recall + EPSILON)
        if self.average is None:
            return score
        if self.average == "weighted":
            occurs = hits + misses
            return float((score * (occurs / (occurs.sum() + EPSILON))).sum())
        return float(score.mean())

    def reset_state(self):
        self.counts = None  # hits, false positives and misses, (3, classes) or (3,)

    def get_config(self):
        return {**super().get_config(), "average": self.average, "beta": self.beta,
                "threshold": self.threshold}


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall), class by class; see `FBetaScore`."""

    default_name = "f1_score"

    def __init__(self, average=None, threshold=None, name=None, dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        return {key: value for key, value in super().get_config().items() if key != "beta"}


def top(y_pred: np.ndarray, k: int) -> np.ndarray:
    """True for the k largest of the last axis, the first of equals."""
    order = np.argsort(-y_pred, axis=-1, kind="stable")[..., :k]
    chosen = np.zeros(y_pred.shape, bool)
    np.put_along_axis(chosen, order, True, axis=-1)
    return chosen


def evenly_spread(thresholds: list) -> bool:
    """Whether there are three or more thresholds, evenly spread from 0 to 1."""
    even = np.linspace(0, 1, len(thresholds))
    return len(thresholds) > 2 and np.allclose(thresholds, even, atol=EPSILON)


def divided(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, and 0 where b is."""
    return np.divide(a, b, out=np.zeros_like(a), where=b != 0)
