"""Mistakes in normalization: epsilon, moments, moving averages, gamma, what is held constant."""

import numpy as np

from compare.diagnosis.hypotheses.moments import of_other_moments
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    Normalization,
)
from compare.oracle.running_error import Bounded

EPSILONS = (0.0, 1e-3, 1e-5, 1e-7, 1e-8, 1e-6, 1e-4, 1e-2, 1e-12, 1e-1, 1e-10)


def of_normalization(c) -> list[Variant]:
    """Everything about batch, group and layer normalization."""
    if not isinstance(c.layer, Normalization) or isinstance(c.x, tuple):  # masks.py has its own
        return []
    if c.tensor.endswith("_updated"):
        return of_moving_averages(c)
    found = of_epsilon(c)
    if "gamma" in c.weights:
        ones = np.ones_like(c.weights["gamma"])
        found.append(inside("gamma-missing", "", lambda c: c.weighing(gamma=ones)))
    found += of_moments(c) + of_other_moments(c, _ran)
    axis = c.config.get("axis", -1)
    if isinstance(c.layer, LayerNormalization) and isinstance(axis, (int, list, tuple)):
        found += of_axes(c)
    if isinstance(c.layer, GroupNormalization):
        found += of_groups(c)
    return found


def of_epsilon(c) -> list[Variant]:
    found = [inside("epsilon", f"{e:g} in place of {c.config['epsilon']:g}",
                    lambda c, e=e: c.configured(epsilon=e))
             for e in EPSILONS if e != c.config["epsilon"]]
    found.append(inside("epsilon", "added outside the square root",
                        lambda c: c.changed(own=lambda c: rewritten(c, outside=True))))
    found.append(inside("epsilon", "squared",
                        lambda c: c.configured(epsilon=c.config["epsilon"] ** 2)))
    found.append(Variant("epsilon", lambda steps: f"{_epsilon(*steps[0]):.6g} in place of "
                         f"{c.config['epsilon']:g}",
                         lambda c, made: c.configured(epsilon=_epsilon(c, made))))
    return found


def _epsilon(c, made) -> float:
    """The epsilon that was used, from how much smaller or larger the output's spread is."""
    if c.tensor != "output":
        raise ValueError("Expected an output. Received: a gradient")
    oracle = _ran(c)
    beta = oracle._weight("beta").value if "beta" in c.weights else 0.0
    gamma = oracle._weight("gamma").value if "gamma" in c.weights else 1.0
    made = oracle.arranged(made)
    centred = (oracle.arranged(c.x) - oracle.moments.mean.value) * gamma
    ratio = ((made - beta) * centred).sum() / (centred * centred).sum()
    variance = oracle.moments.variance.value
    if variance.size != 1:  # by the channel that varies least, where epsilon shows most
        axes = tuple(i for i, n in enumerate(variance.shape) if n == 1)
        ratios = (((made - beta) * centred).sum(axis=axes, keepdims=True)
                  / (centred * centred).sum(axis=axes, keepdims=True))
        at = np.unravel_index(np.argmin(variance), variance.shape)
        ratio, variance = ratios[at], variance[at]
    found = float(1 / ratio ** 2 - variance)
    if not found > 0:
        raise ValueError(f"Expected an epsilon above 0. Received: {found}")
    return found


def _ran(c):
    """The oracle after its forward pass."""
    oracle = c.oracle()
    oracle.forward(c.exact(c.x), {name: c.exact(w) for name, w in c.weights.items()})
    return oracle


def rewritten(c, outside=False, unbiased=False, no_root=False, variance=None) -> Bounded:
    """The result with 1 / sqrt(variance + epsilon) made in another way; its bound is the right
    one's, in proportion."""
    plain = c.changed(own=None)
    oracle = _ran(plain)
    right = plain.evaluate()
    axes = tuple(i for i, n in enumerate(oracle.moments.variance.shape) if n == 1)
    count = np.prod([np.shape(oracle.arranged(c.x))[i] for i in axes])
    spread = oracle.moments.variance.value if variance is None else variance
    if unbiased:
        spread = spread * count / (count - 1)
    epsilon = c.config["epsilon"]
    inverse = (1 / (np.sqrt(spread) + epsilon) if outside else 1 / (spread + epsilon)
               if no_root else 1 / np.sqrt(spread + epsilon))
    factor = inverse / oracle.inverse.value
    if c.tensor == "output":
        beta = oracle._weight("beta").value if "beta" in c.weights else 0.0
        value = (oracle.arranged(right.value) - beta) * factor + beta
        bound = oracle.arranged(right.bound) * np.maximum(factor, 1) * 2
        return Bounded(value, right.rounding, bound).reshape(right.shape)
    if c.tensor == "gamma_gradient":
        factor = factor.reshape(right.shape) if factor.size == right.value.size else factor
        return Bounded(right.value * factor, right.rounding, right.bound * 2 * np.abs(factor))
    if c.tensor != "input_gradient":
        raise ValueError("Expected a result in which the deviation counts. Received: another")
    return _input_gradient(c, oracle, inverse, right)


