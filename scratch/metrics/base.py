"""What every metric is: a figure gathered over batches until it is reset, as in Keras."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.losses.targets import same_rank
from scratch.suggestions import arguments_of, did_you_mean


class Metric:
    """Base of the metrics.

    A subclass gathers in `update_state`, which may be called for any number of batches, says what
    has been gathered with `result` and forgets it with `reset_state`. Labels and outputs are those
    of whole batches. Sums are kept in float64.

    Raises:
        UnsupportedError: for a setting that changes the figure and is not supported.
    """

    # Keras arguments this metric accepts only at the value that leaves the figure alone.
    neutral: dict = {}
    default_name = ""  # Keras's, for a metric that was given none
    # Whether steps that a mask leaves out do not count, as in Keras's means of a function's values.
    uses_masks = False
    direction = "up"  # whether more is better, or, if it is "down", less

    def __init__(self, name=None, dtype=None, **settings):
        for key, value in settings.items():
            if key not in self.neutral or value not in self.neutral[key]:
                raise UnsupportedError(
                    f"Metric {type(self).__name__} does not support {key}={value!r}."
                    + did_you_mean(key, arguments_of(type(self))))
        self.name = name or self.default_name
        self.dtype = dtype  # Keras's, kept for the config: here all sums are float64
        self.asked_by: str | None = None  # the string by which `get` found it
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Add one batch.

        Raises:
            ValueError: for labels or weights of a shape that does not fit y_pred.
        """
        raise NotImplementedError

    def result(self):
        """The figure for all batches since the last reset: a float, or an array of several."""
        raise NotImplementedError

    def reset_state(self) -> None:
        """Forget all batches."""
        raise NotImplementedError

    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self.dtype or "float32"}

    @classmethod
    def from_config(cls, config: dict) -> "Metric":
        return cls(**config)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """`update_state`, then `result`."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


class MeanMetric(Metric):
    """The mean over all samples of a value that each has, weighted by the samples' weights."""

    uses_masks = True

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """The values, (batch, ...)."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.add(self.values(np.asarray(y_true), np.asarray(y_pred)), sample_weight)

    def add(self, values: np.ndarray, sample_weight=None) -> None:
        """Add one batch's values, (batch, ...)."""
        total, count = samplewise(np.asarray(values, np.float64), sample_weight)
        self.total += total
        self.count += count

    def result(self):
        return self.total / self.count if self.count else 0.0

    def reset_state(self):
        self.total = self.count = 0.0


def samplewise(values: np.ndarray, sample_weight=None) -> tuple[float, float]:
    """(sum of the samples' weighted values, sum of their weights) for values (batch, ...).

    Each sample counts once, with the mean of its values: Keras's `reduce_to_samplewise_values`.
    Weights may be one for each sample or stretch to the values' shape.

    Raises:
        ValueError: for weights of another shape.
    """
    if sample_weight is None:
        if values.ndim > 1:
            values = values.reshape(len(values), -1).mean(axis=1)
        return float(np.add.reduce(values)), float(len(values))
    given = np.asarray(sample_weight, np.float64)
    values, weights = same_rank(values, given)
    beyond = tuple(range(weights.ndim, values.ndim))
    try:
        values = values.mean(axis=beyond)
        weights = np.broadcast_to(weights, values.shape)
    except ValueError:
        raise ValueError(f"Expected sample weights that stretch to the values' shape "
                         f"{values.shape}. Received: {given.shape}") from None
    rest = tuple(range(1, values.ndim))
    return float((values * weights).mean(axis=rest).sum()), float(weights.mean(axis=rest).sum())


def require(fits: bool, metric: str, expected: str, y_true, y_pred) -> None:
    """That labels fit outputs.

    Raises:
        ValueError: if not, naming both shapes.
    """
    if not fits:
        raise ValueError(f"{metric}: expected {expected} for outputs of shape {np.shape(y_pred)}. "
                         f"Received: {np.shape(y_true)}")
