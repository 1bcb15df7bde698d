"""Losses as Keras defines them: cross-entropies, errors, divergences; `get` finds one by name."""

from scratch.losses.base import EPSILON, Loss
from scratch.losses.cross_entropy import (
                                          BinaryCrossentropy,
                                          CategoricalCrossentropy,
                                          SparseCategoricalCrossentropy,
)
from scratch.losses.divergence import KLDivergence
from scratch.losses.elementwise import (
                                          Hinge,
                                          Huber,
                                          LogCosh,
                                          MeanAbsoluteError,
                                          MeanAbsolutePercentageError,
                                          MeanSquaredError,
                                          MeanSquaredLogarithmicError,
                                          Poisson,
                                          SquaredHinge,
)
from scratch.losses.registry import CLASSES, get, serialize
from scratch.losses.targets import Batch, Targets

__all__ = [
    "Batch", "BinaryCrossentropy", "CLASSES", "CategoricalCrossentropy", "EPSILON", "Hinge",
    "Huber", "KLDivergence", "LogCosh", "Loss", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy",
    "SquaredHinge", "Targets", "get", "serialize",
]
