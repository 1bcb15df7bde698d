"""What an optimizer keeps from step to step, and how files hold it."""

import math
from typing import Any

import numpy as np


class State:
    """The part of an optimizer that training changes.

    Attributes:
        side_by_side: whether Keras lists a weight's slots beside each other.
    """

    side_by_side = False
    averages: Any  # a list of arrays
    gradient_accumulators: list[np.ndarray]
    slot_names: tuple[str, ...]
    _learning_rate: Any
    _given_rate: float
    _calls: int

    @property
    def variables(self) -> list[np.ndarray]:
        """All that training changes in the optimizer, in Keras's order: what a file keeps of it.

        The number of calls, the learning rate unless it is scheduled, moving averages, gathered
        gradients, then the slots. The first two are copies.
        """
        kept = [np.asarray(self._calls, np.int64)]
        rate = self._learning_rate
        if isinstance(rate, float):  # that of a float64 model, or out of a config, may need float64
            fits = float(np.float32(rate)) == rate  # beside a float32 the rate would be rounded
            kept.append(np.asarray(rate, np.float32 if fits else np.float64))
        return kept + self._all_slots()

    def _all_slots(self) -> list[np.ndarray]:
        return [*self.averages, *self.gradient_accumulators, *self.slots()]

    def slots(self) -> list[np.ndarray]:
        """The slots themselves, kind after kind, or of each weight all kinds side by side."""
        kinds = [getattr(self, name) for name in self.slot_names]
        return [slot for each in (zip(*kinds) if self.side_by_side else kinds) for slot in each]

    def restart_at(self, iterations: int) -> None:
        """Take it that so many calls have been made; the slots stay as they are."""
        self._calls = iterations

    def save_own_variables(self, store) -> None:
        """Put `variables` into a mapping under '0', '1' ..., as Keras's files have them."""
        for i, value in enumerate(self.variables):
            store[str(i)] = value

    def require_own_variables(self, store) -> list[np.ndarray]:
        """The arrays in such a mapping in their order, if they could be this optimizer's.

        Raises:
            ValueError: for another number of arrays, another shape, a number of steps or a learning
                rate that cannot be one.
        """
        own = [value.shape for value in self.variables]
        values = [np.asarray(store[str(i)]) for i in range(len(store))]
        shapes = [value.shape for value in values]
        if shapes != own:
            raise ValueError(f"{type(self).__name__}: expected arrays of shapes {own}. "
                             f"Received: {shapes}")
        steps = values[0]
        if not 0 <= steps < 2 ** 63 or int(steps) != steps:  # NaN is not between anything
            raise ValueError(f"{type(self).__name__}: expected iterations to be a whole number, "
                             f"not below 0. Received: {steps}")
        if isinstance(self._learning_rate, float) and not 0 <= values[1] < math.inf:
            raise ValueError(f"{type(self).__name__}: expected learning_rate to be a finite "
                             f"number, not negative. Received: {values[1]}")
        return values

    def load_own_variables(self, store) -> None:
        """Take over what `save_own_variables`, here or in Keras, has put into a mapping.

        Raises:
            ValueError: as `require_own_variables`; nothing is changed then.
        """
        values = self.require_own_variables(store)
        self._calls = int(values[0])
        if isinstance(self._learning_rate, float):
            self._learning_rate = self._given_rate = float(values[1])
        slots = self._all_slots()
        for slot, value in zip(slots, values[len(values) - len(slots):]):
            slot[...] = value


def is_finite_number(value) -> bool:
    """Whether it is a single real number, and neither NaN nor infinite."""
    value = np.asarray(value)
    return value.ndim == 0 and value.dtype.kind in "biuf" and bool(np.isfinite(value))
