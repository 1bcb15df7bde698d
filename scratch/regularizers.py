"""Penalties on weights and outputs, by Keras's names: L1, L2, both together, orthogonality.

A regularizer gives a penalty, which is added to the loss, and the penalty's gradient, which is
added to the weight's. Where a training step does so is in `regularization.py`.
"""

import math
import numbers

import numpy as np

from scratch.errors import UnsupportedError
from scratch.suggestions import did_you_mean, with_suggestions

SHORTEST = 1e-7  # what a vector is divided by at least


class Regularizer:
    """l1 sum |x| + l2 sum x^2.

    The two factors are rounded to float32 even where x is float64, as Keras rounds them.
    """

    needs_matrix = False  # whether it is one of whole matrices

    @with_suggestions
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

    @with_suggestions
    def __init__(self, l1=0.01):
        super().__init__(0.01 if l1 is None else l1, 0.0)

    def get_config(self):
        return {"l1": float(np.float32(self.l1))}  # Keras keeps this one as a float32


class L2(Regularizer):
    """l2 sum x^2.

    Raises:
        ValueError: for a factor that is negative or no finite number.
    """

    @with_suggestions
    def __init__(self, l2=0.01):
        super().__init__(0.0, 0.01 if l2 is None else l2)

    def get_config(self):
        return {"l2": self.l2}


class L1L2(Regularizer):
    """l1 sum |x| + l2 sum x^2, both factors 0 by default.

    Raises:
        ValueError: for a factor that is negative or no finite number.
    """

    @with_suggestions
    def __init__(self, l1=0.0, l2=0.0):
        super().__init__(0.0 if l1 is None else l1, 0.0 if l2 is None else l2)

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """factor times the mean of |cosine| over all pairs of rows, or of columns, of a matrix.

    Each is first divided by its length, or by 1e-7 if that is more.

    Args:
        factor: not below 0.
        mode: 'rows' or 'columns'.

    Raises:
        ValueError: for another factor or mode, and for a weight that is no matrix.
    """

    needs_matrix = True

    @with_suggestions
    def __init__(self, factor=0.01, mode="rows"):
        super().__init__(0.0, 0.0)
        self.factor = _factor(factor, "factor", self)
        if mode not in ("rows", "columns"):
            raise ValueError("Regularizer OrthogonalRegularizer: expected mode to be 'rows' or "
                             f"'columns'. Received: mode={mode!r}")
        self.mode = mode

    def penalty(self, array):
        _, _, cosines = self._cosines(array)
        return self._share(array) * np.abs(cosines).sum()

    def gradient(self, array):
        # of the penalty by the unit vectors: each cosine is there twice, and holds two of them
        units, inverse, cosines = self._cosines(array)
        by_units = 2 * self._share(array) * (np.sign(cosines) @ units)
        # what goes along a vector changes its length alone
        along = (by_units * units).sum(axis=1, keepdims=True) * (
            inverse < array.dtype.type(1 / SHORTEST))
        found = inverse * (by_units - units * along)
        return found if self.mode == "rows" else found.T

    def _cosines(self, array: np.ndarray):
        """(unit vectors as rows, what each was multiplied by, their cosines, 0 with themselves)."""
        if array.ndim != 2:
            raise ValueError("Regularizer OrthogonalRegularizer: expected a weight with two axes. "
                             f"Received: one of shape {array.shape}")
        rows = array if self.mode == "rows" else array.T
        with np.errstate(divide="ignore"):
            inverse = np.minimum(1 / np.sqrt(np.square(rows).sum(axis=1, keepdims=True)),
                                 array.dtype.type(1 / SHORTEST))
        units = rows * inverse
        cosines = units @ units.T
        np.fill_diagonal(cosines, 0)
        return units, inverse, cosines

    def _share(self, array: np.ndarray):
        """What each of all n (n - 1) cosines counts for."""
        size = array.shape[0 if self.mode == "rows" else 1]
        with np.errstate(divide="ignore", invalid="ignore"):  # as in Keras, one alone is NaN
            return array.dtype.type(np.divide(self.factor, size * (size - 1)))

    def get_config(self):
        return {"factor": self.factor, "mode": self.mode}


CLASSES = {cls.__name__: cls for cls in (L1, L2, L1L2, OrthogonalRegularizer)}
ALIASES = {"l1": "L1", "l2": "L2", "l1l2": "L1L2",
           "orthogonal_regularizer": "OrthogonalRegularizer"}
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
