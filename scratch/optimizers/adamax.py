"""Adamax (Kingma and Ba, 2014, section 7.1): Adam by the largest gradient, not the mean square."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.neighbours import Slots
from scratch.optimizers.running_means import RunningMeans


class Adamax(RunningMeans):
    """w <- w - lr m / ((1 - beta_1^t) (u + epsilon)), from a running mean m of g and a fading
    largest u = max(beta_2 u, |g|); t is the number of the step.

    Args:
        beta_1, beta_2: shares of the old, between 0 and 1.
        epsilon: keeps the division from blowing up.
        settings: see `Optimizer`.
    """

    side_by_side = True

    elementwise = True

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **settings):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **settings)
        self.norms: list[np.ndarray] = []
        self.slot_names = ("momentums", "norms")

    def make_slots(self, variables):
        self.momentums = Slots.zeros_like(variables)
        self.norms = Slots.zeros_like(variables)

    def update_step(self, gradient, variable, rate, position):
        m, u = self.momentums[position], self.norms[position]
        m += (gradient - m) * (1 - self.beta_1)
        np.maximum(self.beta_2 * u, np.abs(gradient), out=u)
        dtype = variable.dtype
        share = 1 - np.power(as_keras_casts(self.beta_1, dtype), dtype.type(self.iterations + 1))
        variable -= rate * m / (share * (u + self.epsilon))
