"""Faults of the circle loss: of its settings, its mean and its gradient."""

from dataclasses import replace

import numpy as np

from compare.evaluation.faults.families.loss_formulas import GRADIENT, VALUE
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import LOSS
from compare.evaluation.faults.injection import holding, patching
from compare.evaluation.faults.networks import around
from compare.evaluation.fuzzing.specification import Node, Specification
from scratch.losses.circle import log_sum_exp


def embedding(seed=1, **arguments) -> Specification:
    """A network that ends in vectors of length 1."""
    made = around("Dense", units=4, end=(["Circle", arguments], "linear"), batch=5, seed=seed)
    return replace(made, nodes=[*made.nodes, Node("UnitNormalization", {"name": "unit"},
                                                  [len(made.nodes) - 1])])


CIRCLE = embedding(gamma=10.0)
ALONE = embedding(gamma=10.0, seed=11)  # one sample is the only one of its class


def with_gradient(change):
    """The gradient is another: change(loss, labels, embeddings, right slopes) -> slopes, whose
    columns say how each distance counts for the sample from which it is measured."""
    def pairs(self, right, labels, embeddings):
        losses, slopes = right(labels, embeddings)
        return losses, change(self, labels, embeddings, slopes)

    return patching(pairs=pairs)


def weights_taken_for_constants(loss, labels, embeddings, slopes):
    number = embeddings.dtype.type
    gamma, m = number(loss.gamma), number(loss.margin)
    apart = 1 - embeddings @ embeddings.T
    d = np.maximum(apart, 0)
    alike = labels[:, None] == labels
    near = alike & ~np.eye(len(labels), dtype=bool)
    pull, push = d + m, np.maximum(1 + m - d, 0)
    attraction, pulled = log_sum_exp(-gamma * pull * (m - d), near)
    repulsion, pushed = log_sum_exp(gamma * push * (1 - m - d), ~alike)
    steep = 1 / (1 + np.exp(-(attraction + repulsion)))
    return gamma * (pulled * pull - pushed * push) * steep[:, None] * (apart >= 0)


def forward_with(gradient):
    """The gradient put together otherwise from slopes (n, n) and embeddings."""
    def forward(self, right, y_true, y_pred, *given, **named):
        value = right(y_true, y_pred, *given, **named)
        batch = y_true if hasattr(y_true, "rows") else self.weigh(
            self.checked(y_true, y_pred.shape, y_pred.dtype), None, y_pred.dtype)
        losses, slopes = self.pairs(batch.targets, y_pred)
        slopes *= self.shares(losses, batch)[:, None]
        self._gradient = gradient(slopes, y_pred)
        return value

    return patching(forward=forward)


def counts_all(self, right, losses, batch):
    return right(losses, batch) * (losses > 0).mean(dtype=losses.dtype)


TABLE = [  # identifier, sentence, network, tensor, cause, injection, causes that are the same
    ("diagonal", "a sample is a partner of its own", CIRCLE, VALUE, "loss-other",
     holding("pairs", remove_diagonal=False)),
    ("margin", "the margin is the paper's, 0.25, whatever was asked for", CIRCLE, VALUE,
     "loss-other", holding("pairs", margin=0.25)),
    ("gamma", "gamma is 80, whatever was asked for", CIRCLE, VALUE, "loss-other",
     holding("pairs", gamma=80.0)),
    ("mean-of-all", "the mean is over all samples, those without a partner too", ALONE, VALUE,
     "loss-sum-for-mean", patching(shares=counts_all), ("scale",)),
    ("constant-weights", "the gradient takes the distances' weights for constants", CIRCLE,
     GRADIENT, "loss-other", with_gradient(weights_taken_for_constants)),
    ("one-way", "each loss moves its own sample alone", CIRCLE, GRADIENT, "loss-other",
     forward_with(lambda slopes, e: -(slopes @ e))),
]


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single("Losses of classes and regions", f"formula-circle-{name}", sentence, network,
                     LOSS, tensor, cause, inject, *(also or [()]), "loss")
