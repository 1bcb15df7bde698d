"""Faults of losses of segmentation, of similarity, of margins over classes, and focal ones."""

import numpy as np

from compare.evaluation.faults.families.loss_formulas import GRADIENT, VALUE, trained_on
from compare.evaluation.faults.families.losses import both
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import LOSS
from compare.evaluation.faults.injection import holding, patching

DICE = trained_on("Dice", "sigmoid", axis=-1)
TVERSKY = trained_on("Tversky", "sigmoid", alpha=0.3, beta=0.7, axis=-1)
COSINE = trained_on("CosineSimilarity")
HINGE = trained_on("CategoricalHinge")
FOCAL = trained_on("CategoricalFocalCrossentropy", "softmax")
BALANCED = trained_on("BinaryFocalCrossentropy", "sigmoid", apply_class_balancing=True, alpha=0.3)
GENERALIZED = trained_on("CategoricalGeneralizedCrossEntropy", "softmax")


def overlap(top=2.0, smooth=(0.0, 1e-7), power=1):
    """1 - (top sum(y p) + smooth) / (sum(y^power) + sum(p^power) + smooth), with its gradient."""
    def rows(self, right, y, p, from_logits):
        n = top * (y * p).sum(axis=1, keepdims=True) + smooth[0]
        d = (y ** power).sum(axis=1, keepdims=True) + (p ** power).sum(
            axis=1, keepdims=True) + smooth[1]
        slope = n / d / d * power * p ** (power - 1) - top * y / d
        return (1 - n / d)[:, 0].astype(p.dtype), slope.astype(p.dtype)

    return patching(rows=rows)


def jaccard(self, right, y, p, from_logits):
    n = (y * p).sum(axis=1, keepdims=True)
    d = y.sum(axis=1, keepdims=True) + p.sum(axis=1, keepdims=True) - n + p.dtype.type(1e-7)
    return 1 - (n / d)[:, 0], n / d / d * (1 - y) - y / d


def from_one(self, right, *given):
    losses, gradient = right(*given)
    return 1 + losses, gradient


def unnormalized(self, right, y, p, from_logits):
    """Of the outputs; targets come in at length 1."""
    return -(y * p).sum(axis=1), -np.array(y)


def no_margin(self, right, y, p, from_logits):
    others = (1 - y) * p
    at, each = others.argmax(axis=1), np.arange(len(p))
    short = others[each, at] - (y * p).sum(axis=1)
    slopes = -np.array(y)
    slopes[each, at] += (1 - y)[each, at]
    return np.maximum(short, 0), slopes * (short >= 0)[:, None]


def all_that_err(self, right, y, p, from_logits):
    """Every class above the margin counts, as in another library, not the largest alone."""
    losses, gradient = right(y, p, from_logits)
    short = np.maximum((1 - y) * (p - (y * p).sum(axis=1, keepdims=True) + 1), 0)
    slopes = (1 - y) * (short > 0)
    slopes -= y * slopes.sum(axis=1, keepdims=True)
    return short.sum(axis=1), slopes.astype(p.dtype)


def weight_taken_as_constant(self, right, y, p, from_logits):
    """The gradient leaves out that the factor (1 - p)^gamma depends on p."""
    losses, _ = right(y, p, from_logits)
    q = np.clip(p / p.sum(axis=1, keepdims=True), 1e-7, 1 - 1e-7)
    dq = -y / q * (1 - q) ** self.gamma * self.alpha
    return losses, (dq - (dq * q).sum(axis=1, keepdims=True)).astype(p.dtype)


def of_power(self, right, labels, p, from_logits):
    losses, gradient = right(labels, p, from_logits)
    return losses * p.dtype.type(self.q), gradient * p.dtype.type(self.q)


TABLE = [  # identifier, sentence, network, tensor, cause, injection, causes that are the same
    ("dice-intersection-once", "the intersection is counted once", DICE, VALUE, "loss-other",
     overlap(1.0)),
    ("dice-squares", "squares in the denominator, as in V-Net", DICE, VALUE, "loss-other",
     overlap(power=2)),
    ("dice-smoothed", "1 is added above and below", DICE, VALUE, "loss-other",
     overlap(smooth=(1.0, 1.0))),
    ("dice-jaccard", "the union in place of the sum of both regions", DICE, VALUE, "loss-other",
     patching(rows=jaccard)),
    ("tversky-exchanged", "alpha and beta are exchanged", TVERSKY, VALUE, "loss-other",
     holding("rows", alpha=lambda loss: loss.beta, beta=lambda loss: loss.alpha)),
    ("tversky-as-dice", "alpha and beta are 1/2, whatever was asked for", TVERSKY, VALUE,
     "loss-other", holding("rows", alpha=0.5, beta=0.5)),
    ("cosine-from-one", "the similarity is taken from 1", COSINE, VALUE, "loss-other",
     patching(rows=from_one)),
    ("cosine-unnormalized", "the outputs are not brought to length 1", COSINE, VALUE, "loss-other",
     patching(rows=unnormalized)),
    ("cosine-sign", "the similarity itself, which training then makes small", COSINE, VALUE,
     "sign", both(lambda n: -1), ("scale",)),
    ("categorical-hinge-no-margin", "there is no margin", HINGE, VALUE, "loss-other",
     patching(rows=no_margin)),
    ("categorical-hinge-all-classes", "every class within the margin counts", HINGE, VALUE,
     "loss-other", patching(rows=all_that_err)),
    ("focal-no-alpha", "alpha is left out", FOCAL, VALUE, "loss-other", holding("rows", alpha=1.0),
     ("scale",)),
    ("focal-no-gamma", "gamma is left out", FOCAL, VALUE, "loss-other", holding("rows", gamma=0.0)),
    ("focal-gamma-1", "gamma is 1", FOCAL, VALUE, "loss-other", holding("rows", gamma=1.0)),
    ("focal-constant-weight", "the gradient takes (1 - p)^gamma for a constant", FOCAL, GRADIENT,
     "loss-other", patching(rows=weight_taken_as_constant)),
    ("focal-balance-reversed", "alpha counts for the zeros, 1 - alpha for the ones", BALANCED,
     VALUE, "loss-other", holding("rows", alpha=lambda loss: 1 - loss.alpha)),
    ("focal-unbalanced", "classes are not balanced", BALANCED, VALUE, "loss-other",
     holding("rows", apply_class_balancing=False)),
    ("generalized-not-divided", "it is not divided by q", GENERALIZED, VALUE, "loss-other",
     patching(rows=of_power), ("scale",)),
    ("generalized-other-q", "q is 1, an absolute error", GENERALIZED, VALUE, "loss-other",
     holding("rows", q=1.0)),
]


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single("Losses of classes and regions", f"formula-{name}", sentence, network, LOSS,
                     tensor, cause, inject, *(also or [()]), "loss")
