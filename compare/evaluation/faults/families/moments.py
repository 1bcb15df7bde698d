"""Faults of mean and variance: over which axes, by which formula, which of the two, when kept."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import input_gradient, output, patching
from compare.evaluation.faults.networks import around
from scratch.naming import snake_case

OUT, DX = "output", "input_gradient"
BATCH = around("BatchNormalization", momentum=0.9)
FEATURES = around("BatchNormalization", shape=(6,), momentum=0.9)
LAYER = around("LayerNormalization")
IMAGE = around("LayerNormalization", shape=(6, 5, 2))
BN, LN = "BatchNormalization", "LayerNormalization"


def by(mean, variance, axes=None):
    """In training normalizes by mean(x, axes) and variance(x, axes), along other axes perhaps; the
    moving statistics stay right."""
    def forward(self, right, x, training=False):
        if isinstance(self.params.get("moving_mean"), np.ndarray) and not training:
            return right(x, training)
        right(x, training)
        along = self._axes if axes is None else axes
        return self._normalize(x - mean(x, along).astype(x.dtype),
                               variance(x, along).astype(x.dtype))

    return patching(forward=forward)


def mean(x, axes):
    return x.mean(axis=axes, keepdims=True)


def variance(x, axes):
    return x.var(axis=axes, keepdims=True)


def mean_of_squares(x, axes):
    """E[x^2] - E[x]^2."""
    return np.square(x).mean(axis=axes, keepdims=True) - np.square(mean(x, axes))


def squared_variance(self, right, centred, spread):
    """1 / (variance + epsilon) where its root belongs."""
    return right(centred, np.square(spread + centred.dtype.type(self.epsilon))
                 - centred.dtype.type(self.epsilon))


def no_epsilon(self, right, centred, spread):
    return right(centred, spread - centred.dtype.type(self.epsilon))


def no_epsilon_at_inference(self, right, centred, spread):
    return right(centred, spread if self._by_batch else spread - centred.dtype.type(self.epsilon))


def gamma_beta_swapped(layer, y, x):
    gamma = layer.params["gamma"].reshape(layer._broadcast)
    return layer._normal * layer.params["beta"].reshape(layer._broadcast) + gamma


def moving_swapped(self, right, x, training=False):
    """At inference the moving variance is taken for the mean, and the mean for the variance."""
    if training:
        return right(x, training)
    held = self.params
    self.params = {**held, "moving_mean": held["moving_variance"],
                   "moving_variance": held["moving_mean"]}
    try:
        return right(x, training)
    finally:
        self.params = held


def moved_swapped(self, right, name, batch):
    """Each moving average takes the other moment."""
    other = {"moving_mean": "moving_variance", "moving_variance": "moving_mean"}
    right(other[name], batch)


def moves_deviation(self, right, name, batch):
    right(name, np.sqrt(batch) if name == "moving_variance" else batch)


def moves_by_default(self, right, name, batch):
    """The momentum is 0.99, the default."""
    kept, self.momentum = self.momentum, 0.99
    try:
        right(name, batch)
    finally:
        self.momentum = kept


def first_replaces(self, right, name, batch):
    """The first batch's moments replace what the averages start from."""
    if not hasattr(self, "moved"):
        self.moved = set()
    if name in self.moved:
        right(name, batch)
    else:
        self.moved.add(name)
        self.params[name][...] = batch.reshape(-1)


def moves_at_inference(self, right, x, training=False):
    y = right(x, training)
    if not training:
        self._move("moving_mean", x.mean(axis=self._axes))
        self._move("moving_variance", x.var(axis=self._axes))
    return y


def around_moving_mean(self, right, x, training=False):
    """The batch's variance is taken around the moving mean."""
    if not training:
        return right(x, training)
    centre = self.params["moving_mean"].reshape(self._broadcast).copy()
    right(x, training)
    spread = np.square(x - centre).mean(axis=self._axes, keepdims=True).astype(x.dtype)
    return self._normalize(x - mean(x, self._axes), spread)


def variance_forgotten(layer, dx, dy):
    """The gradient lacks the share of the variance."""
    dn = dy * layer.params["gamma"].reshape(layer._broadcast)
    return layer._inverse * (dn - dn.mean(layer._axes, keepdims=True))


