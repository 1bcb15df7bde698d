"""Mistakes of operations between layers that make one number of many."""

import itertools
import math
from collections.abc import Callable

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.operations import Reduction
from compare.oracle.layers.reducing_operations import Max, Std, Var
from compare.oracle.layers.root_mean_square import axes_of
from compare.oracle.running_error import Bounded

AXIS, OTHER, SPREAD = "axis-other", "reduction-other", "gradient-not-spread"
ROOT, MEAN, NORM = "variance-for-deviation", "mean-missing", "norm-other"
KINDS = ("Sum", "Mean", "Max", "Min", "Var", "Std", "Norm")
EPSILONS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def of_reductions(c) -> list[Variant]:
    """Another formula or another axis; a gradient that reaches other numbers, or is another one."""
    if not isinstance(c.layer, (Reduction, Max)):
        return []
    found = _of_formulas(c) if c.tensor == "output" else _of_gradients(c)
    return found + _of_axes(c)


def _axes(c) -> tuple[int, ...]:
    return axes_of(c.config["axis"], np.ndim(c.x))


def _kept(c) -> tuple[int, ...]:
    """The shape of the output whose reduced axes stay with length 1."""
    return tuple(1 if i in _axes(c) else n for i, n in enumerate(np.shape(c.x)))


def _of_axes(c) -> list[Variant]:
    """The same along other axes, reshaped where that can be."""
    own, rank = _axes(c), np.ndim(c.x)

    def change(c, axes):
        other = c.configured(axis=list(axes))
        if c.tensor != "output":
            return other.changed(dy=np.asarray(c.dy).reshape(
                other.changed(tensor="output").evaluate().shape))
        shape = c.evaluate().shape
        return other.moved(lambda y: y.reshape(shape) if y.size == math.prod(shape) else y)

    return [inside(AXIS, f"along {axes[0] if len(axes) == 1 else axes}",
                   lambda c, axes=axes: change(c, axes))
            for count in range(1, rank) for axes in itertools.combinations(range(1, rank), count)
            if axes != own]


def _named(c, kind: str) -> str:
    """What a variance for a deviation is called, and anything else."""
    spreads = isinstance(c.layer, Var) and kind in ("Var", "Std")
    return ROOT if spreads else NORM if "Norm" in c.class_name else OTHER


def _others(c) -> list[Variant]:
    return [inside(_named(c, kind), f"{kind.lower()} in place of "
                   f"{c.class_name.removesuffix('Operation').lower()}",
                   lambda c, kind=kind: c.changed(class_name=f"{kind}Operation"))
            for kind in KINDS if not c.class_name.startswith(kind)
            # whose only difference is a factor, which has a name of its own
            and {f"{kind}Operation", c.class_name} != {"SumOperation", "MeanOperation"}]


def _of_formulas(c) -> list[Variant]:
    found = _others(c)
    for name, said, function in FORMULAS:
        name = NORM if "Norm" in c.class_name else name
        found.append(inside(name, said, lambda c, f=function: c.changed(
            own=lambda c: f(c.exact(c.x), _axes(c)).reshape(
                *c.changed(own=None).evaluate().shape))))
    if isinstance(c.layer, Std):
        def with_epsilon(c, epsilon):
            variance = c.changed(own=None, class_name="VarOperation").evaluate()
            return (variance + c.exact(np.float64(epsilon))).sqrt()

        found += [inside("epsilon", f"{e:g} is added under the root", lambda c, e=e: c.changed(
            own=lambda c: with_epsilon(c, e))) for e in EPSILONS]
    return found


def _sizes(x: Bounded) -> Bounded:
    return Bounded(np.abs(x.value), x.rounding, x.error)


def _total(x: Bounded, axes) -> Bounded:
    return x.sum(axis=axes, keepdims=True)


def _mean(x: Bounded, axes) -> Bounded:
    return _total(x, axes) / float(math.prod(x.shape[i] for i in axes))


