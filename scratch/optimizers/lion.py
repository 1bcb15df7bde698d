"""Lion (Chen et al., 2023): every weight moves by the learning rate, only the direction counts."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.neighbours import Slots
from scratch.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """w <- w - lr sign(beta_1 m + (1 - beta_1) g), then m <- beta_2 m + (1 - beta_2) g.

    Args:
        beta_1: the momentum's share in the step, above 0 and at most 1.
        beta_2: its share in the next momentum, between 0 and 1.
        settings: see `Optimizer`.

    Raises:
        ValueError: for a beta_1 of 0, too.
    """

    elementwise = True

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, **settings):
        super().__init__(learning_rate, **settings)
        self.beta_1 = self._number("beta_1", beta_1, highest=1)
        self.beta_2 = self._number("beta_2", beta_2, highest=1)
        if not self.beta_1:
            raise ValueError("Lion: expected beta_1 to be above 0. Received: beta_1=0")
        self.momentums: list[np.ndarray] = []
        self.slot_names = ("momentums",)

    def make_slots(self, variables):
        self.momentums = Slots.zeros_like(variables)

    def update_step(self, gradient, variable, rate, position):
        m = self.momentums[position]
        beta_1, beta_2 = (as_keras_casts(beta, variable.dtype)
                          for beta in (self.beta_1, self.beta_2))
        variable -= rate * np.sign(m * beta_1 + gradient * (1 - beta_1))
        m *= beta_2
        m += gradient * (1 - beta_2)

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
