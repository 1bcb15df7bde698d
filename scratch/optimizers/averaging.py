"""Moving averages of the weights (Polyak averaging): `use_ema` and what goes with it."""

import numpy as np

from scratch import side_by_side
from scratch.optimizers.neighbours import Runs


class MovingAverages:
    """average <- momentum average + (1 - momentum) weight, after each step; the weight itself at
    first.

    Args:
        owner: the optimizer's class, for messages.
        momentum: the share of the old, between 0 and 1.
        overwrite_frequency: every so many steps the averages take the weights' places; None for
            never.

    Attributes:
        arrays: the averages, in the order of the weights.

    Raises:
        ValueError: for another momentum or frequency.
    """

    def __init__(self, owner: str, momentum, overwrite_frequency):
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"{owner}: expected ema_momentum to be between 0 and 1. "
                             f"Received: ema_momentum={momentum!r}")
        if overwrite_frequency and (not isinstance(overwrite_frequency, int)
                                    or overwrite_frequency < 1):
            raise ValueError(f"{owner}: expected ema_overwrite_frequency to be a whole number from "
                             "1 on, or None. Received: "
                             f"ema_overwrite_frequency={overwrite_frequency!r}")
        self.momentum, self.overwrite_frequency = momentum, overwrite_frequency
        self.arrays: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self._runs = Runs()

    def build(self, variables: list) -> None:
        """Make the averages of these weights."""
        self._weights = list(variables)
        self.arrays = side_by_side.zeros_like(variables)

    def follow(self, variables: list, steps: int) -> None:
        """Let the averages follow the weights, and take their places if it is time.

        Args:
            variables: all weights, in the order of the averages.
            steps: how many were made before this one.
        """
        for average, variable in self._runs.pairs(self.arrays, variables):
            momentum = variable.dtype.type(self.momentum if steps else 0)
            average[...] = momentum * average + (1 - momentum) * variable
        if self.overwrite_frequency and (steps + 1) % self.overwrite_frequency == 0:
            self.overwrite(variables)

    def overwrite(self, variables: list) -> None:
        """Put the averages into the places of these weights, all or some of them."""
        for average, variable in self._pairs(variables):
            variable[...] = average

    def exchange(self, variables: list) -> None:
        """Let the averages and these weights change places."""
        for average, variable in self._pairs(variables):
            average[...], variable[...] = variable.copy(), average.copy()

    def _pairs(self, variables: list) -> list[tuple[np.ndarray, np.ndarray]]:
        """(average, weight) of each of these weights that has an average: not one that was frozen
        when they were made."""
        averages = {id(weight): average for weight, average in zip(self._weights, self.arrays)}
        return [(averages[id(variable)], variable) for variable in variables
                if id(variable) in averages]
