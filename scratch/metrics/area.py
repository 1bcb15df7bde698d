"""The area under a curve of hits, from counts at many thresholds gathered over all batches."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.losses.base import EPSILON
from scratch.metrics.base import require
from scratch.metrics.confusion import Thresholded, divided, evenly_spread

METHODS = {"interpolation": lambda a, b: (a + b) / 2, "minoring": np.minimum,
           "majoring": np.maximum}


class AUC(Thresholded):
    """The area under the ROC curve (hits over false alarms) or the PR curve (precision over
    recall).

    Args:
        num_thresholds: how many there are, evenly spread from 0 to 1, more than 1.
        curve: 'ROC' or 'PR'.
        summation_method: 'interpolation', 'minoring' or 'majoring': what the curve is taken to be
            between two thresholds.
        thresholds: others than those, in (0, 1).
        multi_label: each label has a curve, and the figure is the mean of their areas.
        num_labels: how many, if there are several.
        from_logits: outputs are logits, whose sigmoid counts.

    Raises:
        UnsupportedError: for another curve or method.
        ValueError: for fewer thresholds than 2.
    """

    neutral = {"label_weights": (None,)}
    default_name = "auc"

    def __init__(self, num_thresholds=200, curve="ROC", summation_method="interpolation", name=None,
                 dtype=None, thresholds=None, multi_label=False, num_labels=None, from_logits=False,
                 **settings):
        method = str(summation_method).lower()
        curve = {"pr": "PR", "roc": "ROC"}.get(str(curve).lower())
        if curve is None or method not in METHODS:
            raise UnsupportedError("Metric AUC does not support such a curve or summation_method. "
                                   "Expected 'ROC' or 'PR', and 'interpolation', 'minoring' or "
                                   f"'majoring'. Received: {summation_method!r:.50}")
        if num_thresholds <= 1:
            raise ValueError("AUC: expected num_thresholds above 1. "
                             f"Received: num_thresholds={num_thresholds!r}")
        self.own_thresholds = None if thresholds is None else sorted(map(float, thresholds))
        self.curve, self.summation_method = curve, method
        inner = self.own_thresholds
        if inner is None:
            inner = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        self.even = evenly_spread([0.0, *inner, 1.0]) or self.own_thresholds is None
        self.multi_label, self.num_labels = bool(multi_label), num_labels
        self.from_logits = bool(from_logits)
        super().__init__(name=name, dtype=dtype)
        self._refuse(settings)
        self.thresholds = [-EPSILON, *inner, 1 + EPSILON]
        self.reset_state()

    def _refuse(self, settings: dict) -> None:
        for key, value in settings.items():
            if key not in self.neutral or value not in self.neutral[key]:
                raise UnsupportedError(f"Metric AUC does not support {key}={value!r:.50}.")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred, weights = self._alike(y_true, y_pred, sample_weight)
        if self.from_logits:
            small = np.exp(-np.abs(y_pred))
            y_pred = np.where(y_pred >= 0, 1, small) / (1 + small)
        if self.multi_label:
            require(y_pred.ndim == 2, "AUC", "labels (batch, labels)", y_true, y_pred)
        labels = y_pred.shape[1] if self.multi_label else 1
        weights = np.broadcast_to(weights, y_pred.shape).reshape(-1, labels)
        truth, at = (y_true != 0).reshape(-1, labels), self._above(y_pred).reshape(-1, labels)
        found = np.zeros((2, len(self.thresholds), labels))
        for k in range(labels):
            for said in (0, 1):
                chosen = truth[:, k] == said
                np.add.at(found[said, :, k], at[chosen, k], weights[chosen, k])
        self.counts = found + (0 if self.counts is None else self.counts)

    def _above(self, y_pred: np.ndarray) -> np.ndarray:
        """The number of the highest threshold that each output is above."""
        if self.even:  # as Keras sorts the outputs into bins
            most = y_pred.dtype.type(len(self.thresholds) - 1)
            return np.maximum(np.ceil(np.clip(y_pred, 0, 1) * most) - 1, 0).astype(int)
        limits = np.asarray(self.thresholds, y_pred.dtype)
        return np.maximum(np.searchsorted(limits, y_pred, side="left") - 1, 0)

    def result(self):
        if self.counts is None:
            return 0.0
        above = self.counts[:, ::-1].cumsum(axis=1)[:, ::-1]  # (no, yes), thresholds, labels
        false, hits = above
        negatives, positives = above[:, :1]
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = self._interpolated(hits, false, positives)
        else:
            recall = divided(hits, np.broadcast_to(positives, hits.shape))
            x, y = divided(false, np.broadcast_to(negatives, false.shape)), recall
            if self.curve == "PR":
                x, y = recall, divided(hits, hits + false)
            areas = (x[:-1] - x[1:]) * METHODS[self.summation_method](y[:-1], y[1:])
        return float(areas.sum(axis=0).mean())

    @staticmethod
    def _interpolated(hits: np.ndarray, false: np.ndarray, positives: np.ndarray) -> np.ndarray:
        """Between two thresholds hits and all that are taken for a yes grow in proportion, so
        that precision is no straight line (Davis and Goadrich, 2006)."""
        taken = hits + false
        more, more_taken = hits[:-1] - hits[1:], np.maximum(taken[:-1] - taken[1:], 0)
        slope = divided(more, more_taken)
        start = hits[1:] - slope * taken[1:]
        both = (taken[:-1] > 0) & (taken[1:] > 0)
        ratio = np.where(both, divided(taken[:-1], taken[1:]), 1.0)
        total = np.broadcast_to(positives, more.shape)
        return divided(slope * (more + start * np.log(ratio)), total)

    def reset_state(self):
        self.counts = None  # by label, highest threshold that an output is above, column

    def get_config(self):
        own = {} if self.own_thresholds is None else {"thresholds": self.own_thresholds}
        return {"name": self.name, "dtype": self.dtype or "float32",
                "num_thresholds": len(self.thresholds), "curve": self.curve,
                "summation_method": self.summation_method, "multi_label": self.multi_label,
                "num_labels": self.num_labels, "label_weights": None,
                "from_logits": self.from_logits, **own}
