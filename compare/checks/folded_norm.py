"""A normalization with fixed statistics that was folded into the layer before it.

Converters do so: in place of gamma (W x + b - mean) / sqrt(variance + epsilon) + beta they compute
W' x + b' with W' = s W, b' = s (b - mean) + beta, s = gamma / sqrt(variance + epsilon), all in the
file's precision. That rounds otherwise than the two layers do one after the other.
"""

import numpy as np

from compare.oracle.expected import oracle_of
from compare.oracle.running_error import Bounded
from compare.tracing.trace import Trace

ROUNDINGS = 12  # of s at most 7, of s W one, of the sum and the bias the rest


def widened(reference: Trace, i: int, right: Bounded, read: Bounded) -> Bounded:
    """What a normalization gives, with the bound of both ways to compute it.

    With n terms in each sum, s off by at most gamma_7 (a sum, a root and its reciprocal of two
    units each, a product) and s W by gamma_8, the folded way is off by at most
    gamma_(n + 12) (|s| (sum |W||x| + |b| + |mean|) + |beta|): Higham, *Accuracy and Stability of
    Numerical Algorithms*, ch. 3. That is added to what the two layers one after the other may be
    off by.

    Args:
        i: the normalization's position; the layer before it has no array.
        right: its output, by the two layers one after the other.
        read: what the layer before it reads.
    """
    before = reference.parts[reference.sources[i][0]]
    norm = reference.parts[i].weights
    mean, variance = (norm[name].astype(np.float64) for name in ("moving_mean", "moving_variance"))
    config = oracle_of(reference, reference.parts[i]).config
    gamma, beta = (np.abs(norm[name].astype(np.float64)) if name in norm else default
                   for name, default in (("gamma", 1.0), ("beta", 0.0)))
    scale = gamma / np.sqrt(variance + config["epsilon"])
    positive = {name: Bounded(np.abs(weight), right.rounding)
                for name, weight in before.weights.items()}
    sums = oracle_of(reference, before).forward(
        Bounded(np.abs(read.value) + read.bound, right.rounding), positive).value
    shape = [1] * sums.ndim
    shape[config.get("axis", -1)] = -1

    def along(array: np.ndarray | float) -> np.ndarray:
        return np.reshape(array, shape) if np.ndim(array) else np.asarray(array)

    terms = max((weight.size for weight in before.weights.values() if weight.ndim > 1), default=0)
    size = along(scale) * (sums + along(np.abs(mean))) + along(beta)
    return Bounded(right.value, right.rounding,
                   right.bound + right.rounding.gamma(terms + ROUNDINGS) * size)


def folds(reference: Trace, i: int) -> bool:
    """Whether this is a normalization that can have been folded into the layer before it."""
    sources = reference.sources[i]
    if reference.parts[i].class_name != "BatchNormalization" or len(sources) != 1 or sources[0] < 0:
        return False
    before = reference.parts[sources[0]]
    return before.part == "" and "moving_mean" not in before.weights and any(
        weight.ndim > 1 for weight in before.weights.values())
