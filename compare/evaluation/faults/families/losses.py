"""Faults of losses: reduction, labels, clipping, formulas, weights, penalties."""

import numpy as np

from compare.evaluation.faults.families.making import At, single
from compare.evaluation.faults.fault import LOSS, Fault, Place
from compare.evaluation.faults.injection import patched, patching
from compare.evaluation.faults.networks import SOFT, around
from scratch.activations import softmax

VALUE, GRADIENT = "value", "gradient"
PLAIN = around("Dense", units=4)
ONE_HOT = around("Dense", units=4, end=(["CategoricalCrossentropy", {"label_smoothing": 0.1}],
                                        "softmax"))
BINARY = around("Dense", units=4, end=(["BinaryCrossentropy", {}], "sigmoid"))
SQUARED = around("Dense", units=4, end=(["MeanSquaredError", {}], "linear"))
ABSOLUTE = around("Dense", units=4, end=(["MeanAbsoluteError", {}], "linear"))
HUBER = around("Dense", units=4, end=(["Huber", {"delta": 0.3}], "linear"))
DIVERGENCE = around("Dense", units=4, end=(["KLDivergence", {}], "softmax"))
HINGE = around("Dense", units=4, end=(["Hinge", {}], "linear"))
SUMMED = around("Dense", units=4, end=([SOFT[0][0], {"reduction": "sum"}], "softmax"))
WEIGHTED = around("Dense", units=4, weighted=True)
PENALIZED = around("Dense", units=4, kernel_regularizer={
    "module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.03},
    "registered_name": None})
CONFIDENT = around("Dense", units=4, seed=12)  # with labels that the network thinks unlikely


def value(factor):
    """The loss is another multiple: factor(number of losses)."""
    def forward(self, right, y_true, y_pred, from_logits=None, sample_weight=None):
        loss = right(y_true, y_pred, from_logits, sample_weight)
        return loss * loss.dtype.type(factor(len(y_pred)))

    return patching(forward=forward)


def slope(factor):
    """The gradient is another multiple."""
    def backward(self, right):
        gradient = right()
        return gradient * gradient.dtype.type(factor(len(gradient)))

    return patching(backward=backward)


def both(factor):
    """Loss and gradient are."""
    def rows(self, right, targets, y_pred, from_logits):
        losses, gradient = right(targets, y_pred, from_logits)
        times = losses.dtype.type(factor(len(y_pred)))
        return losses * times, gradient * times

    return patching(rows=rows)


def next_class(self, right, labels, y_pred, from_logits):
    """Classes counted from 1."""
    return right((labels + 1) % y_pred.shape[1], y_pred, from_logits)


def reversed_labels(self, right, labels, y_pred, from_logits):
    return right(labels[::-1], y_pred, from_logits)


def without_labels(self, right, labels, y_pred, from_logits):
    """The gradient of the logits is their softmax, from which no labels are taken."""
    losses, _ = right(labels, y_pred, from_logits)
    return losses, softmax(y_pred)


def probabilities_as_logits(self, right, labels, y_pred, from_logits):
    """The softmax's output taken for its input."""
    p = softmax(y_pred)
    losses, dp = right(labels, p, True)
    return losses, p * (dp - (dp * p).sum(axis=1, keepdims=True))


def clipped(self, right, labels, y_pred, from_logits):
    """From probabilities, kept 1e-7 from 0 and 1, where logits are at hand."""
    p = softmax(y_pred)
    losses, dp = right(labels, p, False)
    losses = -np.log(np.clip(p[np.arange(len(p)), labels], 1e-2, 1))
    return losses.astype(y_pred.dtype), p * (dp - (dp * p).sum(axis=1, keepdims=True))


def unsmoothed(self, right, targets):
    kept, self.label_smoothing = self.label_smoothing, 0.0
    try:
        return right(targets)
    finally:
        self.label_smoothing = kept


def only_yes(self, right, y, y_pred, from_logits):
    """The half of the formula that counts the ones."""
    losses, slopes = right(y, y_pred, from_logits)
    return losses * y, slopes * y


def other_delta(self, right, y, y_pred, from_logits):
    kept, self.delta = self.delta, 1.0
    try:
        return right(y, y_pred, from_logits)
    finally:
        self.delta = kept


def absolute_slope(self, right, y, y_pred, from_logits):
    """The gradient of a squared error behind an absolute one."""
    values, _ = right(y, y_pred, from_logits)
    return values, 2 * (y_pred - y)


def reversed_divergence(self, right, targets, y_pred, from_logits):
    losses, gradient = right(targets, y_pred, from_logits)
    tiny = y_pred.dtype.type(1e-7)
    q, p = np.clip(targets, tiny, 1), np.clip(y_pred, tiny, 1)
    return (p * np.log(p / q)).sum(axis=1), np.log(p / q) + 1


def unsigned(self, right, targets):
    """Labels 0 and 1 are not made -1 and 1."""
    return targets


def unweighted(self, right, y_true, sample_weight, dtype):
    return right(y_true, None, dtype)


def weights_normalized(self, right, y_true, sample_weight, dtype):
    """Divides by the sum of the weights, not by the number of losses."""
    return right(y_true, sample_weight / np.mean(sample_weight), dtype)