def _input_gradient(c, oracle, r, right) -> Bounded:
    """r h - r sum h / n - r^3 c sum (h c) / n with another r."""
    axes = tuple(i for i, n in enumerate(oracle.moments.variance.shape) if n == 1)
    gamma = oracle._weight("gamma").value if "gamma" in c.weights else 1.0
    h, centred = oracle.arranged(c.dy) * gamma, oracle.arranged(c.x) - oracle.moments.mean.value
    value = r * (h - h.mean(axis=axes, keepdims=True)
                 - centred * r**2 * (h * centred).mean(axis=axes, keepdims=True))
    size = np.maximum((r / oracle.inverse.value) ** 3, 1)
    bound = oracle.arranged(right.bound) * size * 2
    return Bounded(value, right.rounding, bound).reshape(right.shape)


def of_moments(c) -> list[Variant]:
    """Mean and variance of the wrong kind, or taken for constants on the way back."""
    found = []

    def own(detail, function, identifier="moving-statistics"):
        found.append(inside(identifier, detail, lambda c: c.changed(own=function)))

    batch = isinstance(c.layer, BatchNormalization)
    if batch:
        said = ("the moving averages where the batch's own belong" if c.training
                else "the batch's own where the moving averages belong")
        found.append(inside("moving-statistics", said,
                            lambda c: c.changed(training=not c.training)))
        if not c.config.get("trainable", True):
            found.append(inside("moving-statistics", "a frozen layer normalizes by the batch",
                                lambda c: c.configured(trainable=True)))
    own("the unbiased variance, divided by n - 1", lambda c: rewritten(c, unbiased=True))
    own("the variance in place of its square root", lambda c: rewritten(c, no_root=True),
        "variance-for-deviation")
    if c.tensor == "input_gradient":
        for detail, keep in (("mean and variance are held constant", (0, 0)),
                             ("the variance is held constant", (1, 0)),
                             ("the mean is held constant", (0, 1))):
            own(f"on the way back {detail}", lambda c, keep=keep: _constant(c, *keep))
    if batch:
        shape = np.shape(c.x)
        for axis in range(len(shape)):
            if axis != c.config.get("axis", -1) % len(shape) and axis and \
                    shape[axis] == len(next(iter(c.weights.values()), ())):
                found.append(inside("normalization-axes", f"channels along axis {axis}",
                                    lambda c, a=axis: c.configured(axis=a)))
    return found


def _constant(c, mean: int, variance: int) -> Bounded:
    plain = c.changed(own=None)
    oracle, right = _ran(plain), plain.evaluate()
    axes = tuple(i for i, n in enumerate(oracle.moments.variance.shape) if n == 1)
    gamma = oracle._weight("gamma").value if "gamma" in c.weights else 1.0
    h, centred = oracle.arranged(c.dy) * gamma, oracle.arranged(c.x) - oracle.moments.mean.value
    r = oracle.inverse.value
    value = r * (h - mean * h.mean(axis=axes, keepdims=True)
                 - variance * centred * r**2 * (h * centred).mean(axis=axes, keepdims=True))
    value = value.reshape(right.shape)
    return Bounded(value, right.rounding, right.bound + right.rounding.gamma(8) * np.abs(value))


def of_axes(c) -> list[Variant]:
    """Layer normalization along other axes, as far as the weights fit there."""
    rank, axis = np.ndim(c.x), c.config.get("axis", -1)
    own = tuple(a % rank for a in (axis if isinstance(axis, (list, tuple)) else [axis]))
    return [inside("normalization-axes", f"along axis {other}",
                   lambda c, other=other: c.configured(axis=other))
            for other in range(rank) if (other,) != own]


def _moved_twice(name: str, momentum: float):
    """A second move by 1 - momentum of what is left of the way, by the same batch."""
    def own(c):
        right = c.changed(own=None).evaluate()
        value = right.value + momentum * (right.value - c.weights[name])
        return Bounded(value, right.rounding, 2 * right.bound
                       + right.rounding.gamma(6) * (np.abs(value) + np.abs(right.value)))

    return lambda c: c.changed(own=own)


