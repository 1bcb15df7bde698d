"""How far outputs follow their targets: R2 and two correlations."""

import numpy as np

from scratch.losses.base import EPSILON
from scratch.losses.targets import same_rank
from scratch.metrics.base import MeanMetric, Metric, require


class Correlation(MeanMetric):
    """Base of the correlations.

    Args:
        axis: one or several, along which targets and outputs are correlated.
    """

    def __init__(self, name=None, dtype=None, axis=-1):
        self.axis = axis
        super().__init__(name, dtype)

    def values(self, y_true, y_pred):
        y_pred, y_true = same_rank(y_pred, y_true)
        require(y_true.shape == y_pred.shape, type(self).__name__, "targets of the outputs' shape",
                y_true, y_pred)
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        return self.correlated(y_true.astype(np.float64), y_pred.astype(np.float64), axis)

    def correlated(self, y_true: np.ndarray, y_pred: np.ndarray, axis) -> np.ndarray:
        """The figure of each sample."""
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class PearsonCorrelation(Correlation):
    """cov(y_true, y_pred) / (std(y_true) std(y_pred)) of each sample; NaN where one is constant."""

    default_name = "pearson_correlation"

    def correlated(self, y_true, y_pred, axis):
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = [(y - y.mean(axis=axis, keepdims=True)) / y.std(axis=axis, keepdims=True)
                      for y in (y_true, y_pred)]
        return np.mean(scaled[0] * scaled[1], axis=axis)


class ConcordanceCorrelation(Correlation):
    """2 cov(y_true, y_pred) / (var(y_true) + var(y_pred) + (difference of means)^2 + 1e-7) of each
    sample (Lin, 1989)."""

    default_name = "concordance_correlation"

    def correlated(self, y_true, y_pred, axis):
        means = [y.mean(axis=axis, keepdims=True) for y in (y_true, y_pred)]
        # as in Keras, from the mean of the outputs: the sum over the sample is the same
        products = (y_true - means[1]) * (y_pred - means[1])
        size = (y_true.var(axis=axis, keepdims=True) + y_pred.var(axis=axis, keepdims=True)
                + np.square(means[0] - means[1]) + EPSILON)
        return np.mean(2 * products / size, axis=axis)


class R2Score(Metric):
    """1 - sum (y_true - y_pred)^2 / sum (y_true - mean)^2 over all samples, output by output.

    Args:
        class_aggregation: 'uniform_average' for the mean over the outputs,
            'variance_weighted_average' for that weighted by the targets' variances, None for all.
        num_regressors: p in the adjusted score 1 - (1 - R2) (n - 1) / (n - p - 1), n being the
            number of targets; 0 for the score itself. Where n is too small, that is what comes.

    Raises:
        ValueError: for another aggregation or a negative number; for targets that are not (batch,
            outputs).
    """

    default_name = "r2_score"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name=None,
                 dtype=None):
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(f"R2Score: expected class_aggregation to be one of {known}. "
                             f"Received: class_aggregation={class_aggregation!r}")
        if num_regressors < 0:
            raise ValueError("R2Score: expected num_regressors not below 0. "
                             f"Received: num_regressors={num_regressors!r}")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred, y_true = same_rank(np.asarray(y_pred), np.asarray(y_true))
        require(y_pred.ndim == 2 and y_true.shape == y_pred.shape, "R2Score",
                "targets (batch, outputs)", y_true, y_pred)
        y_true, y_pred = y_true.astype(np.float64), y_pred.astype(np.float64)
        weights = np.asarray(1 if sample_weight is None else sample_weight, np.float64)
        try:
            weights = np.broadcast_to(weights[:, None] if weights.ndim == 1 else weights,
                                      y_true.shape)
        except ValueError:
            raise ValueError("R2Score: expected sample weights that stretch to "
                             f"{y_true.shape}. Received: {weights.shape}") from None
        sums = np.stack([weights, weights * y_true, weights * y_true * y_true,
                         weights * np.square(y_true - y_pred)]).sum(axis=1)
        self.sums = sums if self.sums is None else self.sums + sums
        self.targets += y_true.size

    def result(self):
        if self.sums is None:
            return 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            count, total, squares, residuals = self.sums
            spread = squares - total * (total / count)
            scores = 1 - residuals / spread
            scores = np.where(np.isinf(scores), 0, scores)
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation is not None:
                scores = (spread * scores).sum() / spread.sum()
        if 0 < self.num_regressors < self.targets - 1:
            left = self.targets - self.num_regressors - 1
            scores = 1 - (1 - scores) * (self.targets - 1) / left
        return float(scores) if np.ndim(scores) == 0 else scores

    def reset_state(self):
        self.sums, self.targets = None, 0

    def get_config(self):
        return {**super().get_config(), "class_aggregation": self.class_aggregation,
                "num_regressors": self.num_regressors}