TABLE = [
    (BN, "mean-of-squares", "the variance is E[x^2] - E[x]^2", BATCH, OUT, "cancellation",
     by(mean, mean_of_squares), ("low-precision",)),
    (LN, "mean-of-squares", "the variance is E[x^2] - E[x]^2", LAYER, OUT, "cancellation",
     by(mean, mean_of_squares), ("low-precision",)),
    (LN, "swapped", "mean and variance are exchanged", LAYER, OUT, "moments-swapped",
     by(variance, mean), ("nan",)),
    (BN, "swapped", "mean and variance of the batch are exchanged", BATCH, OUT, "moments-swapped",
     by(variance, mean), ("nan", "moving-statistics")),
    (BN, "moving-swapped", "at inference the moving mean and variance are exchanged", BATCH, OUT,
     "moments-swapped", patching(forward=moving_swapped), ("nan", "moving-statistics"),
     "inference"),
    (BN, "moved-swapped", "each moving average takes the other moment", BATCH, "moving_mean",
     "moments-swapped", patching(_move=moved_swapped), ("moving-statistics",),
     "moving statistics"),
    (BN, "each-position", "each pixel has moments of its own over the batch", BATCH, OUT,
     "normalization-axes", by(mean, variance, (0,))),
    (BN, "each-sample", "each sample has moments of its own, as in instance normalization",
     BATCH, OUT, "normalization-axes", by(mean, variance, (1, 2)), ("batch-mixed",)),
    (BN, "all-channels", "one mean and variance for all channels", BATCH, OUT,
     "normalization-axes", by(mean, variance, (0, 1, 2, 3))),
    (LN, "whole-image", "one mean and variance for the whole image, with a gain by channel",
     IMAGE, OUT, "normalization-axes", by(mean, variance, (1, 2, 3))),
    (LN, "each-channel", "moments over the pixels of a channel, as in instance normalization",
     IMAGE, OUT, "normalization-axes", by(mean, variance, (1, 2))),
    (LN, "with-batch", "moments over batch and features together", LAYER, OUT,
     "normalization-axes", by(mean, variance, (0, 1))),
    (BN, "variance-for-deviation", "divides by the variance, not by its root", BATCH, OUT,
     "variance-for-deviation", patching(_normalize=squared_variance), ("moving-statistics",)),
    (LN, "variance-for-deviation", "divides by the variance, not by its root", LAYER, OUT,
     "variance-for-deviation", patching(_normalize=squared_variance)),
    (BN, "moving-deviation", "the moving variance is an average of deviations", BATCH,
     "moving_variance", "variance-for-deviation", patching(_move=moves_deviation),
     ("moving-statistics",), "moving statistics"),
    (BN, "moving-default", "the averages move by the default momentum of 0.99", BATCH,
     "moving_mean", "moving-statistics", patching(_move=moves_by_default), (),
     "moving statistics"),
    (BN, "moving-first-replaces", "the first batch's moments replace what the averages start from",
     BATCH, "moving_mean", "moving-statistics", patching(_move=first_replaces), (),
     "moving statistics"),
    (BN, "moving-at-inference", "the averages move at inference, too", BATCH, "moving_mean",
     "moving-statistics", patching(forward=moves_at_inference), ("training-flag",), "inference"),
    (BN, "around-moving-mean", "the batch's variance is taken around the moving mean", FEATURES,
     OUT, "moving-statistics", patching(forward=around_moving_mean)),
    (BN, "epsilon-missing", "nothing is added to the variance", BATCH, OUT, "epsilon",
     patching(_normalize=no_epsilon)),
    (BN, "epsilon-missing-at-inference", "nothing is added to the moving variance", BATCH, OUT,
     "epsilon", patching(_normalize=no_epsilon_at_inference), (), "inference"),
    (LN, "epsilon-missing", "nothing is added to the variance", LAYER, OUT, "epsilon",
     patching(_normalize=no_epsilon)),
    (BN, "gamma-beta-swapped", "gamma and beta are exchanged", BATCH, OUT, "gamma-beta-swapped",
     output(gamma_beta_swapped)),
    (LN, "gamma-beta-swapped", "gamma and beta are exchanged", LAYER, OUT, "gamma-beta-swapped",
     output(gamma_beta_swapped)),
    (BN, "dx-variance-forgotten", "the gradient lacks the variance's share", BATCH, DX,
     "moving-statistics", input_gradient(variance_forgotten)),
    (LN, "dx-variance-forgotten", "the gradient lacks the variance's share", LAYER, DX,
     "moving-statistics", input_gradient(variance_forgotten)),
]


def faults():
    """All of them."""
    for class_name, name, sentence, network, tensor, cause, inject, *more in TABLE:
        layer = snake_case(class_name)
        yield single("Moments", f"moments-{layer.split('_')[0]}-{name}", sentence, network, layer,
                     tensor, cause, inject, *more)
