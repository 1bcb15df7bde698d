"""The oracles for Adamax, Nadam, Adadelta, Lion and Ftrl, and which class has which oracle.

TensorFlow casts through float32 the betas of Nadam and of Lion, Nadam's 0.96, and Adamax's beta_1
in the power that makes up for the start at zero. What Nadam multiplies up from step to step is
worked out from the number of steps: a product of t numbers, each with a few roundings.
"""

import numpy as np
from numpy.typing import DTypeLike

from compare.oracle.elementary import power
from compare.oracle.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, larger
from compare.oracle.running_error import LIBRARY_ULPS, Bounded
from compare.oracle.whole_weight_optimizers import Adafactor, Lamb, Muon, ScheduleFreeAdamW
from compare.tracing.types import Config

DECAY = 0.96  # Nadam's
FACTOR_ROUNDINGS = 2 * LIBRARY_ULPS + 4  # of a factor of the product that Nadam keeps


class Adamax(Adam):
    """w <- w - rate m / ((1 - beta_1^t) (u + epsilon)), u = max(beta_2 u, |g|)."""

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        return {"momentum": self.zeros(weight), "norm": self.zeros(weight)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        first = self.number(1 - self.config["beta_1"])
        m = slots["momentum"] + (gradient - slots["momentum"]) * first
        size = Bounded(np.abs(gradient.value), self.rounding, gradient.error)
        u = larger(slots["norm"] * self.number(self.config["beta_2"]), size)
        slots.update(momentum=m, norm=u)
        return weight - rate * m / (self.start("beta_1") * (
            u + self.number(self.config["epsilon"])))


class Nadam(Adam):
    """w <- w - rate n / (sqrt(v / (1 - beta_2^t)) + epsilon), with u_t = beta_1 (1 - 0.96^t / 2),
    U_t = u_1 ... u_t and n = u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t)."""

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        one = Bounded(1.0, self.rounding)
        beta_1, beta_2 = (Bounded(float(np.float32(self.config[key])), self.rounding)
                          for key in ("beta_1", "beta_2"))
        t = self.steps + 1
        now, after, product = self.share(t), self.share(t + 1), self.product(t)
        m = slots["momentum"] + (gradient - slots["momentum"]) * (one - beta_1)
        v = slots["velocity"] + (gradient * gradient - slots["velocity"]) * (one - beta_2)
        slots.update(momentum=m, velocity=v)
        ahead = (after * m / (one - product * after)
                 + (one - now) * gradient / (one - product))
        root = (v / self.start("beta_2")).sqrt() + self.number(self.config["epsilon"])
        return weight - ahead * rate / root

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        return {"momentum": self.zeros(weight), "velocity": self.zeros(weight)}

    def share(self, t: int) -> Bounded:
        """beta_1 (1 - 0.96^t / 2)."""
        decay = Bounded(float(np.float32(DECAY)), self.rounding)
        fallen = decay if t == 1 else decay.through(
            lambda d: d ** t, lambda low, high: t * high ** (t - 1), 2 * LIBRARY_ULPS)
        beta = Bounded(float(np.float32(self.config["beta_1"])), self.rounding)
        return beta * (Bounded(1.0, self.rounding) - fallen * 0.5)

    def product(self, t: int) -> Bounded:
        """U_t, whose factors are of the settings in the weights' own precision."""
        exact = float(self.number(DECAY).value), float(self.number(self.config["beta_1"]).value)
        steps = np.arange(1, min(t, 10_000) + 1)  # by then it is below any number there is
        with np.errstate(under="ignore"):
            value = float(np.prod(exact[1] * (1 - exact[0] ** steps / 2)))
        roundings = FACTOR_ROUNDINGS * min(t, 10_000)
        return Bounded(value, self.rounding,
                       value * self.rounding.gamma(roundings) + self.rounding.tiny).flushed()


class Adadelta(Optimizer):
    """w <- w - rate d, d = g sqrt(s + epsilon) / sqrt(a + epsilon), a and s running means of g^2
    and d^2."""

    defaults = {"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-7}

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        return {"accumulated_grad": self.zeros(weight),
                "accumulated_delta_var": self.zeros(weight)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        old, new = self.number(self.config["rho"]), self.number(1 - self.config["rho"])
        epsilon, steps = self.number(self.config["epsilon"]), slots["accumulated_delta_var"]
        squares = slots["accumulated_grad"] * old + gradient * gradient * new
        step = (steps + epsilon).sqrt() * gradient / (squares + epsilon).sqrt()
        slots.update(accumulated_grad=squares,
                     accumulated_delta_var=steps * old + step * step * new)
        return weight - rate * step


class Lion(Optimizer):
    """w <- w - rate sign(beta_1 m + (1 - beta_1) g), m <- beta_2 m + (1 - beta_2) g.

    Where rounding leaves the sign open, so is the step.
    """

    defaults = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99}

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        return {"momentum": self.zeros(weight)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        m = slots["momentum"]
        mixed, slots["momentum"] = self.mixed(m, gradient, "beta_1"), self.mixed(m, gradient,
                                                                              "beta_2")
        open_ = (mixed.bound > 0) & (np.abs(mixed.value) <= mixed.bound)
        sign = np.sign(mixed.value)
        return weight - rate * Bounded(sign, self.rounding, np.where(open_, 1 + np.abs(sign), 0.0))

    def mixed(self, m: Bounded, gradient: Bounded, key: str) -> Bounded:
        beta = Bounded(float(np.float32(self.config[key])), self.rounding)
        nothing = (m.support() == 0) & (gradient.support() == 0)
        return (m * beta + gradient * (Bounded(1.0, self.rounding) - beta)).where(~nothing)


class Ftrl(Optimizer):
    """w <- (clip(z, -l1, l1) - z) / (n^p / rate + 2 l2 + beta / rate), p = -learning_rate_power;
    n grows by g^2, z by g + 2 shrinkage w - (change of n^p) w / rate."""

    defaults = {"learning_rate": 0.001, "learning_rate_power": -0.5,
                "initial_accumulator_value": 0.1, "l1_regularization_strength": 0.0,
                "l2_regularization_strength": 0.0, "l2_shrinkage_regularization_strength": 0.0,
                "beta": 0.0}
    divides_by_rate = True

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        start = float(np.float32(self.config["initial_accumulator_value"]))
        return {"accumulator": Bounded(np.full(weight.shape, start), self.rounding),
                "linear": self.zeros(weight)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        exponent = -self.config["learning_rate_power"]
        l1 = float(self.number(self.config["l1_regularization_strength"]).value)
        shrinkage = self.number(2 * self.config["l2_shrinkage_regularization_strength"])
        before = slots["accumulator"]
        after = before + gradient * gradient
        grown = power(after, exponent)
        z = slots["linear"] + (gradient + shrinkage * weight
                               - (grown - power(before, exponent)) / rate * weight)
        slots.update(accumulator=after, linear=z)
        l2 = (self.number(self.config["l2_regularization_strength"])
              + self.number(self.config["beta"]) / (rate * 2.0))
        over = np.abs(z.value) > l1 - z.bound  # below, the weight is 0
        left = Bounded(np.clip(z.value, -l1, l1) - z.value, self.rounding,
                       np.where(over, z.bound + self.rounding.unit * np.abs(z.value), 0.0))
        return left / (grown / rate + l2 * 2.0)


OPTIMIZERS = {cls.__name__.lower(): cls for cls in (
    SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, Nadam, Ftrl, Lion, Adafactor, Lamb, Muon,
    ScheduleFreeAdamW)}


def optimizer_for(class_name: str, config: Config, dtype: DTypeLike) -> Optimizer:
    """The oracle for a fresh optimizer.

    Args:
        class_name, config: as Keras writes an optimizer.
        dtype: of the weights.

    Raises:
        ValueError: for an optimizer that has no oracle, such as a subclass of somebody's own.
    """
    if class_name.lower() not in OPTIMIZERS:
        known = ", ".join(cls.__name__ for cls in OPTIMIZERS.values())
        raise ValueError(f"Expected an optimizer whose rule is known: {known}. "
                         f"Received: {class_name}")
    return OPTIMIZERS[class_name.lower()](config, dtype)
