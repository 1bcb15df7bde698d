"""Metrics as Keras defines them: accuracies, precision, recall, F1 and losses as figures."""

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
from scratch.metrics.base import Metric
from scratch.metrics.confusion import F1Score, Precision, Recall
from scratch.metrics.of_losses import (
                                      BinaryCrossentropy,
                                      CategoricalCrossentropy,
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
from scratch.metrics.registry import CLASSES, get, serialize

__all__ = [
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "ByShape", "CLASSES",
    "CategoricalAccuracy", "CategoricalCrossentropy", "F1Score", "Hinge", "KLDivergence",
    "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Metric", "Poisson", "Precision", "Recall",
    "RootMeanSquaredError", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SquaredHinge", "TopKCategoricalAccuracy", "binary_accuracy",
    "categorical_accuracy", "get", "in_top_k", "serialize", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]
