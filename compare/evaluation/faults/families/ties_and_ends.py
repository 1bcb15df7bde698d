"""Faults that ordinary numbers do not show: at ties and kinks, and where exponentials overflow."""

import numpy as np

from compare.evaluation.faults.families.loss_formulas import trained_on
from compare.evaluation.faults.families.making import At, single
from compare.evaluation.faults.fault import LOSS, Fault, Place
from compare.evaluation.faults.injection import activation, patched, patching
from compare.evaluation.faults.networks import around
from scratch.activations import softmax

FAMILY = "Ties and ends"
OUT, DX, VALUE, GRADIENT = "output", "input_gradient", "value", "gradient"
SPARSE = around("Dense", units=4)
SPARSE_BARE = around("Dense", units=4, end=(["SparseCategoricalCrossentropy",
                                             {"from_logits": True}], "linear"))
CATEGORICAL = trained_on("CategoricalCrossentropy", "softmax")
BINARY = trained_on("BinaryCrossentropy", "sigmoid")
ABSOLUTE = trained_on("MeanAbsoluteError")
HINGE = trained_on("Hinge")
SQUARED_LOGARITHMIC = trained_on("MeanSquaredLogarithmicError", "relu")
POISSON = trained_on("Poisson", "relu")
DIVERGENCE = trained_on("KLDivergence", "softmax")
SOFTMAX = around("Softmax")
RELU = around("ReLU")
LEAKY = around("LeakyReLU", negative_slope=0.1)
L1 = around("Dense", units=4, kernel_regularizer={
    "module": "keras.regularizers", "class_name": "L1", "config": {"l1": 0.03},
    "registered_name": None})


def layer_of(name: str):
    return around("Activation", activation=name)


def function(change):
    """The activation is change(z)."""
    return activation(lambda z, right: change(z))


def slope_where(passes):
    """A gradient that is multiplied by passes(z)."""
    return activation(slope=lambda dy, z, y: dy * passes(z))


def sign_with(at_zero):
    """The slopes of |e|, which at 0 are another number."""
    def elements(self, right, y, y_pred, from_logits):
        error = y_pred - y
        slopes = np.where(error == 0, error.dtype.type(at_zero), np.sign(error))
        return np.abs(error), slopes

    return patching(elements=elements)


def without_margin_itself(self, right, y, y_pred, from_logits):
    margin = 1 - y * y_pred
    return np.maximum(margin, 0), -y * (margin > 0)


def of_probabilities(log):
    """Losses -log(p[label]), with another logarithm; the gradient stays right."""
    def rows(self, right, labels, z, from_logits):
        losses, gradient = right(labels, z, from_logits)
        p = softmax(z)[np.arange(len(z)), labels]
        return np.asarray(-log(p), z.dtype), gradient

    return patching(rows=rows)


def unshifted(self, right, labels, z, from_logits):
    """exp(z) of whatever comes."""
    exponentials, each = np.exp(z), np.arange(len(z))
    sums = exponentials.sum(axis=1, keepdims=True)
    gradient = exponentials / sums
    gradient[each, labels] -= 1
    return np.log(sums[:, 0]) - z[each, labels], gradient


def unshifted_categorical(self, right, y, z, from_logits):
    exponentials = np.exp(z)
    sums = exponentials.sum(axis=1, keepdims=True)
    return (y * (np.log(sums) - z)).sum(axis=1), exponentials / sums - y


def binary_of_probabilities(log):
    def elements(self, right, y, z, from_logits):
        _, slopes = right(y, z, from_logits)
        p = 1 / (1 + np.exp(-z))
        return np.asarray(-(y * log(p) + (1 - y) * log(1 - p)), z.dtype), slopes

    return patching(elements=elements)


def shifted_by(shift):
    """A softmax of z - shift(z)."""
    def softened(z):
        exponentials = np.exp(z - shift(z))
        return exponentials / exponentials.sum(axis=-1, keepdims=True)

    return function(softened)


def epsilon_below(z):
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / (exponentials.sum(axis=-1, keepdims=True) + z.dtype.type(1e-7))


def naive_sigmoid(z):
    return np.exp(z) / (1 + np.exp(z))


def clipped_sigmoid(z):
    return 1 / (1 + np.exp(-np.clip(z, -10, 10)))


def log_of_softmax(z):
    return np.log(softmax(z))


def unshifted_log_softmax(z):
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def unclipped_divergence(self, right, y, p, from_logits):
    losses, gradient = right(y, p, from_logits)
    return (y * np.log(y / p)).sum(axis=1), gradient


def no_epsilon(self, right, y, p, from_logits):
    return p - y * np.log(p), 1 - y / p


def unclipped_logarithm(self, right, y, p, from_logits):
    error = np.log(p + 1) - np.log(y + 1)
    return error * error, 2 * error / (p + 1)


