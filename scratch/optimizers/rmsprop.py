"""RMSprop (Hinton, 2012): steps divided by the root of the squared gradients' running mean."""

import numpy as np

from scratch.optimizers.neighbours import Slots
from scratch.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """w <- w - lr g / sqrt(v + epsilon), from a running mean v of g^2.

    Args:
        rho: share of the old in the running means, between 0 and 1.
        momentum: keep this share of the last step and add the new one to it (not Nesterov's).
        epsilon: inside the root.
        centered: take the square of the gradients' running mean away from v.
        settings: see `Optimizer`.
    """

    elementwise = True

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False,
                 **settings):
        super().__init__(learning_rate, **settings)
        self.rho = self._number("rho", rho, highest=1)
        self.momentum = self._number("momentum", momentum, highest=1)
        self.epsilon = self._number("epsilon", epsilon)
        self.centered = bool(centered)
        self.velocities: list[np.ndarray] = []
        self.momentums: list[np.ndarray] = []
        self.average_gradients: list[np.ndarray] = []
        self.slot_names = ("velocities", "momentums", "average_gradients")

    def make_slots(self, variables):
        self.velocities = Slots.zeros_like(variables)
        if self.momentum:
            self.momentums = Slots.zeros_like(variables)
        if self.centered:
            self.average_gradients = Slots.zeros_like(variables)

    def update_step(self, gradient, variable, rate, position):
        velocity = self.velocities[position]
        velocity[...] = self.rho * velocity + (1 - self.rho) * np.square(gradient)
        denominator = velocity
        if self.centered:
            mean = self.average_gradients[position]
            mean[...] = self.rho * mean + (1 - self.rho) * gradient
            denominator = velocity - np.square(mean)
        increment = rate * gradient / np.sqrt(denominator + self.epsilon)
        if self.momentum:
            momentum = self.momentums[position]
            momentum[...] = self.momentum * momentum + increment
            increment = momentum
        variable -= increment

    def get_config(self):
        return {**super().get_config(), "rho": self.rho, "momentum": self.momentum,
                "epsilon": self.epsilon, "centered": self.centered}
