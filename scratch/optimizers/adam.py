"""Adam (Kingma and Ba, 2014), AMSGrad (Reddi et al., 2018) and AdamW (Loshchilov, Hutter, 2017)."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.neighbours import Slots
from scratch.optimizers.running_means import RunningMeans


class Adam(RunningMeans):
    """w <- w - alpha m / (sqrt(v) + epsilon), from running means m of g and v of g^2.

    alpha = lr sqrt(1 - beta_2^t) / (1 - beta_1^t) makes up for their start at zero, t being the
    number of the step. Epsilon is the "epsilon hat" of the paper, outside this correction.

    Args:
        beta_1, beta_2: shares of the old in the running means, between 0 and 1.
        epsilon: keeps the division from blowing up.
        amsgrad: divide by the largest v so far.
        settings: see `Optimizer`.
    """

    elementwise = True

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False,
                 **settings):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **settings)
        self.amsgrad = bool(amsgrad)
        self.velocities: list[np.ndarray] = []
        self.velocity_hats: list[np.ndarray] = []

    def make_slots(self, variables):
        self.momentums = Slots.zeros_like(variables)
        self.velocities = Slots.zeros_like(variables)
        if self.amsgrad:
            self.velocity_hats = Slots.zeros_like(variables)

    def slots(self):
        pairs = zip(self.momentums, self.velocities)  # Keras keeps the two side by side
        return [slot for pair in pairs for slot in pair] + self.velocity_hats

    def factor(self, rate):
        dtype = rate.dtype
        step = dtype.type(self.iterations + 1)
        mean_share = 1 - np.power(as_keras_casts(self.beta_1, dtype), step)
        square_share = 1 - np.power(as_keras_casts(self.beta_2, dtype), step)
        return rate * np.sqrt(square_share) / mean_share

    def update_step(self, gradient, variable, alpha, position):
        m, v = self.momentums[position], self.velocities[position]
        m += (gradient - m) * (1 - self.beta_1)
        v += (np.square(gradient) - v) * (1 - self.beta_2)
        if self.amsgrad:
            v = np.maximum(self.velocity_hats[position], v, out=self.velocity_hats[position])
        variable -= m * alpha / (np.sqrt(v) + self.epsilon)

    def get_config(self):
        return {**super().get_config(), "amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam whose weights decay by themselves, not through their gradient.

    Raises:
        ValueError: for weight_decay=None.
    """

    elementwise = True

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999,
                 epsilon=1e-7, amsgrad=False, **settings):
        if weight_decay is None:
            raise ValueError("AdamW: expected weight_decay to be a number. "
                             "Received: weight_decay=None")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad,
                         weight_decay=weight_decay, **settings)
