"""Accuracy, F1 and agreement, from predicted classes. scikit-learn does the counting."""

import math
from dataclasses import dataclass

import numpy as np

from compare.document.significance import decimals


@dataclass(frozen=True)
class Figures:
    """How predictions compare with labels.

    Attributes:
        accuracy: share of right predictions.
        macro_f1: mean of the classes' F1, over the classes that were labelled or predicted.
        precision, recall, f1: one number per class, 0 where undefined.
        support: labels per class.
        confusion: (classes, classes) counts; rows are labels, columns predictions.
    """

    accuracy: float
    macro_f1: float
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    confusion: np.ndarray


def figures(labels: np.ndarray, predictions: np.ndarray, classes: int) -> Figures:
    """The figures for labels and predictions, both (samples,) class numbers."""
    from sklearn import metrics

    each = metrics.precision_recall_fscore_support(
        labels, predictions, labels=range(classes), zero_division=0)
    return Figures(
        accuracy=float(metrics.accuracy_score(labels, predictions)),
        macro_f1=float(metrics.f1_score(labels, predictions, average="macro", zero_division=0)),
        precision=each[0], recall=each[1], f1=each[2], support=each[3],
        confusion=metrics.confusion_matrix(labels, predictions, labels=range(classes)),
    )


@dataclass(frozen=True)
class Agreement:
    """How often two sets of predictions are the same, and who is right where they are not."""

    images: int
    same: int
    only_first_right: int
    only_second_right: int

    @property
    def neither_right(self) -> int:
        """Different predictions, both wrong."""
        return self.images - self.same - self.only_first_right - self.only_second_right

    @property
    def p_value(self) -> float:
        """McNemar's exact test, two-sided: how likely so unequal counts of images that only one
        side gets right are, if either side is as likely as the other to be that one."""
        from scipy import stats

        alone = self.only_first_right + self.only_second_right
        return float(stats.binomtest(self.only_first_right, alone).pvalue) if alone else 1.0


def agreement(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> Agreement:
    """Compares two arrays of predicted classes, (samples,) each."""
    differ = first != second
    return Agreement(len(labels), int((~differ).sum()), int((differ & (first == labels)).sum()),
                     int((differ & (second == labels)).sum()))


def standard_error(accuracy: float, images: int) -> float:
    """Of a share measured on so many independent images: sqrt(p (1 - p) / n)."""
    return math.sqrt(accuracy * (1 - accuracy) / images)


def share_digits(share: float, images: int) -> int:
    """Digits after the point that a share measured on so many images is worth."""
    return decimals(max(standard_error(share, images), 1 / images))
