"""Faults that training does not show: another output, order or loss outside of it."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import TRAINING
from compare.evaluation.faults.injection import lent, patched, patching
from compare.evaluation.faults.networks import around

OUT = "output"
DENSE = around("Dense", units=3)
TANH = around("Dense", units=3, activation="tanh")
CONV = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
RELU = around("ReLU")
DROPOUT = around("Dropout", rate=0.3, batch=5)
GAUSSIAN = around("GaussianNoise", stddev=0.5)
PENALIZED = around("Dense", units=4, kernel_regularizer={
    "module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.03},
    "registered_name": None})
FROZEN = around("BatchNormalization", momentum=0.9, trainable=False)


def outside(change):
    """Outside of training the output y of x is change(layer, y, x)."""
    def forward(self, right, x, training=False):
        y = right(x, training)
        return y if training else np.asarray(change(self, y, x), y.dtype)

    return lambda layer: patched(layer, forward=forward)


def kernel_in_half(layer, y, x):
    """What was saved for deployment has fewer bits."""
    with lent(layer, {"kernel": layer.kernel.astype(np.float16)}):
        return layer.activation.function(layer.affine(x))


def though_frozen(self, right, x, training=False):
    """A frozen layer still normalizes by the batch."""
    self.trainable = True
    try:
        return right(x, training)
    finally:
        self.trainable = False


def last_sample_lost(self, right, x):
    made = right(x)
    made[-1] = np.concatenate([made[-1][:-1], 0 * made[-1][-1:]])
    return made


def always_training(self, right, x, batch, training):
    return right(x, batch, True)


def unpenalized(self, right, x, y, sample_weight=None):
    value, output = right(x, y, sample_weight)
    penalty = sum(regularizer.penalty(layer.params[name]) for layer in self.layers
                  for name, regularizer in layer.regularizers.items())
    return value - penalty, output


def learns_from_tests(self, right, x, y, sample_weight=None):
    result = right(x, y, sample_weight)
    self.train_step(x, y, sample_weight)
    return result


# identifier, sentence, network, layer, tensor, cause, injection, causes that are the same
TABLE = [
    ("dropout-scales", "scales by what is kept outside of training, though training did already",
     DROPOUT, "dropout", OUT, "training-flag", outside(lambda layer, y, x: y * (1 - layer.rate)),
     ("scale",)),
    ("noise-scales", "the input is divided by 1 + stddev outside of training", GAUSSIAN,
     "gaussian_noise", OUT, "training-flag",
     outside(lambda layer, y, x: y / (1 + layer.stddev)), ("scale",)),
    ("dense-doubles", "a dense layer doubles its output outside of training", DENSE, "dense", OUT,
     "training-flag", outside(lambda layer, y, x: 2 * y), ("scale",)),
    ("dense-no-bias", "a dense layer forgets its bias outside of training", DENSE, "dense", OUT,
     "bias-missing", outside(lambda layer, y, x: y - layer.bias), ("training-flag",)),
    ("dense-float16", "outside of training the kernel is a float16", DENSE, "dense", OUT,
     "low-precision", outside(kernel_in_half), ("training-flag",)),
    ("tanh-missing", "an activation is left out outside of training", TANH, "dense", OUT,
     "activation-missing", outside(lambda layer, y, x: layer._z), ("training-flag",)),
    ("relu-leaks", "a rectifier leaks outside of training", RELU, "re_lu", OUT,
     "activation-other", outside(lambda layer, y, x: np.where(x > 0, x, 0.01 * x)),
     ("training-flag",)),
    ("conv2d-rotated", "a convolution mixes up the samples outside of training", CONV, "conv2d",
     OUT, "batch-mixed", outside(lambda layer, y, x: np.roll(y, 1, axis=0)), ("training-flag",)),
    ("frozen-normalizes-by-batch", "a frozen layer still normalizes by the batch", FROZEN,
     "batch_normalization", OUT, "moving-statistics", patching(forward=though_frozen),
     ("training-flag",)),
    ("model-halves", "the model halves its output outside of training", DENSE, TRAINING, "",
     "training-flag", outside(lambda model, y, x: y / 2), ("scale",)),
    ("logits-returned", "the model gives logits outside of training", DENSE, TRAINING, "",
     "activation-missing", outside(lambda model, y, x: model.layers[-1].logits),
     ("training-flag",)),
    ("predict-reversed", "predict gives the samples in the opposite order", DENSE, TRAINING, "",
     "batch-mixed", patching(predict_step=lambda self, right, x: [
         made[::-1] for made in right(x)])),
    ("predict-last-sample-lost", "predict leaves the last sample at zero", DENSE, TRAINING, "",
     "last-batch", patching(predict_step=last_sample_lost), ("batch-mixed",)),
    ("predict-unprepared", "inputs are divided by 255 in training alone", DENSE, TRAINING, "",
     "preprocessing", patching(predict_step=lambda self, right, x: right(255 * x))),
    ("evaluate-in-training-mode", "evaluate drops as in training", DROPOUT, TRAINING, "",
     "training-flag", patching(_forward_and_loss=always_training)),
    ("evaluate-without-penalty", "evaluate leaves the penalty out", PENALIZED, TRAINING, "",
     "penalty-missing", patching(test_step=unpenalized)),
    ("evaluate-learns", "evaluate makes steps", DENSE, TRAINING, "", "training-flag",
     patching(test_step=learns_from_tests)),
]


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, cause, inject, *also in TABLE:
        yield single("Inference", f"inference-{name}", sentence, network, layer, tensor, cause,
                     inject, *(also or [()]), "inference", steps=5)
