"""What Adam and its kin have in common: two shares of the old, an epsilon, a running mean of g."""

import numpy as np

from scratch.optimizers.optimizer import Optimizer


class RunningMeans(Optimizer):
    """Base of those that remember a running mean of the gradients and something of their size.

    Args:
        beta_1, beta_2: shares of the old, between 0 and 1.
        epsilon: keeps the division from blowing up.
        settings: see `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **settings):
        super().__init__(learning_rate, **settings)
        self.beta_1 = self._number("beta_1", beta_1, highest=1)
        self.beta_2 = self._number("beta_2", beta_2, highest=1)
        self.epsilon = self._number("epsilon", epsilon)
        self.momentums: list[np.ndarray] = []

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2,
                "epsilon": self.epsilon}
