"""The oracle for optimizers: each rule by its definition, step after step, with bounds.

A rule is a short sum of products and quotients, so its bound is that of running error analysis,
operation by operation; fused multiply-adds and another order within a product only save roundings.
Settings are used as the weights' precision holds them. Four of them TensorFlow casts through
float32 even for float64 weights: SGD's momentum, weight decay, Adagrad's initial accumulator, and
Adam's betas in the powers that make up for the start at zero; in its running means they are not.
"""

import numpy as np
from numpy.typing import DTypeLike

from compare.oracle.constraints import constrained
from compare.oracle.learning_rates import constant, rate_at
from compare.oracle.running_error import LIBRARY_ULPS, Bounded, Rounding
from compare.tracing.loss_scale import SKIPS
from compare.tracing.types import Config


class Optimizer:
    """Base of the oracles: clipping, decay, the rule, constraints, for all weights of a network at
    once.

    Args:
        config: the optimizer's Keras config; the learning rate in it is the number in use.
        dtype: the weights'.

    Attributes:
        iteration: how many steps were made.
        slots: for each weight what the rule remembers, by name; empty before the first step.
        decays: for each weight whether it decays; empty, all of them do.
        constraints: for each weight Keras's dictionary of its constraint or None; empty, none has
            one.
    """

    defaults: Config = {}
    divides_by_rate = False  # so that no step can be made once a schedule's rate has underflown

    def __init__(self, config: Config, dtype: DTypeLike) -> None:
        self.rounding = Rounding.of(dtype)
        given = {key: value for key, value in config.items() if value is not None}
        self.config = {**self.defaults, **given}
        self.iteration = 0
        self.slots: list[dict[str, Bounded]] = []
        self.decays: list[bool] = []
        self.constraints: list[Config | None] = []

    def step(self, weights: list[Bounded], gradients: list[Bounded]) -> list[Bounded]:
        """The weights after one more step."""
        if self.config.get(SKIPS) and not all(np.isfinite(g.value).all() for g in gradients):
            return list(weights)
        weights, gradients = ([each if each.rounding.unit == self.rounding.unit else
                               Bounded(each.value, self.rounding, each.error) for each in some]
                              for some in (weights, gradients))
        scale = self.config.get("loss_scale_factor")
        if scale:
            gradients = [gradient / float(scale) for gradient in gradients]
        self.slots = self.slots or [self.fresh(weight) for weight in weights]
        rate = self.rate()
        decays = self.decays or [True] * len(weights)
        decayed = [self.decayed(weight, rate) if decay else weight
                   for weight, decay in zip(weights, decays)]
        moved = [self.rule(*each, rate)
                 for each in zip(decayed, self.clipped(gradients), self.slots)]
        self.iteration += 1
        constraints = self.constraints or [None] * len(weights)
        return [constrained(weight, constraint) if constraint else weight
                for weight, constraint in zip(moved, constraints)]

    def rate(self) -> Bounded:
        """The learning rate of the next step."""
        return rate_at(self.config["learning_rate"], self.iteration, self.rounding)

    def fresh(self, weight: Bounded) -> dict[str, Bounded]:
        """A weight's slots before the first step."""
        return {}

    def rule(self, weight: Bounded, gradient: Bounded, slots: Config, rate: Bounded) -> Bounded:
        """The weight after a step; replaces what changes in `slots`."""
        raise NotImplementedError

    def zeros(self, weight: Bounded) -> Bounded:
        return Bounded(np.zeros(weight.shape), self.rounding)

    def number(self, value: float) -> Bounded:
        """A setting, rounded to the weights' precision."""
        return Bounded(constant(value, self.rounding), self.rounding)

    def decayed(self, weight: Bounded, rate: Bounded) -> Bounded:
        """w - w * weight_decay * rate."""
        decay = self.config.get("weight_decay")
        return weight if not decay else weight - weight * float(np.float32(decay)) * rate

    def clipped(self, gradients: list[Bounded]) -> list[Bounded]:
        """The gradients after clipping; a limit of 0 or below is none."""
        limits = {key: self.config.get(key) or 0.0
                  for key in ("clipnorm", "global_clipnorm", "clipvalue")}
        if limits["clipnorm"] > 0:
            limit = self.number(limits["clipnorm"])
            return [gradient * limit / larger(norm([gradient]), limit) for gradient in gradients]
        if limits["global_clipnorm"] > 0:
            # limit * min(1 / norm, 1 / limit)
            limit = self.number(limits["global_clipnorm"])
            scale = limit * (self.number(1.0) / larger(norm(gradients), limit))
            return [gradient * scale for gradient in gradients]
        if limits["clipvalue"] > 0:
            most = constant(limits["clipvalue"], self.rounding)
            return [gradient.clip(-most, most) for gradient in gradients]
        return gradients


