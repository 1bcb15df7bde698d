"""Penalties on weights and outputs, by Keras's names: L1, L2 and both together.

A regularizer gives a penalty, which is added to the loss, and the penalty's gradient, which is
added to the weight's. Where a training step does so is in `regularization.py`.
"""

import math
import numbers

import numpy as np

from scratch.errors import UnsupportedError
from scratch.suggestions import did_you_mean


class Regularizer:
    """l1 sum |x| + l2 sum x^2.

    The two factors are rounded to float32 even where x is float64, as Keras rounds them.
    """

    def __init__(self, l1: float, l2: float):
        self.l1, self.l2 = _factor(l1, "l1", self), _factor(l2, "l2", self)

    def penalty(self, array: np.ndarray):
        """The penalty, a scalar of the array's dtype."""
        total = array.dtype.type(0)
        if self.l1:
            total += _as(self.l1, array) * np.abs(array).sum()
        if self.l2:
            total += _as(self.l2, array) * np.square(array).sum()
        return total

    def gradient(self, array: np.ndarray) -> np.ndarray:
        """The penalty's gradient, of the array's shape and dtype; that of |x| at 0 is 0."""
        gradient = np.zeros_like(array)
        if self.l1:
            gradient += _as(self.l1, array) * np.sign(array)
        if self.l2:
            gradient += _as(self.l2, array) * (2 * array)
        return gradient

    def get_config(self) -> dict:
        raise NotImplementedError


class L1(Regularizer):
    """l1 sum |x|.

    Raises:
        ValueError: for a factor that is negative or no finite number.
    """

    def __init__(self, l1=0.01):
        super().__init__(0.01 if l1 is None else l1, 0.0)

    def get_config(self):
        return {"l1": float(np.float32(self.l1))}  # Keras keeps this one as a float32


class L2(Regularizer):
    """l2 sum x^2.

    Raises:
        ValueError: for a factor that is negative or no finite number.
    """

    def __init__(self, l2=0.01):
        super().__init__(0.0, 0.01 if l2 is None else l2)

    def get_config(self):
        return {"l2": self.l2}


class L1L2(Regularizer):
    """l1 sum |x| + l2 sum x^2, both factors 0 by default.

    Raises:
        ValueError: for a factor that is negative or no finite number.
    """

    def __init__(self, l1=0.0, l2=0.0):
        super().__init__(0.0 if l1 is None else l1, 0.0 if l2 is None else l2)

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


CLASSES = {cls.__name__: cls for cls in (L1, L2, L1L2)}
ALIASES = {name.lower(): name for name in CLASSES}
# Keras 3 describes this name but fails to find it; taken as described.
DESCRIBED = {"l1_l2": {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.01}}}


def get(identifier) -> Regularizer | None:
    """A regularizer from an object, a name ('l2', 'L2'), a Keras config, or None for none.

    Raises:
        UnsupportedError: for any other, by its name.
        ValueError: for factors that Keras would not accept either.
    """
    if identifier is None or isinstance(identifier, Regularizer):
        return identifier
    name = identifier
    config: dict = {}
    if isinstance(identifier, str) and identifier in DESCRIBED:
        identifier = DESCRIBED[identifier]
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in CLASSES:
        raise UnsupportedError(f"Regularizer {identifier!r} is not supported."
                               f"{did_you_mean(name, ALIASES)} "
                               f"Expected one of: {', '.join([*ALIASES, *DESCRIBED])}.")
    try:
        return CLASSES[name](**config)
    except TypeError:
        raise UnsupportedError(f"Regularizer {name} does not support these settings: {config!r}."
                               ) from None


def serialize(regularizer: Regularizer | None) -> dict | None:
    """The dictionary by which Keras knows this regularizer; None for none."""
    if regularizer is None:
        return None
    return {"module": "keras.regularizers", "class_name": type(regularizer).__name__,
            "config": regularizer.get_config(), "registered_name": None}


def _factor(value, name: str, owner) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) \
            or not math.isfinite(value) or value < 0:
        raise ValueError(f"Regularizer {type(owner).__name__}: expected {name} to be a finite "
                         f"number, not below 0. Received: {name}={value!r}")
    return float(value)


def _as(factor: float, array: np.ndarray):
    """The factor in the array's precision, by way of float32."""
    return array.dtype.type(np.float32(factor))
