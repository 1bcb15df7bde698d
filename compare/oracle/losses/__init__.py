"""The oracle for losses: value and gradient by definition, with a bound on all rounding."""

import math

import numpy as np
from numpy.typing import DTypeLike

from compare.oracle.losses.base import LossOracle
from compare.oracle.losses.binary import BinaryCrossentropy
from compare.oracle.losses.categorical import CategoricalCrossentropy, SparseCategoricalCrossentropy
from compare.oracle.losses.circle import Circle
from compare.oracle.losses.divergence import KLDivergence
from compare.oracle.losses.elementwise import (
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
from compare.oracle.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from compare.oracle.losses.of_classes import CategoricalGeneralizedCrossEntropy, CategoricalHinge
from compare.oracle.losses.overlap import Dice, Overlap, Tversky
from compare.oracle.losses.similarity import CosineSimilarity
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config

LOSSES: dict[str, type[LossOracle]] = {cls.__name__: cls for cls in (
    SparseCategoricalCrossentropy, CategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Huber, LogCosh,
    KLDivergence, Poisson, Hinge, SquaredHinge, CategoricalHinge, CosineSimilarity,
    BinaryFocalCrossentropy, CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, Dice,
    Tversky, Circle)}
# by numbers
LABELLED = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy", "Circle")
ABBREVIATIONS = {"bce": "BinaryCrossentropy", "kld": "KLDivergence", "mae": "MeanAbsoluteError",
                 "mse": "MeanSquaredError", "mape": "MeanAbsolutePercentageError",
                 "msle": "MeanSquaredLogarithmicError"}


def exact_loss(loss: str | Config, y: np.ndarray, output: Bounded, fused: bool, dtype: DTypeLike,
               sample_weight: np.ndarray | None = None, steps: np.ndarray | None = None
               ) -> tuple[Bounded, Bounded]:
    """(a batch's loss, its gradient with respect to output), as `Bounded`.

    Args:
        loss: Keras's name for it or its dictionary, as a compile config has it.
        y: the batch's labels or targets.
        output: what the loss is computed from: the network's output, or the last activation's
            input if fused.
        fused: whether the loss is computed from such logits.
        dtype: the audited precision.
        sample_weight: one for each sample, or as Keras stretches it to the losses.
        steps: boolean, of the losses' shape: which of them a mask leaves; None for all.

    Raises:
        ValueError: for a loss that has no oracle.
    """
    name, config = named(loss)
    return LOSSES[name](config, dtype)(y, output, fused, sample_weight, steps)


def loss_terms(loss: str | Config, output_shape: tuple[int, ...]) -> tuple[int, int]:
    """How many terms the loss adds up, and how many each element of its gradient."""
    name, _ = named(loss)
    over_classes = "Categorical" in name or name == "CosineSimilarity"
    in_sum = math.prod(output_shape)
    return in_sum, in_sum if issubclass(LOSSES[name], (Overlap, Circle)) else \
        output_shape[-1] if over_classes else 1


def named(loss: str | Config) -> tuple[str, Config]:
    """(name in LOSSES, config) of a loss given by name or dictionary.

    Raises:
        ValueError: for a loss that has no oracle.
    """
    name: object = loss
    config: Config = {}
    if isinstance(loss, dict):
        name, given = loss.get("class_name"), loss.get("config") or {}
        if name == "function":
            name = given
        else:
            config = given
    found = ABBREVIATIONS.get(str(name).lower())
    plain = str(name).replace("_", "").lower()
    found = found or next((known for known in LOSSES if known.lower() == plain), None)
    if found is None:
        raise ValueError(f"Expected a loss whose formula is known: {', '.join(LOSSES)}. "
                         f"Received: {name}")
    return found, config
