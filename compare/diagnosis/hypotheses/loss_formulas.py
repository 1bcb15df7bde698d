"""Losses whose formula is another one: what people write where Keras has something else.

Each is a function of targets and outputs. Its gradient is that of the function itself, by the
complex step f'(x) = Im f(x + i h) / h, which subtracts nothing and so is exact to float64's own
rounding (Squire and Trapp, Using complex variables to estimate derivatives of real functions,
1998). How far rounding may lead away is taken from the size of the loss and from how much it
changes with the outputs, `ROUNDINGS` of each.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.losses import LOSSES
from compare.oracle.losses.base import EPSILON
from compare.oracle.running_error import Bounded

STEP = 1e-100  # of the complex step: its square vanishes beside any number
ROUNDINGS = 24
ENTROPIES = ("SparseCategoricalCrossentropy", "CategoricalCrossentropy", "BinaryCrossentropy")
CLASSES = ENTROPIES[:2]
BINARY = ("BinaryCrossentropy",)
SQUARED, ABSOLUTE = ("MeanSquaredError",), ("MeanAbsoluteError",)


class Formula(NamedTuple):
    """A loss that somebody may have written.

    Attributes:
        identifier: of the catalogue.
        said: how it differs.
        losses: Keras's losses in whose place it may stand.
        function: a function (targets, outputs, the loss's config) -> losses, both of shape
            (samples, width); the outputs are complex, those of a cross-entropy probabilities. Of
            losses of that shape, too, the mean is taken over the last axis.
    """

    identifier: str
    said: str
    losses: tuple[str, ...]
    function: Callable[[np.ndarray, np.ndarray, dict], np.ndarray]


def magnitude(z):
    return z * np.sign(np.real(z))


def positive(z):
    return z * (np.real(z) > 0)


def log_cosh(e):
    size = magnitude(e)
    return size + np.log(1 + np.exp(-2 * size)) - np.log(2)


def huber(e, delta, below=0.5, offset=0.5):
    """below e^2 within +-delta, else delta |e| - offset delta^2."""
    size = magnitude(e)
    return np.where(np.real(size) <= delta, below * e * e, delta * size - offset * delta * delta)


def targets_of(y):
    """Targets of a margin: 0 and 1 stand for -1 and 1."""
    return 2 * y - 1 if np.isin(y, (0, 1)).all() else y


def focal(power):
    def function(y, p, config):
        return (-y * (1 - p) ** power * np.log(p)).sum(axis=1)

    return function


def margin(width, power=1):
    return lambda y, p, config: positive(width - targets_of(y) * p) ** power


def delta(config):
    return float(np.float32(config.get("delta", 1.0)))


def entropy(y, p):
    return -(y * np.log(p)).sum(axis=1)


def divergence(y, p):
    return (y * np.log(y / p)).sum(axis=1)


def kept(a):
    """Kept 1e-7 from 0, as Keras does with what it divides."""
    return np.where(np.real(a) < EPSILON, EPSILON, a)


FORMULAS = [
    Formula("loss-other", "the root of each sample's mean square", SQUARED,
            lambda y, p, config: np.sqrt(((p - y) ** 2).mean(axis=1))),
    Formula("loss-other", "a hinge with a margin of 2", ("Hinge",), margin(2)),
    Formula("loss-other", "a hinge without a margin, as a perceptron's", ("Hinge",), margin(0)),
    Formula("loss-other", "a hinge with a margin of 1/2", ("Hinge",), margin(0.5)),
    Formula("loss-other", "a squared hinge with a margin of 2", ("SquaredHinge",), margin(2, 2)),
    Formula("loss-other", "a squared hinge without a margin", ("SquaredHinge",), margin(0, 2)),
    Formula("loss-other", "targets 0 and 1 are not made -1 and 1", ("Hinge",),
            lambda y, p, config: positive(1 - y * p)),
    Formula("loss-other", "targets 0 and 1 are not made -1 and 1", ("SquaredHinge",),
            lambda y, p, config: positive(1 - y * p) ** 2),
    Formula("loss-other", "the missing margin is squared", ("Hinge",), margin(1, 2)),
    Formula("loss-other", "the missing margin is not squared", ("SquaredHinge",), margin(1)),
    Formula("loss-other", "Huber's straight line lacks its - delta^2 / 2", ("Huber",),
            lambda y, p, config: huber(p - y, delta(config), offset=0.0)),
    Formula("loss-other", "Huber's parabola is e^2, not half of it", ("Huber",),
            lambda y, p, config: huber(p - y, delta(config), below=1.0)),
    Formula("loss-other", "Huber's loss is divided by delta, as a smooth L1 is", ("Huber",),
            lambda y, p, config: huber(p - y, delta(config)) / delta(config)),
    Formula("loss-other", "a parabola near 0, as in a smooth L1", ABSOLUTE + SQUARED,
            lambda y, p, config: huber(p - y, 1.0)),
    Formula("loss-other", "half the square in place of log cosh", ("LogCosh",),
            lambda y, p, config: (p - y) ** 2 / 2),
    Formula("loss-other", "cosh without its logarithm", ("LogCosh",),
            lambda y, p, config: np.cosh(p - y)),
    Formula("loss-other", "log cosh without - log 2", ("LogCosh",),
            lambda y, p, config: log_cosh(p - y) + np.log(2)),
    Formula("loss-other", "the divergence of the outputs from the targets: the two are exchanged",
            ("KLDivergence",), lambda y, p, config: divergence(kept(p), kept(y))),
    Formula("loss-other", "the mean of the divergence and the reversed one", ("KLDivergence",),
            lambda y, p, config: (divergence(kept(y), kept(p)) + divergence(kept(p), kept(y))) / 2),
    Formula("loss-other", "the sum of the divergence and the reversed one", ("KLDivergence",),
            lambda y, p, config: divergence(kept(y), kept(p)) + divergence(kept(p), kept(y))),
    Formula("loss-other", "a cross-entropy: the targets' own entropy is not taken off",
            ("KLDivergence",), lambda y, p, config: entropy(y, p)),
    Formula("loss-other", "the output is taken for the rate's logarithm", ("Poisson",),
            lambda y, p, config: np.exp(p) - y * p),
    Formula("loss-other", "the error is divided by the output, not by the target",
            ("MeanAbsolutePercentageError",),
            lambda y, p, config: 100 * magnitude((p - y) / p)),
    Formula("loss-other", "the error is divided by the mean size of target and output",
            ("MeanAbsolutePercentageError",), lambda y, p, config:
            200 * magnitude(p - y) / (magnitude(p) + np.abs(y))),
    Formula("loss-other", "the squared logarithm of the error in place of the squared error of "
            "logarithms", ("MeanSquaredLogarithmicError",),
            lambda y, p, config: np.log(1 + magnitude(p - y)) ** 2),
    Formula("loss-other", "log p in place of log(1 + p)", ("MeanSquaredLogarithmicError",),
            lambda y, p, config: (np.log(kept(p)) - np.log(kept(y))) ** 2),
    *(Formula("loss-other", f"a focal loss, (1 - p)^{power} times the cross-entropy", CLASSES,
              focal(power)) for power in (2, 1, 5)),
    Formula("loss-other", "only the ones among the targets count", BINARY,
            lambda y, p, config: -y * np.log(p)),
    Formula("loss-other", "only the zeros among the targets count", BINARY,
            lambda y, p, config: -(1 - y) * np.log(1 - p)),
    Formula("softmax-twice", "probabilities are taken for logits", CLASSES,
            lambda y, p, config: entropy(y, np.exp(p) / np.exp(p).sum(axis=1, keepdims=True))),
    Formula("label-smoothing", "the probabilities are smoothed, the labels are not", CLASSES,
            lambda y, p, config: entropy(y, p * (1 - amount(config))
                                         + amount(config) / p.shape[1])),
]
# targets y, an amount s and the number of classes k
SMOOTHINGS: list[tuple[str, Callable]] = [
    ("the other classes alone share what is taken off",
     lambda y, s, k: y * (1 - s) + (1 - y) * s / (k - 1)),
    ("the class keeps what is its own share, y (1 - s / k) + s / k",
     lambda y, s, k: y * (1 - s / k) + s / k),
    ("1 / k is added in place of s / k", lambda y, s, k: y * (1 - s) + 1 / k),
    ("s is added in place of s / k", lambda y, s, k: y * (1 - s) + s),
    ("s is divided by the number of the other classes",
     lambda y, s, k: y * (1 - s) + s / (k - 1)),
    ("s / k is added and nothing taken off", lambda y, s, k: y + s / k),
    ("what is taken off goes to nobody", lambda y, s, k: y * (1 - s)),
    ("labels are smoothed twice",
     lambda y, s, k: (y * (1 - s) + s / k) * (1 - s) + s / k),
]
BINARY_SMOOTHINGS: list[tuple[str, Callable]] = [
    ("yes or no is smoothed as one of as many classes as there are outputs",
     lambda y, s, k: y * (1 - s) + s / k),
    ("labels are smoothed twice", lambda y, s, k: (y * (1 - s) + s / 2) * (1 - s) + s / 2),
    ("only the ones are smoothed", lambda y, s, k: y * (1 - s / 2)),
    ("only the ones are smoothed, by all of s", lambda y, s, k: y * (1 - s)),
    ("only the zeros are smoothed", lambda y, s, k: y + (1 - y) * s / 2),
]


def amount(config) -> float:
    """Of label smoothing; ValueError for none."""
    if not config.get("label_smoothing"):
        raise ValueError("Expected a loss that smooths labels. Received: none")
    return config["label_smoothing"]


def of_formulas(c, formulas: list[Formula]) -> list[Variant]:
    """Every one of these formulas that may stand in the place of this loss's own."""
    found = [inside(formula.identifier, formula.said,
                    lambda c, f=formula: c.changed(own=lambda c: computed(c, f.function)))
             for formula in formulas if c.class_name in formula.losses]
    if c.class_name == "MeanSquaredError":
        found.append(inside("loss-other", "the root of the batch's mean square", _rooted))
    return found


def of_smoothing(c) -> list[Variant]:
    """Labels that are smoothed in another way."""
    if not c.config.get("label_smoothing") or c.class_name not in ENTROPIES:
        return []
    binary = c.class_name in BINARY
    rules = BINARY_SMOOTHINGS if binary else SMOOTHINGS

    def smoothed(c, rule):
        s, k = c.config["label_smoothing"], np.shape(c.output)[-1]
        return c.configured(label_smoothing=0.0).changed(
            y=rule(np.asarray(c.y, np.float64), s, k))

    return [inside("label-smoothing", said, lambda c, rule=rule: smoothed(c, rule))
            for said, rule in rules]


def _rooted(c):
    """The root of what the loss is; its gradient is divided by twice that."""
    if c.tensor == "value":
        return c.then(lambda r: r.sqrt())
    value = c.changed(tensor="value", extra=None).evaluate()
    return c.then(lambda r: r / (value.sqrt() * 2.0))


def computed(c, function) -> Bounded:
    """A loss's value or gradient by such a function."""
    oracle = LOSSES[c.class_name](c.config, c.dtype)
    output = np.asarray(c.output, np.float64)
    y, mask, shape = oracle.paired(np.asarray(c.y), output.shape)
    rows = output.reshape(int(np.prod(shape)), -1)
    y = y.reshape(rows.shape)
    if c.steps is not None:
        mask = c.steps if mask is None else mask & c.steps
    factors = oracle.factors(shape, c.sample_weight, mask).value
    take = _of_outputs(c, function)
    losses = np.real(take(y, rows.astype(complex)))
    slopes = np.stack([np.imag(take(y, _moved(rows, k))) / STEP for k in range(rows.shape[1])], 1)
    gamma = oracle.rounding.gamma(ROUNDINGS + rows.shape[1])
    if c.tensor == "value":
        sizes = np.abs(losses) + np.abs(rows * slopes).sum(axis=1)
        return Bounded((losses * factors).sum(), oracle.rounding,
                       oracle.rounding.gamma(len(losses)) * (np.abs(losses) * factors).sum()
                       + gamma * (sizes * np.abs(factors)).sum())
    gradient = slopes * factors[:, None]
    sizes = np.abs(gradient) + np.abs(gradient).mean(axis=1, keepdims=True)
    return Bounded(gradient.reshape(output.shape), oracle.rounding,
                   (gamma * sizes).reshape(output.shape))


def _of_outputs(c, function):
    """The function of what the loss is computed from: logits are made probabilities first."""
    def take(y, z):
        if "ntropy" in c.class_name and (c.fused or c.config.get("from_logits")):
            small = np.exp(z - np.real(z).max(axis=1, keepdims=True))
            z = (1 / (1 + np.exp(-z)) if "Binary" in c.class_name
                 else small / small.sum(axis=1, keepdims=True))
        losses = function(y, z, c.config)
        return losses.mean(axis=1) if losses.ndim == 2 else losses

    return take


def _moved(rows, column: int) -> np.ndarray:
    moved = rows.astype(complex)
    moved[:, column] += 1j * STEP
    return moved
