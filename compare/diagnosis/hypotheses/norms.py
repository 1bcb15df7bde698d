"""Mistakes of layers that divide by a root of squares, or by a length."""

import numpy as np

from compare.diagnosis.hypotheses.given_numbers import instead
from compare.diagnosis.hypotheses.normalization import EPSILONS, of_axes
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.dot import Dot
from compare.oracle.layers.root_mean_square import (
    RMSNormalization,
    UnitNormalization,
    axes_of,
)
from compare.oracle.running_error import Bounded

OTHER = "norm-other"


def of_norms(c) -> list[Variant]:
    """Another norm or none, other axes, another epsilon, or a norm held constant on the way back.
    """
    if isinstance(c.layer, Dot):
        normalized = not c.config.get("normalize")
        return [inside(OTHER, "all vectors are made one long" if normalized
                       else "the vectors are not made one long",
                       lambda c: c.configured(normalize=normalized))]
    if not isinstance(c.layer, (RMSNormalization, UnitNormalization)):
        return []
    own = c.config.get("epsilon")
    found = [inside("epsilon", f"{e:g} in place of {own:g}", lambda c, e=e: c.configured(epsilon=e))
             for e in EPSILONS if own not in (None, e)]
    if own is not None:
        found.append(inside("epsilon", "added outside the square root",
                            lambda c: c.changed(own=lambda c: _divided(c, _outside))))
        found.append(inside("gamma-missing", "", lambda c: c.weighing(
            scale=np.ones_like(c.weights["scale"]))))
    if c.tensor == "output":
        found += [inside(OTHER, said, lambda c, norm=norm: c.changed(
            own=lambda c: _divided(c, norm))) for said, norm in NORMS.items()]
        found.append(inside(OTHER, "the mean is taken away before",
                            lambda c: c.changed(own=lambda c: _divided(c, _deviation, True))))
    if c.tensor == "input_gradient":
        found.append(inside(OTHER, "on the way back it is held constant",
                            lambda c: c.changed(own=_constant)))
    return found + of_axes(c)


def _mean_square(x, axes, epsilon):
    return np.sqrt(np.square(x).mean(axis=axes, keepdims=True) + epsilon)


def _deviation(x, axes, epsilon):
    return np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


def _outside(x, axes, epsilon):
    return np.sqrt(np.square(x).mean(axis=axes, keepdims=True)) + epsilon


NORMS = {
    "the root of the sum of squares": lambda x, axes, epsilon: np.sqrt(
        np.square(x).sum(axis=axes, keepdims=True) + epsilon),
    "the root of the mean of squares": _mean_square,
    "the sum of squares": lambda x, axes, epsilon: np.square(x).sum(axis=axes, keepdims=True),
    "the mean of squares": lambda x, axes, epsilon: np.square(x).mean(axis=axes, keepdims=True),
    "the sum of absolute values": lambda x, axes, epsilon: np.abs(x).sum(axis=axes, keepdims=True),
    "the largest absolute value": lambda x, axes, epsilon: np.abs(x).max(axis=axes, keepdims=True),
}


def _divided(c, norm, centred: bool = False) -> Bounded:
    if c.tensor != "output":
        raise ValueError("Expected an output. Received: a gradient")
    x = np.asarray(c.x, np.float64)
    axes = axes_of(c.config.get("axis", -1), x.ndim)
    by = norm(x, axes, c.config.get("epsilon", 0.0))
    x = x - x.mean(axis=axes, keepdims=True) if centred else x
    if not by.all():
        raise ValueError("Expected numbers other than zeros. Received: zeros")
    return instead(c, x / by * c.weights.get("scale", 1.0))


def _constant(c) -> Bounded:
    x = np.asarray(c.x, np.float64)
    axes = axes_of(c.config.get("axis", -1), x.ndim)
    if "scale" in c.weights:
        by = _mean_square(x, axes, c.config["epsilon"])
    else:
        by = np.sqrt(np.square(x).sum(axis=axes, keepdims=True))
    return instead(c, c.dy * c.weights.get("scale", 1.0) / by)
