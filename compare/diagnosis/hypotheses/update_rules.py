"""Optimizers' rules as people get them wrong, from any state: Nesterov, epsilon, corrections."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.running_error import Bounded


def of_rules_gone_wrong(c) -> list[Variant]:
    """Those that suit the optimizer."""
    if c.class_name == "SGD" and c.config.get("momentum"):
        rules = NESTEROV if c.config.get("nesterov") else MOMENTUM
    elif c.class_name in ("Adam", "AdamW"):
        rules = ADAM
    else:
        rules = {"RMSprop": RMSPROP, "Adagrad": ADAGRAD}.get(c.class_name, {})
    found = [inside(name, said, lambda c, f=rule: c.hooked(rule=f))
             for (name, said), rule in rules.items()]
    if c.class_name in ("Adam", "AdamW"):
        found += [inside("bias-correction", said, lambda c, f=alpha: c.hooked(alpha=f))
                  for said, alpha in CORRECTIONS.items()]
        found.append(inside("bias-correction", "steps are counted anew with every weight",
                            lambda c: c.hooked(alpha=_at(
                                lambda made: made * len(c.weights) + c.position))))
    return found


def _beta(oracle) -> float:
    return float(np.float32(oracle.config["momentum"]))


def _old_velocity(oracle, right, w, g, slots, rate):
    before, step = slots["momentum"], g * rate
    slots["momentum"] = before * _beta(oracle) - step
    return w + (before * _beta(oracle) - step)


def _ahead_twice(oracle, right, w, g, slots, rate):
    b, step = _beta(oracle), g * rate
    slots["momentum"] = v = slots["momentum"] * b - step
    return w + ((v * b - step) * b - step)


def _ahead_kept(oracle, right, w, g, slots, rate):
    b, step = _beta(oracle), g * rate
    slots["momentum"] = v = (slots["momentum"] * b - step) * b - step
    return w + v


def _interim_kept(oracle, right, w, g, slots, rate):
    b, before = _beta(oracle), slots["momentum"]
    slots["momentum"] = v = before * b - g * rate
    return w + (before * b + v)


def _rate_outside(oracle, right, w, g, slots, rate):
    slots["momentum"] = v = slots["momentum"] * _beta(oracle) + g
    return w - v * rate


def _dampened(oracle, right, w, g, slots, rate):
    return right(w, g * (1 - oracle.config["momentum"]), slots, rate)


def _start(oracle, key: str) -> Bounded:
    """1 - beta^t, with a beta that may be rounded to float32 first, or not."""
    power = oracle.start(key)
    other = 1 - oracle.config[key] ** (oracle.steps + 1)
    return Bounded(power.value, power.rounding, power.bound + np.abs(power.value - other))


def _means(oracle, g, slots, squared=None):
    """Adam's means after a gradient, and v or the largest v so far."""
    first, second = (oracle.number(1 - oracle.config[key]) for key in ("beta_1", "beta_2"))
    slots["momentum"] = m = slots["momentum"] + (g - slots["momentum"]) * first
    square = m * m if squared == "mean" else g * g
    slots["velocity"] = v = slots["velocity"] + (square - slots["velocity"]) * second
    if oracle.config.get("amsgrad"):
        largest = np.maximum(slots["velocity_hat"].value, v.value)
        slots["velocity_hat"] = v = Bounded(largest, v.rounding,
                                            np.maximum(slots["velocity_hat"].bound, v.bound))
    return m, v


def _adam(denominator, corrected=True):
    """rate m' / denominator(v', epsilon), m' and v' corrected first."""
    def rule(oracle, right, w, g, slots, rate):
        m, v = _means(oracle, g, slots)
        epsilon = oracle.number(oracle.config["epsilon"])
        if not corrected:
            alpha = rate * _start(oracle, "beta_2").sqrt() / _start(oracle, "beta_1")
            return w - m * alpha / denominator(v, epsilon)
        m, v = m / _start(oracle, "beta_1"), v / _start(oracle, "beta_2")
        return w - m * rate / denominator(v, epsilon)

    return rule


def _square_of_mean(oracle, right, w, g, slots, rate):
    m, v = _means(oracle, g, slots, squared="mean")
    return w - m * oracle.alpha(rate) / (v.sqrt() + oracle.number(oracle.config["epsilon"]))


def _divided(slot, denominator):
    """RMSprop's or Adagrad's step with another denominator of (the squares, epsilon)."""
    def rule(oracle, right, w, g, slots, rate):
        right(w, g, slots, rate)
        squares = slots[slot]
        if oracle.config.get("centered"):
            squares = squares - slots["average_gradient"] * slots["average_gradient"]
        step = g * rate / denominator(squares, oracle.number(oracle.config["epsilon"]))
        return w - step

    return rule


def _outside(v, epsilon):
    return v.sqrt() + epsilon


def _under(v, epsilon):
    return (v + epsilon).sqrt()


def _without_root(v, epsilon):
    return v + epsilon


NESTEROV = {("nesterov", "it looks ahead along the velocity of the step before"): _old_velocity,
            ("nesterov", "it looks two steps ahead"): _ahead_twice,
            ("nesterov", "what it looks ahead along is kept as the velocity"): _ahead_kept,
            ("nesterov", "the move to where the gradient is taken is made as well"): _interim_kept}
MOMENTUM = {("optimizer-setting", "the velocity is kept without the rate"): _rate_outside,
            ("optimizer-setting", "the gradient counts for 1 - momentum"): _dampened}
ADAM = {("epsilon", "added to the root of the corrected velocity, as in the paper and in PyTorch, "
         "not of the velocity itself"): _adam(_outside),
        ("epsilon", "inside the square root, beside the corrected velocity"): _adam(_under),
        ("epsilon", "on the other side of the square root"): _adam(_under, corrected=False),
        ("optimizer-setting", "divided by v, not by its root"): _adam(_without_root),
        ("optimizer-setting", "v is the mean of m^2"): _square_of_mean}
RMSPROP = {("epsilon", "on the other side of the square root"): _divided("velocity", _outside),
           ("optimizer-setting", "divided by v, not by its root"): _divided("velocity",
                                                                            _without_root)}
ADAGRAD = {("epsilon", "on the other side of the square root"): _divided("accumulator", _outside),
           ("optimizer-setting", "divided by the sum of squares, not by its root"): _divided(
               "accumulator", _without_root)}


def _at(step):
    """The correction of another step."""
    def alpha(oracle, right, rate):
        made = oracle.iteration
        oracle.iteration = step(made)
        try:
            return right(rate)
        finally:
            oracle.iteration = made

    return alpha


CORRECTIONS = {
    "that of both means is left out": lambda oracle, right, rate: rate,
    "that of the second mean is left out":
        lambda oracle, right, rate: rate / _start(oracle, "beta_1"),
    "that of the first mean is left out":
        lambda oracle, right, rate: rate * _start(oracle, "beta_2").sqrt(),
    "the two are exchanged":
        lambda oracle, right, rate: rate * _start(oracle, "beta_1").sqrt()
        / _start(oracle, "beta_2"),
    "that of the second mean is taken without its root":
        lambda oracle, right, rate: rate * _start(oracle, "beta_2") / _start(oracle, "beta_1"),
    "both are made twice":
        lambda oracle, right, rate: right(rate) * _start(oracle, "beta_2").sqrt()
        / _start(oracle, "beta_1"),
    "steps are counted from 2": _at(lambda made: made + 1),
    "1 - beta in place of 1 - beta^t": _at(lambda made: 0),
    "it is made at the first step alone": lambda oracle, right, rate:
        rate if oracle.iteration else right(rate)}
