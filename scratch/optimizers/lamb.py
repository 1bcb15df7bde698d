"""Lamb (You et al., 2019): Adam's step, made as long as the weight itself times the rate."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.running_means import RunningMeans


class Lamb(RunningMeans):
    """w <- w - lr |w| / |d| d, d = m' / (sqrt(v') + epsilon), from running means m of g and v of
    g^2, each made up for its start: m' = m / (1 - beta_1^t), v' = v / (1 - beta_2^t).

    |w| and |d| are 2-norms of the whole weight and of its step; where one is 0, their ratio is 1.

    Args:
        beta_1, beta_2: shares of the old in the running means, between 0 and 1.
        epsilon: keeps the division from blowing up.
        settings: see `Optimizer`.
    """

    side_by_side = True

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **settings):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **settings)
        self.velocities: list[np.ndarray] = []
        self.slot_names = ("momentums", "velocities")

    def make_slots(self, variables):
        self.momentums = [np.zeros_like(v) for v in variables]
        self.velocities = [np.zeros_like(v) for v in variables]

    def update_step(self, gradient, variable, rate, position):
        m, v = self.momentums[position], self.velocities[position]
        m += (gradient - m) * (1 - self.beta_1)
        v += (np.square(gradient) - v) * (1 - self.beta_2)
        dtype = variable.dtype
        step = dtype.type(self.iterations + 1)
        mean_share, square_share = (1 - np.power(as_keras_casts(beta, dtype), step)
                                    for beta in (self.beta_1, self.beta_2))
        direction = m / mean_share / (np.sqrt(v / square_share) + self.epsilon)
        length, step_length = (np.sqrt(np.sum(np.square(each))) for each in (variable, direction))
        ratio = length / step_length if length > 0 and step_length > 0 else dtype.type(1)
        variable -= ratio * rate * direction
