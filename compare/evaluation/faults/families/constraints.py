"""Faults of what holds weights in bounds after a step: MaxNorm, NonNeg, UnitNorm, MinMaxNorm."""

from dataclasses import replace

import numpy as np

from compare.evaluation.faults.families.making import At, single
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import patched
from compare.evaluation.faults.networks import around


def held(name: str, layer: str = "Dense", **config):
    size = {"units": 3} if layer == "Dense" else {"filters": 3, "kernel_size": (2, 3)}
    return around(layer, kernel_constraint={
        "module": "keras.constraints", "class_name": name, "config": config,
        "registered_name": None}, **size)


MAX = held("MaxNorm", max_value=0.4, axis=0)
MAX_OF_FILTERS = held("MaxNorm", "Conv2D", max_value=0.4, axis=[0, 1, 2])
NON_NEGATIVE = held("NonNeg")
UNIT = held("UnitNorm", axis=0)
MIN_MAX = held("MinMaxNorm", min_value=0.5, max_value=0.8, rate=0.3, axis=0)


def calling(change):
    """The constraint makes change(weight) of a weight."""
    return patching(__call__=lambda self, right, weight: np.asarray(change(weight), weight.dtype))


def patching(**methods):
    return lambda layer: patched(layer.constraints["kernel"], **methods)


def setting(name: str, value):
    """The constraint runs with another number."""
    def call(self, right, weight):
        kept = getattr(self, name)
        setattr(self, name, value)
        try:
            return right(weight)
        finally:
            setattr(self, name, kept)

    return patching(__call__=call)


def by(norm):
    """Norms are norm(weight) along the first axis."""
    def scaled(self, right, weight, norms, divisor):
        other = norm(weight).astype(weight.dtype)
        return right(weight, other, other + weight.dtype.type(1e-7))

    return patching(scaled=scaled)


def to_the_limit(self, right, weight, norms, divisor):
    """Every norm becomes the largest one."""
    return weight * (weight.dtype.type(self.max_value) / divisor)


# identifier, sentence, network, layer, injection
TABLE = [
    ("max-norm-missing", "nothing is done after the step", MAX, "dense",
     calling(lambda w: w)),
    ("max-norm-whole", "the norm is that of the whole kernel", MAX, "dense",
     setting("axis", [0, 1])),
    ("max-norm-axis", "the norms are those of the inputs, not of the units", MAX, "dense",
     setting("axis", 1)),
    ("max-norm-each", "each number is clipped by itself", MAX, "dense",
     calling(lambda w: np.clip(w, -0.4, 0.4))),
    ("max-norm-always", "shorter kernels are made longer, too", MAX, "dense",
     patching(scaled=to_the_limit)),
    ("max-norm-squared", "the root of the norm is forgotten", MAX, "dense",
     by(lambda w: np.square(w).sum(axis=0, keepdims=True))),
    ("max-norm-of-rows", "a filter's norm is along its rows alone", MAX_OF_FILTERS, "conv2d",
     setting("axis", 0)),
    ("non-neg-missing", "negative weights stay", NON_NEGATIVE, "dense",
     calling(lambda w: w)),
    ("non-neg-absolute", "weights become their absolute values", NON_NEGATIVE, "dense",
     calling(np.abs)),
    ("non-neg-epsilon", "negative weights become 1e-7", NON_NEGATIVE, "dense",
     calling(lambda w: np.maximum(w, 1e-7))),
    ("non-neg-non-pos", "positive weights become 0", NON_NEGATIVE, "dense",
     calling(lambda w: np.minimum(w, 0))),
    ("unit-norm-missing", "norms stay what they are", UNIT, "dense",
     calling(lambda w: w)),
    ("unit-norm-axis", "the norms are those of the inputs, not of the units", UNIT, "dense",
     setting("axis", 1)),
    ("unit-norm-of-sums", "sums of absolute values become 1", UNIT, "dense",
     by(lambda w: np.abs(w).sum(axis=0, keepdims=True))),
    ("unit-norm-whole", "the norm is that of the whole kernel", UNIT, "dense",
     setting("axis", [0, 1])),
    ("min-max-norm-rate", "rate is ignored", MIN_MAX, "dense", setting("rate", 1.0)),
    ("min-max-norm-rate-of-old", "rate counts for the old norm", MIN_MAX, "dense",
     setting("rate", 0.7)),
    ("min-max-norm-no-least", "there is no least norm", MIN_MAX, "dense",
     setting("min_value", 0.0)),
    ("min-max-norm-axis", "the norms are those of the inputs, not of the units", MIN_MAX, "dense",
     setting("axis", 1)),
]


def faults():
    """All of them."""
    for name, sentence, network, layer, inject in TABLE:
        made = single("Constraints", f"constraint-{name}", sentence, network, OPTIMIZER, "kernel",
                      "constraint", inject, (), "update")
        yield replace(made, inject=At(layer, inject))