def _other_momentum(name: str) -> Variant:
    """Any other momentum, the same for all channels."""
    def momentum(c, made) -> float:
        old, batch = c.weights[name], c.configured(momentum=0.0).evaluate().value
        way = old - batch
        if made.shape != batch.shape or not way.any():
            raise ValueError("Expected moving averages that move. Received: others")
        return float(np.float32(((made - batch) * way).sum() / (way * way).sum()))

    return Variant("moving-statistics", lambda steps: f"a momentum of {momentum(*steps[0]):.6g}",
                   lambda c, made: c.configured(momentum=momentum(c, made)),
                   agrees=lambda steps: _alike(steps, momentum))


def _alike(steps, measure) -> bool:
    """Whether all runs show one number; a single run tells only if it has several channels."""
    numbers = [measure(c, made) for c, made in steps]
    enough = len(numbers) > 1 or np.size(steps[0][1]) > 2
    return enough and max(numbers) - min(numbers) <= 1e-4


def of_groups(c) -> list[Variant]:
    """Group normalization with another number of groups."""
    rank = np.ndim(c.x)
    channels = np.shape(c.x)[c.config.get("axis", -1) % rank]
    own = channels if c.config["groups"] == -1 else c.config["groups"]
    return [inside("normalization-axes", f"{groups} groups in place of {own}",
                   lambda c, groups=groups: c.configured(groups=groups))
            for groups in range(1, channels + 1) if channels % groups == 0 and groups != own
            ] + [inside("normalization-axes", "every so-manyth channel makes a group",
                        lambda c: c.changed(own=_interleaved))]


def _interleaved(c) -> Bounded:
    """Channel i belongs to group i modulo their number, not to a row of neighbours."""
    if c.tensor != "output":
        raise ValueError("Expected an output. Received: a gradient")
    axis = c.config.get("axis", -1) % np.ndim(c.x)
    channels, groups = np.shape(c.x)[axis], c.config["groups"]
    order = np.argsort(np.arange(channels) % groups, kind="stable")
    plain = c.changed(own=None)
    right = plain.changed(x=np.take(c.x, order, axis), weights={
        name: np.asarray(w)[order] for name, w in c.weights.items()}).evaluate()
    return right.rearranged(lambda y: np.take(y, np.argsort(order), axis))


def of_moving_averages(c) -> list[Variant]:
    """Moving averages after a step: the convention, the variance's kind, or no step at all."""
    name = c.tensor.removesuffix("_updated")
    momentum = float(c.config["momentum"])
    found = [inside("moving-statistics", "momentum and 1 - momentum are exchanged",
                    lambda c: c.configured(momentum=1 - momentum)),
             inside("moving-statistics", "they are not updated",
                    lambda c: c.changed(own=lambda c: c.exact(c.weights[name]))),
             inside("moving-statistics", "they are the batch's own, without a moving average",
                    lambda c: c.configured(momentum=0.0))]
    for other in (0.9, 0.1, 0.99, 0.01, 0.999):
        found.append(inside("moving-statistics", f"a momentum of {other}",
                            lambda c, other=other: c.configured(momentum=other)))

    def blend(batch):
        def own(c):
            right = c.changed(own=None).evaluate()
            oracle = _ran(c.changed(own=None))
            value = c.weights[name] * momentum + batch(c, oracle) * (1 - momentum)
            return Bounded(value, right.rounding, right.bound * 2
                           + right.rounding.gamma(4) * np.abs(value))

        return lambda c: c.changed(own=own)

    def count(c, oracle):
        return np.size(c.x) // oracle.moments.variance.value.size

    def variance(c, oracle):
        return oracle.moments.variance.value.reshape(-1)

    def mean(c, oracle):
        return oracle.moments.mean.value.reshape(-1)

    found += [inside("moments-swapped", f"{name} follows the batch's {other}", blend(function))
              for other, function in (("variance", variance), ("mean", mean))
              if not name.endswith(other)]
    found.append(inside("moving-statistics", "they move twice", _moved_twice(name, momentum)))
    if name == "moving_variance":
        found += [inside("moving-statistics", "the unbiased variance, divided by n - 1",
                         blend(lambda c, r: variance(c, r) * count(c, r) / (count(c, r) - 1))),
                  inside("variance-for-deviation", "an average of deviations",
                         blend(lambda c, r: np.sqrt(variance(c, r)))),
                  inside("moving-statistics", "the variance with epsilon added",
                         blend(lambda c, r: variance(c, r) + c.config["epsilon"]))]
    return [*found, _other_momentum(name)]
