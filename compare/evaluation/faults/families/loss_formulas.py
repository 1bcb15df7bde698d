"""Faults of losses' formulas: smoothing, divergences, margins, roots, weights, penalties."""

import numpy as np

from compare.evaluation.faults.families.losses import both, value
from compare.evaluation.faults.families.making import At, single
from compare.evaluation.faults.fault import LOSS, Fault, Place
from compare.evaluation.faults.injection import patched, patching
from compare.evaluation.faults.networks import around
from scratch.activations import softmax

VALUE, GRADIENT = "value", "gradient"


def trained_on(loss: str, end="linear", seed=1, weighted=False, **arguments):
    return around("Dense", units=4, end=([loss, arguments], end), seed=seed, weighted=weighted)


SPARSE = around("Dense", units=4)
WEIGHTED = around("Dense", units=4, weighted=True)
SMOOTHED = trained_on("CategoricalCrossentropy", "softmax", label_smoothing=0.1)
SMOOTHED_BINARY = trained_on("BinaryCrossentropy", "sigmoid", label_smoothing=0.2)
CATEGORICAL = trained_on("CategoricalCrossentropy", "softmax")
BINARY = trained_on("BinaryCrossentropy", "sigmoid")
DIVERGENCE = trained_on("KLDivergence", "softmax", seed=4)  # from rows that are not one-hot
SQUARED = trained_on("MeanSquaredError")
ABSOLUTE = trained_on("MeanAbsoluteError")
PERCENTAGE = trained_on("MeanAbsolutePercentageError")
LOGARITHMIC = trained_on("MeanSquaredLogarithmicError", "softplus")
HUBER = trained_on("Huber", delta=0.3)
LOG_COSH = trained_on("LogCosh")
HINGE = trained_on("Hinge")
SQUARED_HINGE = trained_on("SquaredHinge")
POISSON = trained_on("Poisson", "softplus")
PENALIZED = around("Dense", units=4, kernel_regularizer={
    "module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.03},
    "registered_name": None})


def smoothing(change):
    """Targets y are change(y, amount, number of classes)."""
    def prepared(self, right, targets):
        made = change(targets, self.label_smoothing, targets.shape[-1])
        return np.asarray(made, targets.dtype)

    return patching(prepared=prepared)


def twice(self, right, targets):
    return right(right(targets))


def of_outputs(loss):
    """The probabilities are smoothed, the targets are not."""
    def rows(self, right, y, z, from_logits):
        s, k = self.label_smoothing, z.shape[1]
        p = softmax(z)
        q = p * (1 - s) + s / k
        losses, dq = -(y * np.log(q)).sum(axis=1), -y / q * (1 - s)
        gradient = p * (dq - (dq * p).sum(axis=1, keepdims=True))
        return losses.astype(z.dtype), gradient.astype(z.dtype)

    patched(loss, prepared=lambda self, right, targets: targets, rows=rows)


def each(function, slope):
    """Of errors e = p - y, elements function(e) with the slopes slope(e)."""
    def elements(self, right, y, y_pred, from_logits):
        e = y_pred - y
        return (np.asarray(function(e), e.dtype), np.asarray(slope(e), e.dtype))

    return patching(elements=elements)


def of_outputs_and_targets(function):
    """Elements and slopes are function(y, p)."""
    def elements(self, right, y, y_pred, from_logits):
        return tuple(np.asarray(each, y_pred.dtype) for each in function(y, y_pred))

    return patching(elements=elements)


def root_of_rows(self, right, targets, y_pred, from_logits):
    """The root of each sample's mean square."""
    losses, gradient = right(targets, y_pred, from_logits)
    roots = np.sqrt(losses)
    return roots, gradient / (2 * roots)[:, None]


def root_of_batch(loss):
    """The root of the batch's mean square, and its gradient."""
    def forward(self, right, y_true, y_pred, from_logits=None, sample_weight=None):
        root = np.sqrt(right(y_true, y_pred, from_logits, sample_weight))
        self._gradient = self._gradient / (2 * root)
        return root

    patched(loss, forward=forward)


def entropy_kept(self, right, targets, y_pred, from_logits):
    """The cross-entropy, from which the targets' own entropy is not taken."""
    losses, gradient = right(targets, y_pred, from_logits)
    return -(targets * np.log(y_pred)).sum(axis=1), gradient


def symmetric(self, right, targets, y_pred, from_logits):
    """The mean of the divergence and the reversed one."""
    losses, gradient = right(targets, y_pred, from_logits)
    ratio = np.log(y_pred / targets)
    return ((losses + (y_pred * ratio).sum(axis=1)) / 2, (gradient + ratio + 1) / 2)


def margin(width):
    def elements(self, right, y, y_pred, from_logits):
        missing = np.maximum(y_pred.dtype.type(width) - y * y_pred, 0)
        return missing, -y * (missing > 0)

    return patching(elements=elements)


def squared_margin(self, right, y, y_pred, from_logits):
    missing = np.maximum(1 - y * y_pred, 0)
    return missing * missing, -2 * y * missing


