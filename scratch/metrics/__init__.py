"""Metrics as Keras defines them: accuracies, precision, recall, areas, overlaps and losses."""

from scratch.metrics.accuracy import (
                                      Accuracy,
                                      BinaryAccuracy,
                                      ByShape,
                                      CategoricalAccuracy,
                                      SparseCategoricalAccuracy,
                                      SparseTopKCategoricalAccuracy,
                                      TopKCategoricalAccuracy,
                                      binary_accuracy,
                                      categorical_accuracy,
                                      in_top_k,
                                      sparse_categorical_accuracy,
                                      sparse_top_k_categorical_accuracy,
                                      top_k_categorical_accuracy,
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
from scratch.metrics.registry import CLASSES, get, serialize
from scratch.metrics.regression import ConcordanceCorrelation, PearsonCorrelation, R2Score
from scratch.metrics.trade_offs import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)

__all__ = [
    "AUC", "BinaryIoU", "CategoricalHinge", "CosineSimilarity", "FBetaScore", "IoU", "MeanIoU",
    "OneHotIoU", "OneHotMeanIoU", "ConcordanceCorrelation", "FalseNegatives", "FalsePositives",
    "Mean", "PearsonCorrelation", "PrecisionAtRecall", "R2Score", "RecallAtPrecision",
    "SensitivityAtSpecificity", "SpecificityAtSensitivity", "Sum", "TrueNegatives",
    "TruePositives",
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "ByShape", "CLASSES",
    "CategoricalAccuracy", "CategoricalCrossentropy", "F1Score", "Hinge", "KLDivergence",
    "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Metric", "Poisson", "Precision", "Recall",
    "RootMeanSquaredError", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SquaredHinge", "TopKCategoricalAccuracy", "binary_accuracy",
    "categorical_accuracy", "get", "in_top_k", "serialize", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]
