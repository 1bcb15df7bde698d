"""The learning rate of an optimizer: a number, rounded as Keras keeps it, or a schedule."""

from typing import Any

import numpy as np

from scratch.errors import UnsupportedError
from scratch.optimizers import schedules
from scratch.optimizers.state import is_finite_number


class HasLearningRate:
    """Knows the rate of the next step."""

    _learning_rate: Any
    _given_rate: float
    _rate_dtype: Any
    _calls: int

    @property
    def learning_rate(self) -> float:
        """The rate of the next step, in the model's precision, as Keras keeps it.

        Raises:
            TypeError: on setting a number where a schedule rules.
        """
        if isinstance(self._learning_rate, float):
            return self._learning_rate
        return float(self._learning_rate(self._calls))  # as in Keras, of calls

    @learning_rate.setter
    def learning_rate(self, value):
        scheduled = not isinstance(self._learning_rate, float)
        if scheduled and not isinstance(value, schedules.LearningRateSchedule):
            raise TypeError(f"{type(self).__name__} was made with a learning-rate schedule, so its "
                            f"rate cannot be set. Received: learning_rate={value!r}")
        self._learning_rate = self._checked_rate(value)

    def _checked_rate(self, value):
        """A schedule, or the number rounded to the model's precision, float32 until it is known."""
        if isinstance(value, schedules.LearningRateSchedule):
            return value
        if isinstance(value, dict) or callable(value):
            raise UnsupportedError(
                f"Optimizer {type(self).__name__} does not support learning_rate={value!r}. "
                "Expected a number or a LearningRateSchedule.")
        if not is_finite_number(value) or value < 0:
            raise ValueError(f"{type(self).__name__}: expected learning_rate to be a finite "
                             f"number, not negative. Received: learning_rate={value!r}")
        self._given_rate = float(value)
        return float(self._rate_dtype(value))

    def compute_in(self, dtype) -> None:
        """Keep the learning rate in that precision: that of a float64 model as it was given."""
        if np.dtype(dtype) == np.float64 and self._rate_dtype is np.float32:
            self._rate_dtype = np.float64
            if isinstance(self._learning_rate, float):
                self._learning_rate = self._given_rate
