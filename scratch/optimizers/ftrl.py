"""Ftrl (McMahan et al., 2013): follow the regularized leader, for weights most of which are 0."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.optimizer import Optimizer


class Ftrl(Optimizer):
    """w <- (clip(z, -l1, l1) - z) / (n^p / lr + 2 l2 + beta / lr), p = -learning_rate_power.

    n is the sum of all g^2 and of its initial value; z grows by g + 2 shrinkage w - (change of n^p)
    w / lr. So a weight is 0 while |z| is below l1.

    Args:
        learning_rate_power: 0 or below.
        initial_accumulator_value: what each n starts from, not negative.
        l1_regularization_strength, l2_regularization_strength: l1 and l2, not negative.
        l2_shrinkage_regularization_strength: the shrinkage, not negative.
        beta: see the formula.
        settings: see `Optimizer`.
    """

    side_by_side = True

    def __init__(self, learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
                 l1_regularization_strength=0.0, l2_regularization_strength=0.0,
                 l2_shrinkage_regularization_strength=0.0, beta=0.0, **settings):
        super().__init__(learning_rate, **settings)
        self.power = self._number("-learning_rate_power", -learning_rate_power)
        self.initial_accumulator_value = self._number("initial_accumulator_value",
                                                      initial_accumulator_value)
        self.l1 = self._number("l1_regularization_strength", l1_regularization_strength)
        self.l2 = self._number("l2_regularization_strength", l2_regularization_strength)
        self.shrinkage = self._number("l2_shrinkage_regularization_strength",
                                      l2_shrinkage_regularization_strength)
        self.beta = self._number("beta", beta)
        self.accumulators: list[np.ndarray] = []
        self.linears: list[np.ndarray] = []
        self.slot_names = ("accumulators", "linears")

    def make_slots(self, variables):
        self.accumulators = [
            np.full_like(v, as_keras_casts(self.initial_accumulator_value, v.dtype))
            for v in variables]
        self.linears = [np.zeros_like(v) for v in variables]

    def update_step(self, gradient, variable, rate, position):
        n, z = self.accumulators[position], self.linears[position]
        after = n + np.square(gradient)
        power = np.power(after, self.power)
        z += gradient + 2 * self.shrinkage * variable \
            - (power - np.power(n, self.power)) / rate * variable
        curvature = power / rate + 2 * (self.l2 + self.beta / (2 * rate))
        variable[...] = (np.clip(z, -self.l1, self.l1) - z) / curvature
        n[...] = after

    def get_config(self):
        return {**super().get_config(), "learning_rate_power": -self.power,
                "initial_accumulator_value": self.initial_accumulator_value,
                "l1_regularization_strength": self.l1, "l2_regularization_strength": self.l2,
                "l2_shrinkage_regularization_strength": self.shrinkage, "beta": self.beta}
