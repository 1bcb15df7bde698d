"""Losses by Keras's names for them, and as Keras's dictionaries."""

from scratch.errors import UnsupportedError
from scratch.losses.base import Loss
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
from scratch.losses.of_classes import CategoricalGeneralizedCrossEntropy, CategoricalHinge
from scratch.losses.overlap import Dice, Tversky
from scratch.losses.similarity import CosineSimilarity
from scratch.suggestions import did_you_mean

CLASSES = {cls.__name__: cls for cls in (
    SparseCategoricalCrossentropy, CategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Huber, LogCosh,
    KLDivergence, Poisson, Hinge, SquaredHinge, CategoricalHinge, CosineSimilarity,
    BinaryFocalCrossentropy, CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, Dice,
    Tversky, Circle)}

# Keras's functions, by whose names it finds the losses too, but for one; Huber's is not the name of
# its object.
FUNCTIONS = {"huber" if name == "Huber" else cls.default_name: name
             for name, cls in CLASSES.items() if name != "CategoricalGeneralizedCrossEntropy"}
ABBREVIATIONS = {"bce": "BinaryCrossentropy", "kld": "KLDivergence", "mae": "MeanAbsoluteError",
                 "mse": "MeanSquaredError", "mape": "MeanAbsolutePercentageError",
                 "msle": "MeanSquaredLogarithmicError"}
ALIASES = {**FUNCTIONS, **ABBREVIATIONS,
           **{short.upper(): name for short, name in ABBREVIATIONS.items()}}

# What comes nearest to those that are left out.
NEAREST = {"ctc": "Where each place of a sequence has a label of its own, take "
                  "sparse_categorical_crossentropy over (batch, places, classes); layers can be "
                  "checked without a loss. "}


def get(identifier) -> Loss:
    """A loss from an object, Keras's name for it, or a Keras config.

    Raises:
        UnsupportedError: for any other.
    """
    if isinstance(identifier, Loss):
        return identifier
    name = identifier
    config: dict = {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
        if name == "function":  # how Keras writes a loss given as a function
            name, config = identifier["config"], {}
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in CLASSES:
        way = NEAREST.get(name.lower(), "") if isinstance(name, str) else ""
        raise UnsupportedError(f"Loss {name!r} is not supported.{did_you_mean(name, FUNCTIONS)} "
                               f"{way}Expected one of: {', '.join(FUNCTIONS)}.")
    return CLASSES[name].from_config(config)


def serialize(loss: Loss) -> dict:
    """The dictionary by which Keras knows this loss."""
    return {"module": "keras.losses", "class_name": type(loss).__name__,
            "config": loss.get_config(), "registered_name": None}
