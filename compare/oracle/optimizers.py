"""The oracle for optimizers: each rule by its definition, step after step, with bounds.

A rule is a short sum of products and quotients, so its bound is that of running error analysis,
operation by operation; fused multiply-adds and another order within a product only save roundings.
Settings are used as the weights' precision holds them. Four of them TensorFlow casts through
float32 even for float64 weights: SGD's momentum, weight decay, Adagrad's initial accumulator, and
Adam's betas in the powers that make up for the start at zero; in its running means they are not.

Around each rule stands what all have: gradients gathered over several calls, and moving averages of
the weights.
"""

import copy
from typing import Any

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
        iteration: how many calls were made; of those that gather gradients only the last of a
            group is a step.
        slots: for each weight what the rule remembers, by name; empty before the first step.
        decays: for each weight whether it decays; empty, all of them do.
        constraints: for each weight Keras's dictionary of its constraint or None; empty, none has
            one.
        names: of the weights, 'dense/kernel' ..., for rules that tell them apart; empty, unknown.
    """

    defaults: Config = {}
    absent: tuple[str, ...] = ()  # settings of which None is not the default
    like_weights: tuple[str, ...] = ()  # slots that are weights themselves
    divides_by_rate = False  # so that no step can be made once a schedule's rate has underflown

    def __init__(self, config: Config, dtype: DTypeLike) -> None:
        self.rounding = Rounding.of(dtype)
        given = {key: value for key, value in config.items()
                 if value is not None or key in self.absent}
        self.config = {**self.defaults, **given}
        self.iteration = 0
        self.slots: list[dict[str, Bounded]] = []
        self.decays: list[bool] = []
        self.constraints: list[Config | None] = []
        self.names: list[str] = []

    @property
    def gathered_calls(self) -> int:
        """How many calls make one step."""
        return int(self.config.get("gradient_accumulation_steps") or 1)

    @property
    def joins_weights(self) -> bool:
        """Whether the step of one weight depends on the gradients of others."""
        return (self.config.get("global_clipnorm") or 0.0) > 0 or bool(self.config.get(SKIPS))

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return self.iteration // self.gathered_calls

    def step(self, weights: list[Bounded], gradients: list[Bounded]) -> list[Bounded]:
        """The weights after one more call."""
        if self.config.get(SKIPS) and not all(np.isfinite(g.value).all() for g in gradients):
            return list(weights)
        weights, gradients = ([each if each.rounding.unit == self.rounding.unit else
                               Bounded(each.value, self.rounding, each.error) for each in some]
                              for some in (weights, gradients))
        scale = self.config.get("loss_scale_factor")
        if scale:
            gradients = [gradient / float(scale) for gradient in gradients]
        self.slots = self.slots or [
            self.all_slots(weight, name)
            for weight, name in zip(weights, self.names or [""] * len(weights))]
        gathered = self.gathered(gradients)
        moved = self.moved(weights, gathered) if gathered else weights
        if self.config.get("use_ema"):
            moved = self.averaged(moved)
        self.iteration += 1
        constraints = self.constraints or [None] * len(weights)
        return [constrained(weight, constraint) if constraint else weight
                for weight, constraint in zip(moved, constraints)]

    def moved(self, weights: list[Bounded], gradients: list[Bounded]) -> list[Bounded]:
        """The weights after clipping, decay and the rule."""
        rate = self.rate()
        decays = self.decays or [True] * len(weights)
        decayed = [self.decayed(weight, rate, self.decay_of(slots)) if decay else weight
                   for weight, decay, slots in zip(weights, decays, self.slots)]
        return [self.rule(*each, rate)
                for each in zip(decayed, self.clipped(gradients), self.slots)]

    def gathered(self, gradients: list[Bounded]) -> list[Bounded]:
        """The mean of the gradients since the last step; none before there are enough."""
        calls = self.gathered_calls
        if calls == 1:
            return gradients
        sums = [gradient + slots["gradient_accumulator"]
                for gradient, slots in zip(gradients, self.slots)]
        last = (self.iteration + 1) % calls == 0
        for total, slots in zip(sums, self.slots):
            slots["gradient_accumulator"] = self.zeros(total) if last else total
        return [total / self.number(calls) for total in sums] if last else []

    def averaged(self, weights: list[Bounded]) -> list[Bounded]:
        """The weights, or the moving averages in their place; the averages follow them."""
        share = float(self.config.get("ema_momentum", 0.99)) if self.steps else 0.0
        old, new = self.number(share), Bounded(1.0, self.rounding) - self.number(share)
        for weight, slots in zip(weights, self.slots):
            slots["average"] = weight if not share else old * slots["average"] + new * weight
        frequency = self.config.get("ema_overwrite_frequency")
        if not frequency or (self.steps + 1) % frequency:
            return weights
        return [slots["average"] for slots in self.slots]

    def all_slots(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        """A weight's slots before the first step, with what all optimizers may keep."""
        found = self.fresh(weight, name)
        if self.config.get("use_ema"):
            found["average"] = self.zeros(weight)
        if self.gathered_calls > 1:
            found["gradient_accumulator"] = self.zeros(weight)
        return found

    def rate(self) -> Bounded:
        """The learning rate of the next step."""
        return rate_at(self.config["learning_rate"], self.iteration, self.rounding)

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        """What the rule remembers of a weight before the first step."""
        return {}

    def rule(self, weight: Bounded, gradient: Bounded, slots: Config, rate: Bounded) -> Bounded:
        """The weight after a step; replaces what changes in `slots`."""
        raise NotImplementedError

    def zeros(self, weight: Bounded) -> Bounded:
        return Bounded(np.zeros(weight.shape), self.rounding)

    def number(self, value: float) -> Bounded:
        """A setting, rounded to the weights' precision."""
        return Bounded(constant(value, self.rounding), self.rounding)

    def decay_of(self, slots: dict[str, Bounded]) -> Any:
        """The weight decay of a weight with these slots."""
        return self.config.get("weight_decay")

    def decayed(self, weight: Bounded, rate: Bounded, decay: float | None) -> Bounded:
        """w - w * weight_decay * rate."""
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