# identifier, sentence, network, tensor, cause, injection, causes that are the same
TABLE = [
    ("sum", "the loss is a sum, its gradient with it", PLAIN, VALUE, "loss-sum-for-mean",
     both(lambda n: n), ("scale",)),
    ("value-sum", "the loss is a sum, its gradient that of the mean", PLAIN, VALUE,
     "loss-sum-for-mean", value(lambda n: n), ("scale",)),
    ("gradient-sum", "the gradient lacks 1/N", PLAIN, GRADIENT, "loss-sum-for-mean",
     slope(lambda n: n), ("scale",)),
    ("gradient-divided-twice", "the gradient has 1/N twice", PLAIN, GRADIENT, "scale",
     slope(lambda n: 1 / n), ("loss-sum-for-mean",)),
    ("mean-for-sum", "the loss is a mean where a sum is asked for", SUMMED, VALUE,
     "loss-mean-for-sum", both(lambda n: 1 / n), ("scale",)),
    ("base-two", "logarithms to the base 2", PLAIN, VALUE, "scale",
     value(lambda n: 1 / np.log(2))),
    ("gradient-1e-4", "the gradient is smaller by one part in ten thousand", PLAIN, GRADIENT,
     "scale", slope(lambda n: 1 - 1e-4)),
    ("gradient-negated", "the gradient has the wrong sign", PLAIN, GRADIENT, "sign",
     slope(lambda n: -1)),
    ("gradient-missing", "no gradient goes back", PLAIN, GRADIENT, "gradient-missing",
     slope(lambda n: 0)),
    ("gradient-without-labels", "the labels are not taken from the probabilities", PLAIN, GRADIENT,
     "softmax-jacobian-missing", patching(rows=without_labels)),
    ("gradient-samples-reversed", "the gradients come from the last sample to the first", PLAIN,
     GRADIENT, "batch-mixed", patching(backward=lambda self, right: right()[::-1])),
    ("labels-reversed", "the labels are those of the samples from the last to the first", PLAIN,
     VALUE, "batch-mixed", patching(rows=reversed_labels), ("labels-shifted",)),
    ("classes-from-one", "classes are counted from 1", PLAIN, VALUE, "labels-shifted",
     patching(rows=next_class)),
    ("softmax-twice", "probabilities are taken for logits", PLAIN, VALUE, "from-logits",
     patching(rows=probabilities_as_logits), ("softmax-twice",)),
    ("clipped", "probabilities are kept a hundredth away from 0", CONFIDENT, VALUE,
     "loss-clipped", patching(rows=clipped)),
    ("smoothing-ignored", "label smoothing is left out", ONE_HOT, VALUE, "label-smoothing",
     patching(prepared=unsmoothed)),
    ("binary-only-yes", "zeros among the labels count for nothing", BINARY, VALUE, "loss-other",
     patching(elements=only_yes)),
    ("squared-halved", "half the squared error", SQUARED, VALUE, "scale", both(lambda n: 0.5)),
    ("squared-gradient-halved", "the gradient lacks the 2 of the square", SQUARED, GRADIENT,
     "scale", slope(lambda n: 0.5)),
    ("squared-summed-over-outputs", "the sum over the outputs in place of their mean", SQUARED,
     VALUE, "loss-sum-for-mean", both(lambda n: 3), ("scale",)),
    ("absolute-gradient-squared", "the gradient is that of a squared error", ABSOLUTE, GRADIENT,
     "loss-other", patching(elements=absolute_slope)),
    ("huber-delta-ignored", "delta is taken to be 1", HUBER, VALUE, "loss-other",
     patching(elements=other_delta)),
    ("divergence-reversed", "the divergence of the labels from the outputs", DIVERGENCE, VALUE,
     "loss-other", patching(rows=reversed_divergence)),
    ("hinge-labels-unsigned", "labels 0 and 1 are not made -1 and 1", HINGE, VALUE, "loss-other",
     patching(prepared=unsigned), ("labels-shifted",)),
    ("weights-ignored", "sample weights are left out", WEIGHTED, VALUE, "sample-weight",
     patching(weigh=unweighted)),
    ("weights-normalized", "divides by the sum of the sample weights", WEIGHTED, VALUE,
     "sample-weight", patching(weigh=weights_normalized), ("scale",)),
]


# identifier, sentence, place, tensor, methods of the regularizer
PENALTIES = [
    ("root", "the root of the sum of squares is added to the loss", LOSS, VALUE,
     dict(penalty=lambda self, right, w: np.sqrt(right(w)))),
    ("missing", "the penalty is not in the loss", LOSS, VALUE,
     dict(penalty=lambda self, right, w: 0 * right(w))),
    ("gradient-halved", "the penalty's gradient lacks the 2 of the square", "dense",
     "kernel_gradient", dict(gradient=lambda self, right, w: right(w) / 2)),
    ("gradient-missing", "the penalty has no gradient", "dense", "kernel_gradient",
     dict(gradient=lambda self, right, w: 0 * right(w))),
]


def penalty(name, sentence, layer, tensor, methods) -> Fault:
    """A fault of the regularizer of one kernel."""
    def change(layer):
        patched(layer.regularizers["kernel"], **methods)

    place = Place(layer, tensor, "penalty-missing")
    return Fault(f"penalty-{name}", "Losses", sentence, "loss", (place,), PENALIZED,
                 At("dense", change))


def faults():
    """All of them."""
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single("Losses", f"loss-{name}", sentence, network, LOSS, tensor, cause, inject,
                     *(also or [()]), "loss")
    yield from (penalty(*row) for row in PENALTIES)