def _median(x: Bounded, axes) -> Bounded:
    room = x.rounding.gamma(2) * np.abs(x.value).max(axis=axes, keepdims=True)
    return Bounded(np.median(x.value, axis=axes, keepdims=True), x.rounding, room)


def _of_positive(x: Bounded, axes) -> Bounded:
    counts = np.maximum((x.value > 0).sum(axis=axes, keepdims=True), 1.0)
    return _total(x, axes) / Bounded(counts, x.rounding)


def _unbiased(x: Bounded, axes) -> Bounded:
    number = math.prod(x.shape[i] for i in axes)
    if number < 2:
        raise ValueError("Expected several numbers. Received: one")
    return _total(_squares(x - _mean(x, axes)), axes) / float(number - 1)


def _squares(x: Bounded) -> Bounded:
    return x * x


def _place(which: int) -> Callable:
    def taken(x: Bounded, axes) -> Bounded:
        part = tuple(slice(which, which + 1 or None) if i in axes else slice(None)
                     for i in range(len(x.shape)))
        return x.rearranged(lambda a: a[part])

    return taken


FORMULAS: tuple[tuple[str, str, Callable], ...] = (
    (OTHER, "the variance divided by n - 1", _unbiased),
    (OTHER, "the root of the variance divided by n - 1",
     lambda x, axes: _unbiased(x, axes).sqrt()),
    (MEAN, "the mean of the squares", lambda x, axes: _mean(_squares(x), axes)),
    (MEAN, "the root of the mean of the squares",
     lambda x, axes: _mean(_squares(x), axes).sqrt()),
    (OTHER, "the mean distance from the mean",
     lambda x, axes: _mean(_sizes(x - _mean(x, axes)), axes)),
    (OTHER, "the median", _median),
    (OTHER, "the sum over how many are above 0", _of_positive),
    (OTHER, "the largest magnitude", lambda x, axes: Bounded(
        np.abs(x.value).max(axis=axes, keepdims=True), x.rounding)),
    (OTHER, "the sum of the magnitudes", lambda x, axes: _total(_sizes(x), axes)),
    (OTHER, "the mean of the magnitudes", lambda x, axes: _mean(_sizes(x), axes)),
    (OTHER, "the sum of the squares", lambda x, axes: _total(_squares(x), axes)),
    (OTHER, "the first number alone", _place(0)), (OTHER, "the last number alone", _place(-1)),
)


def _of_gradients(c) -> list[Variant]:
    """Which numbers get it, and what it is."""
    found = []
    for said, end in (("the first", 0), ("the last", -1)):
        part = tuple(slice(end, end + 1 or None) if i in _axes(c) else slice(None)
                     for i in range(np.ndim(c.x)))

        def alone(dx, part=part):
            left = np.zeros_like(dx)
            left[part] = dx[part]
            return left

        if not isinstance(c.layer, Max):
            found.append(inside(SPREAD, f"{said} number alone gets it",
                                lambda c, alone=alone: c.moved(alone)))

    def formula(identifier, detail, function):
        found.append(inside(identifier, detail, lambda c: c.changed(own=lambda c: function(
            c.exact(c.dy).reshape(*_kept(c)), c.exact(c.x), _axes(c)))))

    if isinstance(c.layer, Max):
        formula("mask-missing", "all numbers get it",
                lambda dy, x, axes: dy.rearranged(lambda a: np.broadcast_to(a, x.shape)))
    if isinstance(c.layer, Var):
        formula(MEAN, "2 x / n, of the numbers themselves", lambda dy, x, axes: dy * x * (
            2.0 / math.prod(x.shape[i] for i in axes)))
    if "Norm" in c.class_name:
        formula(NORM, "not divided by the length", lambda dy, x, axes: x * dy)
        formula(NORM, "divided by the squared length",
                lambda dy, x, axes: x * (dy / _total(_squares(x), axes)))
        formula(NORM, "dy / length, without x", lambda dy, x, axes: (
            dy / _total(_squares(x), axes).sqrt()).rearranged(
                lambda a: np.broadcast_to(a, x.shape)))
    return found + _others(c)