# identifier, sentence, network, layer, tensor, cause, injection, causes that are the same
LAYERS = [
    ("softmax-unshifted", "the maximum is not taken off before exp", SOFTMAX, "softmax", OUT,
     "nan", shifted_by(lambda z: 0 * z)),
    ("softmax-batch-maximum", "the maximum of the whole batch is taken off each row", SOFTMAX,
     "softmax", OUT, "nan", shifted_by(np.max)),
    ("softmax-shifted-by-mean", "the mean is taken off before exp, not the maximum", SOFTMAX,
     "softmax", OUT, "nan", shifted_by(lambda z: z.mean(axis=-1, keepdims=True))),
    ("softmax-epsilon", "1e-7 is added to the denominator", SOFTMAX, "softmax", OUT, "epsilon",
     function(epsilon_below)),
    ("sigmoid-naive", "exp(z) / (1 + exp(z))", layer_of("sigmoid"), "activation", OUT, "nan",
     function(naive_sigmoid)),
    ("sigmoid-clipped", "the input is kept within 10, lest exp overflow", layer_of("sigmoid"),
     "activation", OUT, "activation-other", function(clipped_sigmoid)),
    ("log-softmax-of-softmax", "the logarithm of what softmax rounds to 0",
     layer_of("log_softmax"), "activation", OUT, "nan", function(log_of_softmax)),
    ("log-softmax-unshifted", "the maximum is not taken off before exp and log",
     layer_of("log_softmax"), "activation", OUT, "nan", function(unshifted_log_softmax)),
    ("softplus-naive", "log(1 + exp(z))", layer_of("softplus"), "activation", OUT, "nan",
     function(lambda z: np.log1p(np.exp(z)))),
    ("tanh-of-exponentials", "(e^z - e^-z) / (e^z + e^-z)", layer_of("tanh"), "activation", OUT,
     "nan", function(lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)))),
    ("silu-naive", "z exp(z) / (1 + exp(z))", layer_of("silu"), "activation", OUT, "nan",
     function(lambda z: z * naive_sigmoid(z))),
    ("elu-overflows", "a product with exp(z) where z is positive, infinity times 0",
     layer_of("elu"), "activation", OUT, "nan",
     function(lambda z: z * (z > 0) + (z <= 0) * np.expm1(z))),
    ("relu-half-at-zero", "half the gradient passes at exactly 0", RELU, "re_lu", DX,
     "activation-kink", slope_where(lambda z: np.where(z == 0, 0.5, z > 0))),
    ("leaky-relu-one-at-zero", "the whole gradient passes at exactly 0", LEAKY, "leaky_re_lu", DX,
     "activation-kink", slope_where(lambda z: np.where(z >= 0, 1, 0.1))),
    ("relu6-passes-at-six", "the gradient passes at exactly 6", layer_of("relu6"), "activation",
     DX, "activation-kink", slope_where(lambda z: (z > 0) & (z <= 6))),
    ("hard-sigmoid-passes-at-ends", "the gradient passes at exactly -3 and 3",
     layer_of("hard_sigmoid"), "activation", DX, "activation-kink",
     slope_where(lambda z: (np.abs(z) <= 3) / 6)),
]
LOSSES = [  # identifier, sentence, network, tensor, cause, injection, causes that are the same
    ("absolute-tie-up", "the slope of |e| at 0 is 1", ABSOLUTE, GRADIENT, "loss-kink",
     sign_with(1)),
    ("absolute-tie-down", "the slope of |e| at 0 is -1", ABSOLUTE, GRADIENT, "loss-kink",
     sign_with(-1)),
    ("hinge-at-margin", "nothing passes at exactly the margin", HINGE, GRADIENT, "loss-kink",
     patching(elements=without_margin_itself)),
    ("cross-entropy-clipped-1e-12", "probabilities are kept above 1e-12", SPARSE, VALUE,
     "loss-clipped", of_probabilities(lambda p: np.log(np.maximum(p, p.dtype.type(1e-12))))),
    ("cross-entropy-log-epsilon", "log(p + 1e-8)", SPARSE, VALUE, "loss-clipped",
     of_probabilities(lambda p: np.log(p + p.dtype.type(1e-8))), ("epsilon",)),
    ("cross-entropy-of-zero", "the logarithm of what softmax rounds to 0", SPARSE, VALUE, "nan",
     of_probabilities(np.log)),
    ("cross-entropy-unshifted", "the maximum is not taken off before exp", SPARSE_BARE, VALUE,
     "nan", patching(rows=unshifted)),
    ("categorical-unshifted", "the maximum is not taken off before exp, for one-hot labels",
     CATEGORICAL, VALUE, "nan", patching(rows=unshifted_categorical)),
    ("binary-naive", "the logarithms of a sigmoid that is rounded to 0 or 1", BINARY, VALUE,
     "nan", binary_of_probabilities(np.log)),
    ("binary-clipped", "probabilities are kept 1e-7 from 0 and 1 where logits are at hand",
     BINARY, VALUE, "loss-clipped",
     binary_of_probabilities(lambda p: np.log(np.clip(p, 1e-7, 1 - 1e-7)))),
    ("divergence-unclipped", "0 log 0 is not taken for 0", DIVERGENCE, VALUE, "nan",
     patching(rows=unclipped_divergence)),
    ("poisson-epsilon-missing", "nothing is added before the logarithm", POISSON, VALUE,
     "epsilon", patching(elements=no_epsilon), ("nan",)),
    ("logarithmic-gradient-at-zero", "the gradient passes where the output was raised to 1e-7",
     SQUARED_LOGARITHMIC, GRADIENT, "loss-clipped", patching(elements=unclipped_logarithm)),
]


def l1_at_zero() -> Fault:
    """The slope of |w| at 0 is 1."""
    def inject(layer):
        patched(layer.regularizers["kernel"], gradient=lambda self, right, w: np.asarray(
            self.l1 * np.where(w >= 0, 1, -1), w.dtype))

    return Fault("ends-l1-tie-up", FAMILY, "the slope of a penalty |w| at 0 is 1", "loss",
                 (Place("dense", "kernel_gradient", "penalty-missing", ("loss-kink",)),), L1,
                 At("dense", inject))


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, cause, inject, *also in LAYERS:
        yield single(FAMILY, f"ends-{name}", sentence, network, layer, tensor, cause, inject,
                     *also)
    for name, sentence, network, tensor, cause, inject, *also in LOSSES:
        yield single(FAMILY, f"ends-{name}", sentence, network, LOSS, tensor, cause, inject,
                     *(also or [()]), "loss")
    yield l1_at_zero()