def norm(gradients: list[Bounded]) -> Bounded:
    """The 2-norm of them all: the root of the sum of all squares, added up in any order."""
    squares = [(gradient * gradient).reshape(-1) for gradient in gradients]
    joined = Bounded(np.concatenate([square.value for square in squares]), squares[0].rounding,
                     np.concatenate([square.bound for square in squares]))
    return joined.sum().sqrt()


def larger(a: Bounded, b: Bounded) -> Bounded:
    """The maximum, which errors move by no more than the larger of those that may be chosen."""
    bound = np.maximum(np.where(a.value + a.bound >= b.value - b.bound, a.bound, 0.0),
                       np.where(b.value + b.bound >= a.value - a.bound, b.bound, 0.0))
    return Bounded(np.maximum(a.value, b.value), a.rounding, bound)


class SGD(Optimizer):
    """m <- b m - rate g, w <- w + m, or w + b m - rate g for Nesterov; without momentum, m is new
    each time."""

    defaults = {"learning_rate": 0.01, "momentum": 0.0}

    def fresh(self, weight: Bounded) -> dict[str, Bounded]:
        return {"momentum": self.zeros(weight)} if self.config["momentum"] else {}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        step = gradient * rate
        if not slots:
            return weight - step
        beta = constant(float(np.float32(self.config["momentum"])), self.rounding)
        slots["momentum"] = velocity = slots["momentum"] * beta - step
        return weight + (velocity * beta - step if self.config.get("nesterov") else velocity)


class Adam(Optimizer):
    """w <- w - alpha m / (sqrt(v) + epsilon), alpha = rate sqrt(1 - beta_2^t) / (1 - beta_1^t)."""

    defaults = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}

    def fresh(self, weight: Bounded) -> dict[str, Bounded]:
        names = ["momentum", "velocity"] + ["velocity_hat"] * bool(self.config.get("amsgrad"))
        return {name: self.zeros(weight) for name in names}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        first = self.number(1 - self.config["beta_1"])
        second = self.number(1 - self.config["beta_2"])
        m = slots["momentum"] + (gradient - slots["momentum"]) * first
        v = slots["velocity"] + (gradient * gradient - slots["velocity"]) * second
        slots.update(momentum=m, velocity=v)
        if self.config.get("amsgrad"):
            slots["velocity_hat"] = v = larger(slots["velocity_hat"], v)
        return weight - m * self.alpha(rate) / (v.sqrt() + self.number(self.config["epsilon"]))

    def alpha(self, rate: Bounded) -> Bounded:
        """The rate, with what makes up for the means' start at zero."""
        return rate * self.start("beta_2").sqrt() / self.start("beta_1")

    def start(self, key: str) -> Bounded:
        """1 - beta^t; the first power of a number is taken to be exact."""
        beta = Bounded(float(np.float32(self.config[key])), self.rounding)
        t = self.iteration + 1
        power = beta if t == 1 else beta.through(lambda b: b ** t, lambda low, high: t * high,
                                                 2 * LIBRARY_ULPS)
        return Bounded(1.0, self.rounding) - power


class AdamW(Adam):
    """Adam, with weight decay by default."""

    defaults = {**Adam.defaults, "weight_decay": 0.004}


class RMSprop(Optimizer):
    """w <- w - rate g / sqrt(v + epsilon), v less the square of the mean gradient if centered."""

    defaults = {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7}

    def fresh(self, weight: Bounded) -> dict[str, Bounded]:
        names = (["velocity"] + ["momentum"] * bool(self.config["momentum"])
                 + ["average_gradient"] * bool(self.config.get("centered")))
        return {name: self.zeros(weight) for name in names}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        old, new = self.number(self.config["rho"]), self.number(1 - self.config["rho"])
        slots["velocity"] = slots["velocity"] * old + gradient * gradient * new
        denominator = slots["velocity"]
        if self.config.get("centered"):
            mean = slots["average_gradient"] * old + gradient * new
            slots["average_gradient"] = mean
            denominator = denominator - mean * mean
        root = (denominator + self.number(self.config["epsilon"])).sqrt()
        increment = rate * gradient / root
        if self.config["momentum"]:
            kept = slots["momentum"] * self.number(self.config["momentum"])
            slots["momentum"] = increment = kept + increment
        return weight - increment


class Adagrad(Optimizer):
    """w <- w - rate g / sqrt(a + epsilon), a being the sum of all g^2 and its initial value."""

    defaults = {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7}

    def fresh(self, weight: Bounded) -> dict[str, Bounded]:
        start = float(np.float32(self.config["initial_accumulator_value"]))
        return {"accumulator": Bounded(np.full(weight.shape, start), self.rounding)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        slots["accumulator"] = slots["accumulator"] + gradient * gradient
        root = (slots["accumulator"] + self.number(self.config["epsilon"])).sqrt()
        return weight - rate * gradient / root
