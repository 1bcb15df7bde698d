"""Adagrad (Duchi et al., 2011): steps that shrink with all that a weight has been moved by."""

import numpy as np

from scratch.optimizers.casting import as_keras_casts
from scratch.optimizers.neighbours import Slots
from scratch.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """w <- w - lr g / sqrt(a + epsilon), a being the sum of all g^2 and of its initial value.

    Args:
        initial_accumulator_value: what each a starts from, not negative.
        epsilon: inside the root.
        settings: see `Optimizer`.
    """

    elementwise = True

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7,
                 **settings):
        super().__init__(learning_rate, **settings)
        self.initial_accumulator_value = self._number("initial_accumulator_value",
                                                      initial_accumulator_value)
        self.epsilon = self._number("epsilon", epsilon)
        self.accumulators: list[np.ndarray] = []
        self.slot_names = ("accumulators",)

    def make_slots(self, variables):
        self.accumulators = Slots.zeros_like(variables)
        for accumulator in self.accumulators:
            accumulator[...] = as_keras_casts(self.initial_accumulator_value, accumulator.dtype)

    def update_step(self, gradient, variable, rate, position):
        accumulator = self.accumulators[position]
        accumulator += np.square(gradient)
        variable -= rate * gradient / np.sqrt(accumulator + self.epsilon)

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon,
                "initial_accumulator_value": self.initial_accumulator_value}
