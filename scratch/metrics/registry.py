"""Metrics by Keras's names for them, and as Keras's dictionaries."""

from typing import Any

from scratch.errors import UnsupportedError
from scratch.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    ByShape,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from scratch.metrics.area import AUC
from scratch.metrics.base import Metric
from scratch.metrics.confusion import F1Score, FBetaScore, Precision, Recall
from scratch.metrics.counts import FalseNegatives, FalsePositives, TrueNegatives, TruePositives
from scratch.metrics.intersection import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from scratch.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from scratch.metrics.reduction import Mean, Sum
from scratch.metrics.regression import ConcordanceCorrelation, PearsonCorrelation, R2Score
from scratch.metrics.trade_offs import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from scratch.suggestions import did_you_mean

CLASSES: dict[str, Any] = {cls.__name__: cls for cls in (
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
    TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, Precision, Recall, F1Score,
    MeanSquaredError, RootMeanSquaredError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError, LogCoshError, KLDivergence, Poisson, Hinge, SquaredHinge,
    BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, CategoricalHinge,
    CosineSimilarity, AUC, FBetaScore, IoU, BinaryIoU, MeanIoU, OneHotIoU, OneHotMeanIoU,
    ConcordanceCorrelation, PearsonCorrelation, R2Score, FalseNegatives, FalsePositives,
    TrueNegatives, TruePositives, PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity,
    SpecificityAtSensitivity, Mean, Sum)}

# Keras has no such name for the first, and the others need to be told the number of classes, what
# not to fall below, or are no metrics of labels and outputs.
UNNAMED = ("FBetaScore", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU", "PrecisionAtRecall",
           "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity", "Mean",
           "Sum")
NAMES = {"log_cosh_error" if name == "LogCoshError" else cls.default_name: name
         for name, cls in CLASSES.items() if name not in UNNAMED}
ABBREVIATIONS = {"bce": "BinaryCrossentropy", "mae": "MeanAbsoluteError",
                 "mse": "MeanSquaredError", "mape": "MeanAbsolutePercentageError",
                 "msle": "MeanSquaredLogarithmicError"}
ALIASES = {**NAMES, **ABBREVIATIONS,
           **{short.upper(): name for short, name in ABBREVIATIONS.items()}}


def get(identifier) -> Metric:
    """A metric from an object, Keras's name for it, or a Keras config.

    Found by a string, it bears that string as its name, as in Keras. 'accuracy' and 'acc', in any
    case, are the accuracy that fits the labels.

    Raises:
        UnsupportedError: for any other.
    """
    if isinstance(identifier, Metric):
        return identifier
    metric: Metric | None = None
    if isinstance(identifier, str):
        if identifier.lower() in ("accuracy", "acc"):
            metric = ByShape(name=identifier)
        elif ALIASES.get(identifier, identifier) in CLASSES.keys() - set(UNNAMED[1:]):
            metric = CLASSES[ALIASES.get(identifier, identifier)](name=identifier)
        if metric is not None:
            metric.asked_by = identifier
    elif isinstance(identifier, dict) and identifier.get("class_name") in CLASSES:
        config = dict(identifier.get("config") or {})
        metric = CLASSES[identifier["class_name"]].from_config(config)
    if metric is None:
        raise UnsupportedError(f"Metric {identifier!r} is not supported."
                               f"{did_you_mean(identifier, NAMES)} "
                               f"Expected one of: acc, {', '.join(NAMES)}.")
    return metric


def serialize(metric: Metric) -> str | dict:
    """The string by which the metric was asked for, or the dictionary by which Keras knows it."""
    if metric.asked_by is not None:
        return metric.asked_by
    return {"module": "keras.metrics", "class_name": type(metric).__name__,
            "config": metric.get_config(), "registered_name": None}
