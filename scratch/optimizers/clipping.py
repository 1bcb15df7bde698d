"""Gradients cut down to a largest norm, each by itself or all of them together.

Formulas and their order are those of `tf.clip_by_norm` and of Keras's `clip_by_global_norm`.
"""

import numpy as np


def by_norm(gradient: np.ndarray, limit: float, out: np.ndarray) -> None:
    """Put g * limit / max(norm, limit), of a 2-norm of at most `limit`, into `out`."""
    norm = np.sqrt(np.sum(gradient * gradient))
    np.multiply(gradient, limit, out=out)
    out /= np.maximum(norm, gradient.dtype.type(limit))


def global_scale(gradients: list, limit: float) -> np.floating:
    """What all gradients are multiplied by, so that their joint 2-norm is at most `limit`.

    NaN for a norm that is not finite.
    """
    dtype = gradients[0].dtype
    squares = [np.sum(np.square(gradient)) for gradient in gradients]
    norm = np.sqrt(np.sum(np.asarray(squares, dtype)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return limit * np.minimum(1 / norm, dtype.type(1 / limit)) + (norm - norm)
