"""Losses as Keras defines them: cross-entropies, errors, divergences, overlaps; `get` finds one by
name."""

from scratch.losses.base import EPSILON, Loss
from scratch.losses.circle import Circle
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
from scratch.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from scratch.losses.joint import JointLoss, JointTargets, Value, total_of
from scratch.losses.of_classes import CategoricalGeneralizedCrossEntropy, CategoricalHinge
from scratch.losses.overlap import Dice, Tversky
from scratch.losses.registry import CLASSES, get, serialize
from scratch.losses.similarity import CosineSimilarity
from scratch.losses.targets import Batch, Targets

__all__ = [
    "Batch", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CLASSES", "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy", "CategoricalGeneralizedCrossEntropy", "CategoricalHinge",
    "Circle", "CosineSimilarity", "Dice", "EPSILON", "Hinge", "Huber", "JointLoss", "JointTargets",
    "KLDivergence", "LogCosh", "Loss",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "Poisson", "SparseCategoricalCrossentropy", "SquaredHinge",
    "Targets", "Tversky", "Value", "get", "serialize", "total_of",
]
