"""Nadam (Dozat, 2015): Adam with Nesterov's momentum, whose share grows as training goes on."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.neighbours import Slots
from scratch.optimizers.running_means import RunningMeans

DECAY = 0.96


class Nadam(RunningMeans):
    """w <- w - lr n / (sqrt(v / (1 - beta_2^t)) + epsilon), from running means m of g and v of g^2.

    With u_t = beta_1 (1 - 0.96^t / 2) and U_t = u_1 ... u_t, t being the number of the step,
    n = u_{t+1} m / (1 - U_{t+1}) + (1 - u_t) g / (1 - U_t).

    Args:
        beta_1, beta_2: shares of the old in the running means, between 0 and 1.
        epsilon: keeps the division from blowing up.
        settings: see `Optimizer`.
    """

    side_by_side = True

    elementwise = True

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **settings):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **settings)
        self.velocities: list[np.ndarray] = []
        self.slot_names = ("momentums", "velocities")
        self.u_product = np.ones((), np.float32)

    def make_slots(self, variables):
        self.momentums = Slots.zeros_like(variables)
        self.velocities = Slots.zeros_like(variables)
        self.u_product = np.ones((), variables[0].dtype if variables else np.float32)

    def slots(self):
        return [*super().slots(), self.u_product]

    def restart_at(self, iterations):
        super().restart_at(iterations)
        self.u_product[...] = 1
        for step in range(1, self.iterations + 1):
            self._multiply(step)
            if not self.u_product:  # it has underflown
                break

    def _multiply(self, step: int) -> None:
        dtype = self.u_product.dtype
        power = np.power(dtype.type(DECAY), dtype.type(step))
        self.u_product[...] = self.u_product * self.beta_1 * (1 - dtype.type(0.5) * power)

    def update(self, gradients, variables, positions, rate):
        self._multiply(self.iterations + 1)
        super().update(gradients, variables, positions, rate)

    def update_step(self, gradient, variable, rate, position):
        dtype, t = variable.dtype, self.iterations + 1
        decay, beta_1, beta_2 = (as_keras_casts(number, dtype)
                                 for number in (DECAY, self.beta_1, self.beta_2))
        half, product = dtype.type(0.5), dtype.type(self.u_product)
        now = beta_1 * (1 - half * np.power(decay, dtype.type(t)))
        after = beta_1 * (1 - half * np.power(decay, dtype.type(t + 1)))
        m, v = self.momentums[position], self.velocities[position]
        m += (gradient - m) * (1 - beta_1)
        v += (np.square(gradient) - v) * (1 - beta_2)
        ahead = (after * m / (1 - product * after) + (1 - now) * gradient / (1 - product))
        mean_square = v / (1 - np.power(beta_2, dtype.type(t)))
        variable -= ahead * rate / (np.sqrt(mean_square) + self.epsilon)
