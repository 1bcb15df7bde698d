"""Gradients of the weights of PReLU and of normalizations, taken at the wrong numbers; a gradient
of the input that is the one that came in."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.activations import PReLU
from compare.oracle.layers.normalization import Normalization
from compare.oracle.running_error import Bounded

SWAPPED = {"gamma_gradient": "beta_gradient", "beta_gradient": "gamma_gradient"}


def of_weight_gradients(c) -> list[Variant]:
    """Of those of PReLU's alpha, and of gamma and beta."""
    if isinstance(c.x, tuple):
        return []
    if isinstance(c.layer, PReLU):
        return of_alpha(c)
    return of_gamma(c) if isinstance(c.layer, Normalization) else []


def of_alpha(c) -> list[Variant]:
    """Of PReLU's slope, forward its sign."""
    if c.tensor == "output":
        return [inside("sign", "of alpha", lambda c: c.weighing(alpha=-c.weights["alpha"]))]
    if c.tensor != "alpha_gradient":
        return []

    def at(identifier, said, taken):
        return inside(identifier, said, lambda c: c.changed(own=lambda c: summed(c, taken(c))))

    return [at("mask-missing", "inputs above 0 count, too", lambda c: c.exact(c.x)),
            at("mask-inverted", "inputs above 0 count in place of those below",
               lambda c: c.exact(np.maximum(c.x, 0))),
            *[at("gradient-wrong-input", "the gradient that comes in, without the input",
                 lambda c, below=below: c.exact(np.where(below(c.x, 0), 1, 0)))
              for below in (np.less, np.less_equal)]]


def of_gamma(c) -> list[Variant]:
    """Of a normalization's scale and offset."""
    if c.tensor not in SWAPPED or not {"gamma", "beta"} <= set(c.weights):
        return []
    found = [inside("gamma-beta-swapped", "their gradients are", lambda c: c.changed(
        own=lambda c: c.changed(own=None, tensor=SWAPPED[c.tensor]).evaluate()))]
    if c.tensor == "gamma_gradient":
        for said, taken in (
                ("the layer's own output", lambda c: c.changed(own=None, tensor="output")
                 .evaluate()),
                ("the input before it is normalized", lambda c: c.exact(c.x))):
            found.append(inside("gradient-wrong-input", said, lambda c, taken=taken: c.changed(
                own=lambda c: summed(c, taken(c)))))
    return found


def summed(c, numbers: Bounded) -> Bounded:
    """dy times numbers, added up over the axes that the weight does not have."""
    weight = c.weights[c.tensor.removesuffix("_gradient")]
    product = c.exact(c.dy) * numbers
    if isinstance(c.layer, PReLU):
        shape = (1, *weight.shape)
    else:
        axis = c.config.get("axis", -1)
        kept = {a % np.ndim(c.x) for a in (axis if isinstance(axis, (list, tuple)) else [axis])}
        shape = tuple(n if i in kept else 1 for i, n in enumerate(np.shape(c.x)))
    axes = tuple(i for i, (n, m) in enumerate(zip(shape, np.shape(c.x))) if n < m)
    return product.sum(axis=axes, keepdims=True).reshape(*weight.shape)


def of_passing_on(c) -> list[Variant]:
    """The gradient that came in, handed on as that of the input."""
    if c.tensor != "input_gradient" or c.dy is None or np.shape(c.dy) != np.shape(c.x):
        return []
    return [inside("gradient-passed-on", "", lambda c: c.changed(own=lambda c: c.exact(c.dy)))]
