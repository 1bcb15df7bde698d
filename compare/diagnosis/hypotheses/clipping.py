"""Mistakes in how an optimizer clips gradients: never, always, by another norm, on one side."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.optimizers import larger, norm
from compare.oracle.running_error import Bounded

CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
GUARD = 1e-6  # that PyTorch's clip_grad_norm_ adds to the norm


def of_clipping(c) -> list[Variant]:
    """Gradients that are not clipped, or clipped in another way."""
    key = next((key for key in CLIPS if c.config.get(key)), None)
    if key is None:
        return []
    limit = c.config[key]
    found = [inside("clipping", f"{key} is ignored", lambda c: c.configured(**{key: None}))]
    found += [inside("clipping", f"{other} in place of {key}",
                     lambda c, o=other: c.configured(**{key: None, o: limit}))
              for other in CLIPS if other != key]
    changes = {"clipvalue": BY_VALUE, "clipnorm": BY_NORM, "global_clipnorm": BY_NORM_OF_ALL}[key]
    found += [inside("clipping", said, lambda c, f=function: c.hooked(
        clipped=lambda oracle, right, gradients: f(gradients, oracle.number(limit), right)))
        for said, function in changes.items()]
    if key != "clipvalue" and c.class_name == "SGD":
        found.append(inside("clipping", "the step is clipped in place of the gradient",
                            lambda c: c.hooked(clipped=lambda oracle, right, given: given,
                                               rule=_step_clipped(limit))))
    return found


def held(gradient: Bounded, length: Bounded, limit: Bounded) -> Bounded:
    """The gradient with `length` taken for its norm."""
    return gradient * limit / larger(length, limit)


def _upper(gradients, limit, right):
    return [g.clip(-np.inf, float(limit.value)) for g in gradients]


def _lower(gradients, limit, right):
    return [g.clip(-float(limit.value), np.inf) for g in gradients]


def _always(gradients, limit, right):
    return [g * limit / norm([g]) if g.value.any() else g for g in gradients]


def _squared(gradients, limit, right):
    return [held(g, (g * g).sum(), limit) for g in gradients]


def _by_unit(gradients, limit, right):
    return [held(g, (g * g).sum(axis=0, keepdims=True).sqrt(), limit) for g in gradients]


def _mean(gradients, limit, right):
    count = sum(g.value.size for g in gradients)
    length = norm(gradients) / Bounded(np.sqrt(count), limit.rounding)
    return [held(g, length, limit) for g in gradients]


def _each_first(gradients, limit, right):
    return right([held(g, norm([g]), limit) for g in gradients])


def _guarded(gradients, limit, right):
    length = norm(gradients) + Bounded(GUARD, limit.rounding)
    return [held(g, length, limit) for g in gradients]


def _all_always(gradients, limit, right):
    return [g * limit / norm(gradients) for g in gradients]


def _step_clipped(limit: float):
    def rule(oracle, right, weight, gradient, slots, rate):
        step = right(weight, gradient, slots, rate) - weight
        return weight + held(step, norm([step]), oracle.number(limit))

    return rule


BY_VALUE = {"entries are limited above, not below": _upper,
            "entries are limited below, not above": _lower}
BY_NORM = {"gradients are stretched to the limit, too": _always,
           "the norm is squared": _squared,
           "each unit's weights are limited by themselves": _by_unit}
BY_NORM_OF_ALL = {"gradients are stretched to the limit, too": _all_always,
                  "the root of the mean square is limited": _mean,
                  "each gradient is clipped by itself first": _each_first,
                  "1e-6 is added to the norm": _guarded}