def plain_margin(self, right, y, y_pred, from_logits):
    missing = np.maximum(1 - y * y_pred, 0)
    return missing, -y * (missing > 0)


def focal(self, right, labels, z, from_logits):
    """(1 - p)^2 times the cross-entropy, with a gradient to it."""
    p, each = softmax(z), np.arange(len(z))
    own = p[each, labels]
    losses = -np.square(1 - own) * np.log(own)
    slope = own * (2 * (1 - own) * np.log(own)) - np.square(1 - own)  # by log p of the label
    one_hot = np.zeros_like(p)
    one_hot[each, labels] = 1
    return losses, slope[:, None] * (one_hot - p)


def slope_twice(self, right, y, z, from_logits):
    """The slope of the sigmoid once more, as with a squared error."""
    values, slopes = right(y, z, from_logits)
    p = slopes + y
    return values, slopes * p * (1 - p)


def only_value_weighted(loss):
    """The gradient knows nothing of the sample weights."""
    def backward(self, right):
        return self._plain

    def forward(self, right, y_true, y_pred, from_logits=None, sample_weight=None):
        right(y_true, y_pred, from_logits)
        plain = self._gradient
        loss_value = right(y_true, y_pred, from_logits, sample_weight)
        self._plain = plain
        return loss_value

    patched(loss, forward=forward, backward=backward)


def weights_squared(self, right, y_true, sample_weight, dtype):
    return right(y_true, np.square(sample_weight), dtype)


def log_input(y, p):
    """exp(p) - y p: the output is taken for the logarithm of the rate, another library's way."""
    return np.exp(p) - y * p, np.exp(p) - y


def by_prediction(y, p):
    """100 |p - y| / |p|."""
    error = p - y
    return (100 * np.abs(error / p),
            100 * (np.sign(error) / np.abs(p) - np.abs(error) * np.sign(p) / np.square(p)))


def log_of_error(y, p):
    error = np.abs(p - y)
    log = np.log1p(error)
    return np.square(log), 2 * log / (1 + error) * np.sign(p - y)