def alone(optimizer: Optimizer, k: int) -> Optimizer:
    """A fresh optimizer of several weights as one for the k-th alone, for a rule that does not join
    them."""
    one = copy.copy(optimizer)
    one.slots = []
    one.decays, one.constraints = one.decays[k:k + 1], one.constraints[k:k + 1]
    one.names = one.names[k:k + 1]
    return one


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

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        return {"momentum": self.zeros(weight)} if self.config["momentum"] else {}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        step = gradient * rate
        if "momentum" not in slots:
            return weight - step
        beta = constant(float(np.float32(self.config["momentum"])), self.rounding)
        slots["momentum"] = velocity = slots["momentum"] * beta - step
        return weight + (velocity * beta - step if self.config.get("nesterov") else velocity)


class Adam(Optimizer):
    """w <- w - alpha m / (sqrt(v) + epsilon), alpha = rate sqrt(1 - beta_2^t) / (1 - beta_1^t)."""

    defaults = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        names = ["momentum", "velocity"] + ["velocity_hat"] * bool(self.config.get("amsgrad"))
        return {name: self.zeros(weight) for name in names}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        m, v = self.means(gradient, slots)
        if self.config.get("amsgrad"):
            slots["velocity_hat"] = v = larger(slots["velocity_hat"], v)
        return weight - m * self.alpha(rate) / (v.sqrt() + self.number(self.config["epsilon"]))

    def means(self, gradient: Bounded, slots: dict[str, Bounded]) -> tuple[Bounded, Bounded]:
        """The running means of g and of g^2, moved on."""
        first = self.number(1 - self.config["beta_1"])
        second = self.number(1 - self.config["beta_2"])
        m = slots["momentum"] + (gradient - slots["momentum"]) * first
        v = slots["velocity"] + (gradient * gradient - slots["velocity"]) * second
        slots.update(momentum=m, velocity=v)
        return m, v

    def alpha(self, rate: Bounded) -> Bounded:
        """The rate, with what makes up for the means' start at zero."""
        return rate * self.start("beta_2").sqrt() / self.start("beta_1")

    def start(self, key: str) -> Bounded:
        """1 - beta^t; the first power of a number is taken to be exact."""
        beta = Bounded(float(np.float32(self.config[key])), self.rounding)
        t = self.steps + 1
        power = beta if t == 1 else beta.through(lambda b: b ** t, lambda low, high: t * high,
                                                 2 * LIBRARY_ULPS)
        return Bounded(1.0, self.rounding) - power


class AdamW(Adam):
    """Adam, with weight decay by default."""

    defaults = {**Adam.defaults, "weight_decay": 0.004}


class RMSprop(Optimizer):
    """w <- w - rate g / sqrt(v + epsilon), v less the square of the mean gradient if centered."""

    defaults = {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7}

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
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

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        start = float(np.float32(self.config["initial_accumulator_value"]))
        return {"accumulator": Bounded(np.full(weight.shape, start), self.rounding)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        slots["accumulator"] = slots["accumulator"] + gradient * gradient
        root = (slots["accumulator"] + self.number(self.config["epsilon"])).sqrt()
        return weight - rate * gradient / root
