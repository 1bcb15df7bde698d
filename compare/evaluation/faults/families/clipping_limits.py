"""Faults of gradient clipping, many of them on the side of a limit that a batch does not reach."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import trained_by
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import patching

FAR, NEAR = 100.0, 0.01  # what no gradient of these networks reaches, and what every one does
NORM = trained_by("SGD", clipnorm=NEAR)
NORM_FAR = trained_by("SGD", clipnorm=FAR)
VALUE = trained_by("SGD", clipvalue=NEAR)
VALUE_FAR = trained_by("SGD", clipvalue=FAR)
GLOBAL = trained_by("SGD", global_clipnorm=NEAR)
GLOBAL_FAR = trained_by("SGD", global_clipnorm=FAR)
MOMENTUM = trained_by("SGD", clipnorm=NEAR, momentum=0.9)


def norm(g):
    return np.sqrt(np.sum(np.square(g)))


def each(clip):
    """Each gradient g becomes clip(g, the limit)."""
    def clipped(self, right, given):
        limit = self.clipnorm or self.clipvalue or self.global_clipnorm
        return [np.asarray(clip(g, limit), g.dtype) for g in given]

    return patching(_clipped=clipped)


def never(self, right, given):
    return given


def mean_of_squares(self, right, given):
    """The root of the mean in place of the root of the sum."""
    total = sum(g.size for g in given)
    length = np.sqrt(sum(np.sum(np.square(g)) for g in given) / total)
    return [np.asarray(g * min(1, self.global_clipnorm / length), g.dtype) for g in given]


def each_first(self, right, given):
    """Each by itself, then all of them together."""
    limit = self.global_clipnorm
    return right([np.asarray(g * min(1, limit / norm(g)), g.dtype) for g in given])


def guarded(self, right, given):
    """As PyTorch's clip_grad_norm_: limit / (norm + 1e-6)."""
    length = np.sqrt(sum(np.sum(np.square(g)) for g in given))
    factor = min(1, self.global_clipnorm / (length + 1e-6))
    return [np.asarray(g * factor, g.dtype) for g in given]


def of_velocity(self, right, gradient, variable, rate, position):
    """The gradient is taken as it comes, and the step is clipped."""
    before = variable.copy()
    right(gradient, variable, rate, position)
    step = variable - before
    variable[...] = before + step * variable.dtype.type(min(1, self.clipnorm / norm(step)))


def by_unit(g, limit):
    """The norm of each unit's weights, not of all of them."""
    lengths = np.sqrt(np.sum(np.square(g), axis=0, keepdims=True))
    return g * np.minimum(1, limit / lengths)


# identifier, sentence, network, injection, causes that are the same
TABLE = [
    ("norm-never", "no norm is ever limited", NORM_FAR, patching(_clipped=never)),
    ("norm-always", "gradients are stretched to the limit when they are shorter", NORM_FAR,
     each(lambda g, limit: g * (limit / norm(g))), ("scale",)),
    ("norm-squared", "the squared norm is held against the limit", NORM_FAR,
     each(lambda g, limit: g * min(1, limit / np.sum(np.square(g))))),
    ("norm-of-zero", "a gradient of zeros is divided by its norm", NORM_FAR,
     each(lambda g, limit: g / norm(g) * min(norm(g), limit)), ("nan",)),
    ("norm-by-unit", "each unit's weights are clipped by themselves", NORM, each(by_unit)),
    ("norm-as-value", "each entry is cut at the limit of the norm", NORM,
     each(lambda g, limit: np.clip(g, -limit, limit))),
    ("value-never", "no entry is ever limited", VALUE_FAR, patching(_clipped=never)),
    ("value-upper-side", "entries are limited above, not below", VALUE,
     each(lambda g, limit: np.minimum(g, limit))),
    ("value-upper-side-far", "entries are limited above alone, by a limit that none reaches",
     VALUE_FAR, each(lambda g, limit: np.minimum(g, limit))),
    ("value-as-norm", "the norm is limited where each entry should be", VALUE,
     each(lambda g, limit: g * min(1, limit / norm(g))), ("scale",)),
    ("global-never", "the norm of all is never limited", GLOBAL_FAR, patching(_clipped=never)),
    ("global-mean", "the root of the mean square is limited, not of the sum", GLOBAL,
     patching(_clipped=mean_of_squares), ("scale",)),
    ("global-twice", "each gradient is clipped by itself before all of them are", GLOBAL,
     patching(_clipped=each_first), ("scale",)),
    ("global-guarded", "one part in a million is added to the norm, as another library does",
     GLOBAL, patching(_clipped=guarded), ("scale",)),
    ("of-the-step", "the step is clipped, not the gradient", MOMENTUM,
     lambda optimizer: patching(_clipped=never, update_step=of_velocity)(optimizer)),
]


def faults():
    """All of them."""
    for name, sentence, network, inject, *also in TABLE:
        yield single("Clipping limits", f"clip-{name}", sentence, network, OPTIMIZER, "",
                     "clipping", inject, *(also or [()]), "update", steps=5)
