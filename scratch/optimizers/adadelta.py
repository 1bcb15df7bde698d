"""Adadelta (Zeiler, 2012): steps in the weights' own unit, out of the sizes of earlier ones."""

import numpy as np

from scratch.optimizers.neighbours import Slots
from scratch.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """w <- w - lr d, d = g sqrt(s + epsilon) / sqrt(a + epsilon), from running means a of g^2 and s
    of d^2.

    Args:
        rho: the share of the old in the running means, between 0 and 1.
        epsilon: inside the roots.
        settings: see `Optimizer`.
    """

    side_by_side = True

    elementwise = True

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, **settings):
        super().__init__(learning_rate, **settings)
        self.rho = self._number("rho", rho, highest=1)
        self.epsilon = self._number("epsilon", epsilon)
        self.accumulated_grads: list[np.ndarray] = []
        self.accumulated_delta_vars: list[np.ndarray] = []
        self.slot_names = ("accumulated_grads", "accumulated_delta_vars")

    def make_slots(self, variables):
        self.accumulated_grads = Slots.zeros_like(variables)
        self.accumulated_delta_vars = Slots.zeros_like(variables)

    def update_step(self, gradient, variable, rate, position):
        squares, steps = self.accumulated_grads[position], self.accumulated_delta_vars[position]
        squares *= self.rho
        squares += (1 - self.rho) * np.square(gradient)
        step = np.sqrt(steps + self.epsilon) * gradient / np.sqrt(squares + self.epsilon)
        steps *= self.rho
        steps += (1 - self.rho) * np.square(step)
        variable -= rate * step

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
