"""Stochastic gradient descent, with or without momentum."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.neighbours import Slots
from scratch.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """w <- w - lr g; with momentum b: m <- b m - lr g, w <- w + m (Nesterov: w <- w + b m - lr g).

    Args:
        momentum: between 0 and 1.
        nesterov: look ahead along the momentum.
        settings: see `Optimizer`.
    """

    elementwise = True

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **settings):
        super().__init__(learning_rate, **settings)
        self.momentum = self._number("momentum", momentum, highest=1)
        self.nesterov = bool(nesterov)
        self.momentums: list[np.ndarray] = []

    def make_slots(self, variables):
        if self.momentum:
            self.momentums = Slots.zeros_like(variables)
            self.slot_names = ("momentums",)

    def update_step(self, gradient, variable, rate, position):
        step = gradient * rate
        if not self.momentum:
            variable -= step
            return
        beta = as_keras_casts(self.momentum, variable.dtype)
        velocity = self.momentums[position]
        velocity *= beta
        velocity -= step
        variable += velocity * beta - step if self.nesterov else velocity

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
