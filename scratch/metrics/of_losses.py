"""Losses as metrics: the mean over samples of what the loss is for each."""

import numpy as np

from scratch import losses
from scratch.losses.targets import same_rank
from scratch.metrics.base import MeanMetric


class LossMetric(MeanMetric):
    """Base: the mean of a loss over all samples, without a reduction of its own.

    Its arguments are the loss's that change its values. It sees the outputs alone: Keras takes a
    softmax's or sigmoid's input here too, which shows where a probability is below 1e-7.
    """

    loss_class: type[losses.Loss]
    settings: tuple[str, ...] = ()
    direction = "down"

    def __init__(self, name=None, dtype=None, **settings):
        own = {key: settings.pop(key) for key in self.settings if key in settings}
        self.loss = self.loss_class(**own)
        super().__init__(name, dtype, **settings)

    def update_state(self, y_true, y_pred, sample_weight=None):
        values, valid = self.loss.each(y_true, np.asarray(y_pred))
        if sample_weight is not None and valid is not None:
            mask, given = same_rank(valid, np.asarray(sample_weight, np.float64))
            try:
                sample_weight = mask * given
            except ValueError:
                raise ValueError(f"{type(self).__name__}: expected sample weights that stretch to "
                                 f"the losses' shape {valid.shape}. Received: "
                                 f"{np.shape(sample_weight)}") from None
        self.add(values, sample_weight)

    def get_config(self):
        own = self.loss.get_config()
        return {**super().get_config(), **{key: own[key] for key in self.settings}}


class MeanSquaredError(LossMetric):
    """The mean of (y - p)^2."""

    loss_class = losses.MeanSquaredError
    default_name = "mean_squared_error"


class RootMeanSquaredError(MeanSquaredError):
    """The square root of the mean of (y - p)^2 over all samples."""

    uses_masks = False  # Keras computes it by itself, and looks at no mask
    default_name = "root_mean_squared_error"

    def result(self):
        return super().result() ** 0.5


class MeanAbsoluteError(LossMetric):
    """The mean of |y - p|."""

    loss_class = losses.MeanAbsoluteError
    default_name = "mean_absolute_error"


class MeanAbsolutePercentageError(LossMetric):
    """The mean of 100 |y - p| / |y|."""

    loss_class = losses.MeanAbsolutePercentageError
    default_name = "mean_absolute_percentage_error"


class MeanSquaredLogarithmicError(LossMetric):
    """The mean of (log(1 + y) - log(1 + p))^2."""

    loss_class = losses.MeanSquaredLogarithmicError
    default_name = "mean_squared_logarithmic_error"


class LogCoshError(LossMetric):
    """The mean of log(cosh(p - y))."""

    loss_class = losses.LogCosh
    default_name = "logcosh"


class KLDivergence(LossMetric):
    """The mean of sum(y log(y / p))."""

    loss_class = losses.KLDivergence
    default_name = "kl_divergence"


class Poisson(LossMetric):
    """The mean of p - y log p."""

    loss_class = losses.Poisson
    default_name = "poisson"


class Hinge(LossMetric):
    """The mean of max(1 - y p, 0)."""

    loss_class = losses.Hinge
    default_name = "hinge"


class SquaredHinge(LossMetric):
    """The mean of max(1 - y p, 0)^2."""

    loss_class = losses.SquaredHinge
    default_name = "squared_hinge"


class BinaryCrossentropy(LossMetric):
    """The mean binary cross-entropy."""

    loss_class = losses.BinaryCrossentropy
    settings = ("from_logits", "label_smoothing")
    default_name = "binary_crossentropy"


class CategoricalCrossentropy(LossMetric):
    """The mean cross-entropy, for rows of targets."""

    loss_class = losses.CategoricalCrossentropy
    settings = ("from_logits", "label_smoothing")
    neutral = {"axis": (-1,)}
    default_name = "categorical_crossentropy"


class SparseCategoricalCrossentropy(LossMetric):
    """The mean cross-entropy, for class numbers."""

    loss_class = losses.SparseCategoricalCrossentropy
    settings = ("from_logits", "ignore_class")
    neutral = {"axis": (-1,)}
    default_name = "sparse_categorical_crossentropy"


class CategoricalHinge(LossMetric):
    """The mean of max(max((1 - y) p) - sum(y p) + 1, 0), for rows of targets."""

    loss_class = losses.CategoricalHinge
    default_name = "categorical_hinge"


class CosineSimilarity(LossMetric):
    """The mean of sum(y p), y and p over their lengths: 1 where they point the same way."""

    loss_class = losses.CosineSimilarity
    default_name = "cosine_similarity"
    neutral = {"axis": (-1,)}
    direction = "up"

    def result(self):
        return 0.0 - super().result()