SMOOTHING = [  # identifier, sentence, network, injection
    ("others-only", "the other classes share what is taken off", SMOOTHED,
     smoothing(lambda y, s, k: y * (1 - s) + (1 - y) * s / (k - 1))),
    ("share-of-class", "only a class's own share is taken off", SMOOTHED,
     smoothing(lambda y, s, k: y * (1 - s / k) + s / k)),
    ("amount-missing", "1 / classes is added in place of s / classes", SMOOTHED,
     smoothing(lambda y, s, k: y * (1 - s) + 1 / k)),
    ("one-class-less", "s is divided by the number of the other classes", SMOOTHED,
     smoothing(lambda y, s, k: y * (1 - s) + s / (k - 1))),
    ("nothing-taken-off", "s / classes is added and nothing taken off", SMOOTHED,
     smoothing(lambda y, s, k: y + s / k)),
    ("twice", "labels are smoothed twice", SMOOTHED, patching(prepared=twice)),
    ("of-outputs", "the probabilities are smoothed, the labels are not", SMOOTHED, of_outputs),
    ("binary-as-classes", "yes or no is smoothed as one of as many classes as there are outputs",
     SMOOTHED_BINARY, smoothing(lambda y, s, k: y * (1 - s) + s / k)),
    ("binary-one-sided", "only the ones are smoothed", SMOOTHED_BINARY,
     smoothing(lambda y, s, k: y * (1 - s / 2))),
]
# identifier, sentence, network, tensor, cause, injection, causes that are the same
TABLE = [
    ("root-of-rows", "the root of each sample's mean square", SQUARED, VALUE, "loss-other",
     patching(rows=root_of_rows)),
    ("root-of-batch", "the root of the batch's mean square", SQUARED, VALUE, "loss-other",
     root_of_batch),
    ("divergence-entropy-kept", "a cross-entropy in place of a divergence", DIVERGENCE, VALUE,
     "loss-other", patching(rows=entropy_kept)),
    ("divergence-symmetric", "the mean of the divergence and the reversed one", DIVERGENCE, VALUE,
     "loss-other", patching(rows=symmetric)),
    ("hinge-margin-2", "the margin is 2", HINGE, VALUE, "loss-other", margin(2)),
    ("hinge-margin-0", "there is no margin, as in a perceptron", HINGE, VALUE, "loss-other",
     margin(0)),
    ("hinge-squared", "the missing margin is squared", HINGE, VALUE, "loss-other",
     patching(elements=squared_margin)),
    ("squared-hinge-plain", "the missing margin is not squared", SQUARED_HINGE, VALUE,
     "loss-other", patching(elements=plain_margin)),
    ("huber-no-offset", "the straight line lacks its - delta^2 / 2", HUBER, VALUE, "loss-other",
     of_outputs_and_targets(lambda y, p: (
         np.where(np.abs(p - y) <= 0.3, np.square(p - y) / 2, 0.3 * np.abs(p - y)),
         np.clip(p - y, -0.3, 0.3)))),
    ("huber-whole-square", "the parabola is e^2, not half of it", HUBER, VALUE, "loss-other",
     of_outputs_and_targets(lambda y, p: (
         np.where(np.abs(p - y) <= 0.3, np.square(p - y), 0.3 * np.abs(p - y) - 0.045),
         np.where(np.abs(p - y) <= 0.3, 2 * (p - y), 0.3 * np.sign(p - y))))),
    ("absolute-smooth", "a parabola near 0, as in another library's smooth L1", ABSOLUTE, VALUE,
     "loss-other", each(lambda e: np.where(np.abs(e) < 1, e * e / 2, np.abs(e) - 0.5),
                        lambda e: np.clip(e, -1, 1))),
    ("log-cosh-parabola", "half the square in place of log cosh", LOG_COSH, VALUE, "loss-other",
     each(lambda e: e * e / 2, lambda e: e)),
    ("log-cosh-plain", "cosh without the logarithm", LOG_COSH, VALUE, "loss-other",
     each(np.cosh, np.sinh)),
    ("poisson-log-input", "the output is taken for the logarithm of the rate", POISSON, VALUE,
     "loss-other", of_outputs_and_targets(log_input)),
    ("percentage-of-prediction", "the error is divided by the prediction, not by the label",
     PERCENTAGE, VALUE, "loss-other", of_outputs_and_targets(by_prediction)),
    ("percentage-as-share", "the error is not multiplied by 100", PERCENTAGE, VALUE, "scale",
     both(lambda n: 0.01)),
    ("logarithm-of-error", "the logarithm of the error, squared, in place of the error of "
     "logarithms", LOGARITHMIC, VALUE, "loss-other", of_outputs_and_targets(log_of_error)),
    ("mean-over-classes", "the cross-entropy is a mean over the classes", CATEGORICAL, VALUE,
     "loss-sum-for-mean", both(lambda n: 1 / 3), ("scale",)),
    ("binary-sum-over-outputs", "yes or no is summed over the outputs", BINARY, VALUE,
     "loss-sum-for-mean", both(lambda n: 3), ("scale",)),
    ("focal", "samples that are easy count for less", SPARSE, VALUE, "loss-other",
     patching(rows=focal)),
    ("gradient-slope-twice", "the gradient has the sigmoid's slope once more", BINARY, GRADIENT,
     "loss-other", patching(elements=slope_twice), ("activation-twice",)),
    ("weights-squared", "sample weights are applied twice", WEIGHTED, VALUE, "sample-weight",
     patching(weigh=weights_squared)),
    ("weights-value-only", "the gradient takes no notice of sample weights", WEIGHTED, GRADIENT,
     "sample-weight", only_value_weighted),
    ("not-unscaled", "a loss scaled by 128 against underflow is not scaled back", SPARSE,
     GRADIENT, "scale", patching(backward=lambda self, right: right() * np.float32(128))),
    ("summed-then-halved", "half the sum over the batch", SQUARED, VALUE, "loss-sum-for-mean",
     value(lambda n: n / 2), ("scale",)),
]
PENALTIES = [  # identifier, sentence, methods of the regularizer
    ("half", "the penalty has a factor 1/2 and its gradient fits it",
     dict(penalty=lambda self, right, w: right(w) / 2,
          gradient=lambda self, right, w: right(w) / 2)),
    ("over-batch", "the penalty is divided by the batch",
     dict(penalty=lambda self, right, w: right(w) / 4,
          gradient=lambda self, right, w: right(w) / 4)),
    ("mean", "a mean of the squares in place of their sum",
     dict(penalty=lambda self, right, w: right(w) / w.dtype.type(w.size),
          gradient=lambda self, right, w: right(w) / w.dtype.type(w.size))),
    ("as-l1", "the sum of magnitudes in place of squares",
     dict(penalty=lambda self, right, w: w.dtype.type(self.l2) * np.abs(w).sum(),
          gradient=lambda self, right, w: w.dtype.type(self.l2) * np.sign(w))),
]


def penalty(name, sentence, methods) -> Fault:
    """A fault of one kernel's regularizer, which the loss shows first."""
    def inject(layer):
        patched(layer.regularizers["kernel"], **methods)

    return Fault(f"formula-penalty-{name}", "Loss formulas", sentence, "loss",
                 (Place(LOSS, VALUE, "penalty-missing"), Place("dense", "kernel_gradient",
                                                               "penalty-missing")),
                 PENALIZED, At("dense", inject))


def faults():
    """All of them."""
    for name, sentence, network, inject in SMOOTHING:
        yield single("Loss formulas", f"smoothing-{name}", sentence, network, LOSS, VALUE,
                     "label-smoothing", inject, (), "loss")
    for name, sentence, network, tensor, cause, inject, *also in TABLE:
        yield single("Loss formulas", f"formula-{name}", sentence, network, LOSS, tensor, cause,
                     inject, *(also or [()]), "loss")
    yield from (penalty(*row) for row in PENALTIES)
