"""The oracles for Lamb, Adafactor, Muon and ScheduleFreeAdamW.

The first three move a weight by what they know of all of it: its norm, the means along its rows and
columns, its singular values. TensorFlow casts through float32 Lamb's and Muon's betas in the powers
that make up for the start at zero, Adafactor's epsilon_2, and all of ScheduleFreeAdamW's settings.
"""

import re
from typing import Any

import numpy as np

from compare.oracle.elementary import power
from compare.oracle.optimizers import Adam, Optimizer, larger, norm
from compare.oracle.orthogonalizing import orthogonalized
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded


class Lamb(Adam):
    """w <- w - rate |w| / |d| d, d = m' / (sqrt(v') + epsilon), both means made up for their start;
    where a norm is 0 the ratio is 1."""

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        return {"momentum": self.zeros(weight), "velocity": self.zeros(weight)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        direction = self.direction(gradient, slots)
        return weight - self.ratio(weight, direction) * rate * direction

    def direction(self, gradient: Bounded, slots: dict[str, Bounded]) -> Bounded:
        """d, and the means of the slots moved on."""
        nothing = (slots["momentum"].support() == 0) & (gradient.support() == 0)
        self.means(gradient, slots)
        return (slots["momentum"] / self.start("beta_1")
                / ((slots["velocity"] / self.start("beta_2")).sqrt()
                   + self.number(self.config["epsilon"]))).where(~nothing)

    def ratio(self, weight: Bounded, direction: Bounded) -> Bounded:
        """|w| / |d|, or 1."""
        if not weight.support().any() or not direction.support().any():
            return Bounded(1.0, self.rounding)
        return norm([weight]) / norm([direction])


class Adafactor(Optimizer):
    """w <- w - max(epsilon_2, rms(w)) min(rate, 1 / sqrt(t)) u / max(1, rms(u) / clip_threshold),
    u = g / sqrt(v), v a running mean of g^2 + epsilon_1, or the product of its means along the last
    axis and the one before."""

    defaults = {"learning_rate": 0.001, "beta_2_decay": -0.8, "epsilon_1": 1e-30,
                "epsilon_2": 1e-3, "clip_threshold": 1.0}

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        if len(weight.shape) < 2:
            return {"velocity": self.zeros(weight)}
        rows, columns = weight.shape[:-1], (*weight.shape[:-2], weight.shape[-1])
        return {"row": Bounded(np.zeros(rows), self.rounding),
                "column": Bounded(np.zeros(columns), self.rounding),
                "velocity": self.zeros(weight)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        self.means(gradient, slots)
        direction = gradient / slots["velocity"].sqrt()
        clipped = direction / self.excess(direction)
        return weight - self.size(weight) * self.limited(rate) * clipped

    def means(self, gradient: Bounded, slots: dict[str, Bounded]) -> None:
        """Move the means of squares on."""
        squares = gradient * gradient + self.number(self.config["epsilon_1"])
        old = self.share_of_old()
        new = Bounded(1.0, self.rounding) - old
        if "row" not in slots:
            slots["velocity"] = old * slots["velocity"] + new * squares
            return
        slots["row"] = old * slots["row"] + new * averaged(squares, -1)
        slots["column"] = old * slots["column"] + new * averaged(squares, -2)
        slots["velocity"] = self.product(slots["row"], slots["column"])

    def product(self, row: Bounded, column: Bounded) -> Bounded:
        """row column / mean(row), for each place of a weight."""
        share = row / averaged(row, -1, keepdims=True)
        return (share.rearranged(lambda a: a[..., np.newaxis])
                * column.rearranged(lambda a: a[..., np.newaxis, :]))

    def share_of_old(self) -> Bounded:
        """1 - t^beta_2_decay."""
        t = Bounded(float(self.steps + 1), self.rounding)
        one = Bounded(1.0, self.rounding)
        return one - (one if t.value == 1 else power(t, self.config["beta_2_decay"]))

    def excess(self, direction: Bounded) -> Bounded:
        """max(1, rms(u) / clip_threshold)."""
        return larger(rms(direction) / self.number(self.config["clip_threshold"]),
                      Bounded(1.0, self.rounding))

    def size(self, weight: Bounded) -> Bounded:
        """max(epsilon_2, rms(w))."""
        return larger(rms(weight), Bounded(float(np.float32(self.config["epsilon_2"])),
                                           self.rounding))

    def limited(self, rate: Bounded) -> Bounded:
        """min(rate, 1 / sqrt(t))."""
        t = Bounded(float(self.steps + 1), self.rounding)
        return -larger(-rate, -(Bounded(1.0, self.rounding) / t.sqrt()))


class Muon(Adam):
    """m <- momentum m + g, w <- w - rate rms_rate sqrt(longest side) o(g + momentum m) of matrices,
    Adam's rule for all others and for those that are excluded."""

    defaults = {"learning_rate": 0.001, "adam_beta_1": 0.9, "adam_beta_2": 0.999,
                "adam_weight_decay": 0.004, "epsilon": 1e-7, "weight_decay": 0.004,
                "exclude_layers": (), "exclude_embeddings": True, "muon_a": 3.4445,
                "muon_b": -4.7750, "muon_c": 2.0315, "adam_lr_ratio": 1, "momentum": 0.95,
                "ns_steps": 5, "nesterov": True, "rms_rate": 0.2}
    absent = ("weight_decay", "adam_weight_decay", "rms_rate")

    def follows_adam(self, weight: Bounded, name: str) -> bool:
        """Whether a weight of the name 'layer/weight' follows Adam's rule."""
        return (len(weight.shape) != 2
                or bool(self.config["exclude_embeddings"] and "embedding" in name.lower())
                or any(re.search(word, name) for word in self.config["exclude_layers"]))

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        names = ["momentum"] + ["adam_velocity"] * self.follows_adam(weight, name)
        return {name: self.zeros(weight) for name in names}

    def decay_of(self, slots: dict[str, Bounded]) -> Any:
        return self.config["adam_weight_decay" if "adam_velocity" in slots else "weight_decay"]

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        if "adam_velocity" in slots or len(weight.shape) != 2:  # only matrices have singular values
            return self.by_adam(weight, gradient, slots, rate)
        beta = self.config["momentum"]
        m = slots["momentum"]
        slots["momentum"] = m = m + (gradient + m * self.number(beta - 1))
        ahead = gradient + m * self.number(beta) if self.config["nesterov"] else m
        return weight - self.adjusted(rate * self.orthogonal(ahead))

    def orthogonal(self, matrix: Bounded) -> Bounded:
        """The matrix with singular values near 1."""
        numbers = tuple(float(self.number(self.config[f"muon_{key}"]).value) for key in "abc")
        return orthogonalized(matrix, numbers, self.config["ns_steps"])  # type: ignore[arg-type]

    def adjusted(self, step: Bounded) -> Bounded:
        """The step times sqrt(longest side) and rms_rate."""
        if self.config["rms_rate"] is None:
            return step
        root = Bounded(float(max(step.shape)), self.rounding).sqrt()
        return step * root * self.number(self.config["rms_rate"])

    def by_adam(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
                rate: Bounded) -> Bounded:
        first = self.number(1 - self.config["adam_beta_1"])
        second = self.number(1 - self.config["adam_beta_2"])
        m = slots["momentum"] + (gradient - slots["momentum"]) * first
        v = slots["adam_velocity"] + (gradient * gradient - slots["adam_velocity"]) * second
        slots.update(momentum=m, adam_velocity=v)
        alpha = (rate * self.number(self.config["adam_lr_ratio"])
                 * self.start("adam_beta_2").sqrt() / self.start("adam_beta_1"))
        return weight - m * alpha / (v.sqrt() + self.number(self.config["epsilon"]))


class ScheduleFreeAdamW(Adam):
    """z <- z - rate g / (sqrt(v / (1 - beta_2^t)) + epsilon), x <- (1 - 1/t) x + z / t and
    w <- (1 - beta_1) z + beta_1 x, where x = (w - (1 - beta_1) z) / beta_1 with the new z: so Keras
    on TensorFlow, whose old z has changed by then."""

    defaults = {"learning_rate": 0.0025, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8,
                "warmup_steps": 0}
    like_weights = ("momentum",)

    def fresh(self, weight: Bounded, name: str = "") -> dict[str, Bounded]:
        return {"momentum": weight, "velocity": self.zeros(weight)}

    def rule(self, weight: Bounded, gradient: Bounded, slots: dict[str, Bounded],
             rate: Bounded) -> Bounded:
        one, t = Bounded(1.0, self.rounding), Bounded(float(self.steps + 1), self.rounding)
        before = slots["momentum"]
        beta_2, epsilon = self.cast("beta_2"), self.cast("epsilon")
        v = slots["velocity"] + (gradient * gradient - slots["velocity"]) * (one - beta_2)
        z = before - self.warmed(rate) * gradient / ((v / self.start("beta_2")).sqrt() + epsilon)
        slots.update(momentum=z, velocity=v)
        beta_1 = self.cast("beta_1")
        x = (weight - (one - beta_1) * self.recovered_by(before, z)) / beta_1
        share = self.share_of_new(t)
        return (one - beta_1) * z + beta_1 * ((one - share) * x + share * z)

    def share_of_new(self, t: Bounded) -> Bounded:
        """What the new z counts for in the mean of all."""
        return Bounded(1.0, self.rounding) / t

    def recovered_by(self, before: Bounded, after: Bounded) -> Bounded:
        """The z by which x is worked out of the weight."""
        return after

    def warmed(self, rate: Bounded) -> Bounded:
        """The rate, which rises from 0 over the first steps."""
        steps = self.config["warmup_steps"]
        if not steps or self.steps + 1 >= steps:
            return rate
        return rate * (Bounded(float(self.steps + 1), self.rounding)
                       / Bounded(float(steps), self.rounding))

    def cast(self, key: str) -> Bounded:
        return Bounded(float(np.float32(self.config[key])), self.rounding)


def averaged(x: Bounded, axis: int, keepdims: bool = False) -> Bounded:
    """The mean along an axis."""
    total, magnitude, passed_on, terms = (
        np.asarray(array.sum(axis=axis, keepdims=keepdims))
        for array in (x.value, np.abs(x.value), x.bound, x.support()))
    return mean(total, magnitude, passed_on, terms, x.shape[axis], x.rounding)


def rms(x: Bounded) -> Bounded:
    """The root of the mean square of all numbers."""
    squares = (x * x).reshape(1, -1)
    root = averaged(squares, 1).sqrt()
    return root.reshape(())


