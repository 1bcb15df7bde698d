"""The mean and the sum of values themselves, for training loops of one's own."""

import numpy as np

from scratch.losses.targets import same_rank
from scratch.metrics.base import MeanMetric, Metric


class Mean(MeanMetric):
    """The mean of all values, weighted by the samples' weights; 0 before there are any."""

    uses_masks = False
    default_name = "mean"

    def update_state(self, values, sample_weight=None):
        """Add one batch of values, (batch, ...) or a single one."""
        self.add(np.atleast_1d(np.asarray(values, np.float64)), sample_weight)

    def __call__(self, values, sample_weight=None):
        self.update_state(values, sample_weight)
        return self.result()


class Sum(Metric):
    """The sum of all values, each times its sample's weight."""

    default_name = "sum"

    def update_state(self, values, sample_weight=None):
        """Add one batch of values, (batch, ...) or a single one.

        Raises:
            ValueError: for weights that do not stretch to the values' shape.
        """
        values = np.asarray(values, np.float64)
        if sample_weight is not None:
            given = np.asarray(sample_weight, np.float64)
            values, weights = same_rank(values, given)
            values = values.sum(axis=tuple(range(weights.ndim, values.ndim)))
            try:
                values = values * np.broadcast_to(weights, values.shape)
            except ValueError:
                raise ValueError("Sum: expected sample weights that stretch to the values' shape "
                                 f"{values.shape}. Received: {given.shape}") from None
        self.total += float(values.sum())

    def __call__(self, values, sample_weight=None):
        self.update_state(values, sample_weight)
        return self.result()

    def result(self):
        return self.total

    def reset_state(self):
        self.total = 0.0
