"""ScheduleFreeAdamW (Defazio et al., 2024): averaging the weights takes the place of a schedule."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.running_means import RunningMeans


class ScheduleFreeAdamW(RunningMeans):
    """Three sequences of each weight: z makes the steps, x is the mean of all z, and the weight
    itself, at which gradients are taken, is y = (1 - beta_1) z + beta_1 x.

    z <- z - lr g / (sqrt(v / (1 - beta_2^t)) + epsilon), v a running mean of g^2, and
    x <- (1 - 1/t) x + z / t. Only z, here as in Keras the "momentum", and v are kept. z starts as
    the weight.

    The x before the step is (y - (1 - beta_1) z) / beta_1, in the paper with the z before the step.
    Keras on TensorFlow takes z after it (what its code calls `momentum_old` is the variable itself,
    which has changed by then), and so does this class.

    Args:
        beta_1: x's share in y, above 0 and at most 1.
        beta_2: the share of the old in v, between 0 and 1.
        epsilon: keeps the division from blowing up.
        warmup_steps: over so many steps the rate rises from 0.
        settings: see `Optimizer`.

    Raises:
        ValueError: for a beta_1 of 0, too.
    """

    side_by_side = True

    def __init__(self, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8,
                 warmup_steps=0, **settings):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **settings)
        if not self.beta_1:
            raise ValueError("ScheduleFreeAdamW: expected beta_1 to be above 0. "
                             "Received: beta_1=0")
        self.warmup_steps = self._number("warmup_steps", warmup_steps)
        self.given_warmup = warmup_steps
        self.velocities: list[np.ndarray] = []
        self.slot_names = ("momentums", "velocities")

    def make_slots(self, variables):
        self.momentums = [v.copy() for v in variables]
        self.velocities = [np.zeros_like(v) for v in variables]

    def update_step(self, gradient, variable, rate, position):
        z, v = self.momentums[position], self.velocities[position]
        dtype = variable.dtype
        beta_1, beta_2, epsilon = (as_keras_casts(number, dtype) for number in (
            self.beta_1, self.beta_2, self.epsilon))
        one, step = dtype.type(1), dtype.type(self.iterations + 1)
        if self.warmup_steps:
            rate = rate * min(step / dtype.type(self.warmup_steps), one)
        v += (np.square(gradient) - v) * (one - beta_2)
        mean_square = v / (one - np.power(beta_2, step))
        z -= rate * gradient / (np.sqrt(mean_square) + epsilon)
        x = (variable - (one - beta_1) * z) / beta_1
        share = one / step
        x = (one - share) * x + share * z
        variable[...] = (one - beta_1) * z + beta_1 * x

    def get_config(self):
        return {**super().get_config(), "warmup_steps": self.given_warmup}
