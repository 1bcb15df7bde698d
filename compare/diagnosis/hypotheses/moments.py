"""Mistakes in a normalization's moments: taken along other axes, exchanged, around another mean."""

import itertools

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.running_error import Bounded


def of_other_moments(c, ran) -> list[Variant]:
    """For an output: other moments in place of the right ones.

    Args:
        ran: a function of a computation that gives its oracle after the forward pass.
    """
    if c.tensor != "output":
        return []
    found = []

    def own(identifier, detail, moments):
        found.append(inside(identifier, detail, lambda c: c.changed(
            own=lambda c: _normalized(c, ran(c.changed(own=None)), moments))))

    if {"gamma", "beta"} <= set(c.weights):
        found.append(inside("gamma-beta-swapped", "", lambda c: c.weighing(
            gamma=c.weights["beta"], beta=c.weights["gamma"])))
    found.append(inside("mean-missing", "", lambda c: c.changed(own=lambda c: _uncentred(
        c, ran(c.changed(own=None))))))
    if "gamma" in c.weights:
        found.append(inside("gamma-missing", "multiplied by 1 + gamma", lambda c: c.weighing(
            gamma=1 + np.asarray(c.weights["gamma"]))))
    by_batch = "moving_mean" not in c.weights or c.training
    if by_batch:
        rank = np.ndim(c.x)
        oracle = ran(c)
        right = tuple(i for i, n in enumerate(oracle.moments.variance.shape) if n == 1)
        for size in range(1, rank + 1):
            for axes in itertools.combinations(range(rank), size):
                if axes != right:
                    own("normalization-axes", f"moments along axes {axes} in place of {right}",
                        lambda x, weights, axes=axes: _moments(x, axes))
        own("moments-swapped", "the batch's", lambda x, weights, axes=right:
            _moments(x, axes)[::-1])
        if "moving_mean" in c.weights:
            own("moving-statistics", "the batch's variance is taken around the moving mean",
                lambda x, weights, axes=right: _around(x, axes, weights["moving_mean"]))
    else:
        found.append(inside("moments-swapped", "the moving averages", lambda c: c.weighing(
            moving_mean=c.weights["moving_variance"], moving_variance=c.weights["moving_mean"])))
    return found


def _mean(x: Bounded, axes) -> Bounded:
    count = float(np.prod([x.shape[axis] for axis in axes]))
    return x.sum(axis=axes, keepdims=True) / count


def _moments(x: Bounded, axes) -> tuple[Bounded, Bounded]:
    mean = _mean(x, axes)
    return mean, _mean((x - mean) * (x - mean), axes)


def _around(x: Bounded, axes, centre: np.ndarray) -> tuple[Bounded, Bounded]:
    """The right mean, and the mean square of what lies apart from another one."""
    mean = _mean(x, axes)
    apart = x - Bounded(np.reshape(centre, mean.shape), x.rounding)
    return mean, _mean(apart * apart, axes)


def _uncentred(c, oracle) -> Bounded:
    """x / sqrt(variance + epsilon) * gamma + beta."""
    right = c.changed(own=None).evaluate()
    gamma = oracle._weight("gamma").value if "gamma" in c.weights else 1.0
    more = oracle.moments.mean.value * oracle.inverse.value * gamma
    value = oracle.arranged(right.value) + more
    size = np.abs(oracle.arranged(np.asarray(c.x, np.float64)) * oracle.inverse.value * gamma)
    bound = oracle.arranged(right.bound) + right.rounding.gamma(8) * (np.abs(more) + size)
    return Bounded(value, right.rounding, np.broadcast_to(bound, value.shape)).reshape(right.shape)


def _normalized(c, oracle, moments) -> Bounded:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta."""
    x = c.exact(c.x)
    mean, variance = moments(x, c.weights)
    epsilon = c.config["epsilon"]
    held = Bounded(epsilon, x.rounding, x.rounding.unit * epsilon)
    y = (x - mean) / (variance + held).sqrt()
    if "gamma" in c.weights:
        y = y * oracle._weight("gamma")
    return y + oracle._weight("beta") if "beta" in c.weights else y
