"""Activations as pairs: the function, and the gradient it passes back.

Each is written once, as `function(z) -> y` and `gradient(dy, z, y) -> dz`, both of z's shape and
dtype. At kinks the gradients are the ones Keras gives: relu passes nothing back at 0.
"""

from typing import Callable, NamedTuple

import numpy as np

from scratch.errors import UnsupportedError


class Activation(NamedTuple):
    """`name` as Keras spells it; `function(z)`; `gradient(dy, z, y)` with y = function(z)."""

    name: str
    function: Callable
    gradient: Callable


def softmax(z: np.ndarray, axis=-1) -> np.ndarray:
    """exp(z) / sum exp(z) along `axis`; the maximum is subtracted first: exp cannot overflow."""
    exponentials = np.exp(z - z.max(axis=axis, keepdims=True))
    exponentials /= exponentials.sum(axis=axis, keepdims=True)
    return exponentials


def softmax_gradient(dy, z, y, axis=-1) -> np.ndarray:
    """The Jacobian diag(y) - y y^T applied to dy, without forming it."""
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


linear = Activation("linear", lambda z: z, lambda dy, z, y: dy)
relu = Activation("relu", lambda z: np.maximum(z, 0), lambda dy, z, y: dy * (z > 0))
softmax_activation = Activation("softmax", softmax, softmax_gradient)

ACTIVATIONS = {a.name: a for a in (linear, relu, softmax_activation)}


def get(identifier) -> Activation:
    """An activation from its name, an `Activation`, or None for 'linear'.

    Raises:
        UnsupportedError: for anything else, a nested layer configuration included.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Activation):
        return identifier
    if isinstance(identifier, str) and identifier in ACTIVATIONS:
        return ACTIVATIONS[identifier]
    raise UnsupportedError(
        f"Activation {identifier!r} is not supported. Expected one of: {', '.join(ACTIVATIONS)}."
    )
