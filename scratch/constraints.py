"""What holds weights in bounds: functions that a step applies to them after the optimizer's rule.

Formulas are those of `keras.constraints`, of which each is applied once to a weight as a whole.
"""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.suggestions import with_suggestions

EPSILON = 1e-7  # keras.config.epsilon(), added to every norm that is divided by


class Constraint:
    """Base of the constraints: called with a weight, it returns what takes the weight's place."""

    def __call__(self, weight: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def get_config(self) -> dict:
        return {}


class NonNeg(Constraint):
    """max(w, 0)."""

    def __call__(self, weight):
        return np.maximum(weight, 0)


class OfNorms(Constraint):
    """Base: the norms of w along some axes become others.

    Args:
        axis: one or several, along which the squares are added up: 0 for the inputs of a dense
            layer's units, [0, 1, 2] for a convolution's filters.
    """

    @with_suggestions
    def __init__(self, axis=0):
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def __call__(self, weight):
        axes = tuple(self.axis) if isinstance(self.axis, list) else self.axis
        norms = np.sqrt(np.sum(np.square(weight), axis=axes, keepdims=True))
        return self.scaled(weight, norms, weight.dtype.type(EPSILON) + norms)

    def scaled(self, weight: np.ndarray, norms: np.ndarray, divisor: np.ndarray) -> np.ndarray:
        """The weight with other norms, given its own, and those plus 1e-7."""
        raise NotImplementedError


class MaxNorm(OfNorms):
    """w min(norm, max_value) / (norm + 1e-7).

    Args:
        max_value: the largest norm.
        axis: see `OfNorms`.
    """

    @with_suggestions
    def __init__(self, max_value=2, axis=0):
        super().__init__(axis)
        self.max_value = max_value

    def scaled(self, weight, norms, divisor):
        return weight * (np.clip(norms, 0, self.max_value) / divisor)

    def get_config(self):
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(OfNorms):
    """w / (norm + 1e-7)."""

    def scaled(self, weight, norms, divisor):
        return weight / divisor

    def get_config(self):
        return {"axis": self.axis}


class MinMaxNorm(OfNorms):
    """w d / (norm + 1e-7), d = rate clip(norm, min_value, max_value) + (1 - rate) norm.

    Args:
        min_value, max_value: the smallest and the largest norm.
        rate: how much of the way there a step goes.
        axis: see `OfNorms`.
    """

    @with_suggestions
    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        super().__init__(axis)
        self.min_value, self.max_value, self.rate = min_value, max_value, rate

    def scaled(self, weight, norms, divisor):
        desired = self.rate * np.clip(norms, self.min_value, self.max_value) \
            + (1 - self.rate) * norms
        return weight * (desired / divisor)

    def get_config(self):
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate,
                "axis": self.axis}


CLASSES = {cls.__name__: cls for cls in (MaxNorm, NonNeg, UnitNorm, MinMaxNorm)}
ALIASES = {"max_norm": "MaxNorm", "maxnorm": "MaxNorm", "non_neg": "NonNeg", "nonneg": "NonNeg",
           "unit_norm": "UnitNorm", "unitnorm": "UnitNorm", "min_max_norm": "MinMaxNorm",
           "minmaxnorm": "MinMaxNorm"}


def get(identifier) -> Constraint | None:
    """A constraint from an object, Keras's name for it, a Keras config, or None for none.

    Raises:
        UnsupportedError: for any other, by its name.
    """
    if identifier is None or isinstance(identifier, Constraint):
        return identifier
    name = identifier
    config: dict = {}
    if isinstance(identifier, dict):
        name, config = identifier.get("class_name"), identifier.get("config") or {}
    name = ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(name, str) or name not in CLASSES:
        raise UnsupportedError(f"Constraint {identifier!r:.200} is not supported. "
                               f"Expected one of: {', '.join(CLASSES)}.")
    try:
        made: Constraint = CLASSES[name](**config)
    except TypeError:
        raise UnsupportedError(f"Constraint {name} does not support these settings: "
                               f"{config!r:.200}.") from None
    return made


def serialize(constraint: Constraint | None) -> dict | None:
    """The dictionary by which Keras knows this constraint; None for none."""
    if constraint is None:
        return None
    return {"module": "keras.constraints", "class_name": type(constraint).__name__,
            "config": constraint.get_config(), "registered_name": None}


def apply(layers) -> None:
    """Put each weight of the layers that is trained and has a constraint in its bounds."""
    for layer in layers:
        for name, weight in layer.trainable_params.items():
            if layer.constraints.get(name) is not None:
                weight[...] = layer.constraints[name](weight)
