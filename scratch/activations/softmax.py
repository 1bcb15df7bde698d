"""Softmax and its logarithm, along one axis or several."""

from functools import partial

import numpy as np

from scratch.activations.activation import Activation


def softmax(z: np.ndarray, axis=-1) -> np.ndarray:
    """exp(z) / sum exp(z) along `axis`; the maximum is subtracted first: exp cannot overflow."""
    # of a single row a ufunc's own reduction takes half as long as the method max() or sum():
    # (..., K) - (..., 1) -> (..., K)
    exponentials = np.exp(z - np.maximum.reduce(z, axis=axis, keepdims=True))
    # (..., K), summed along the axis to (..., 1), -> (..., K)
    exponentials /= np.add.reduce(exponentials, axis=axis, keepdims=True)
    return exponentials


def softmax_gradient(dy, z, y, axis=-1) -> np.ndarray:
    """The Jacobian diag(y) - y y^T applied to dy, without forming it."""
    # (..., K) * ((..., K) - (..., 1)) -> (..., K)
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


def log_softmax_function(z):
    # (..., K) - (..., 1) -> (..., K)
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_gradient(dy, z, y):
    # (..., K) - (..., K) * (..., 1) -> (..., K)
    return dy - np.exp(y) * dy.sum(axis=-1, keepdims=True)


def softmax_along(axis) -> Activation:
    """Softmax along an axis, or a tuple of axes."""
    return Activation(f"softmax along axis {axis}", partial(softmax, axis=axis),
                      partial(softmax_gradient, axis=axis))


softmax_activation = Activation("softmax", softmax, softmax_gradient)
log_softmax = Activation("log_softmax", log_softmax_function, log_softmax_gradient)
