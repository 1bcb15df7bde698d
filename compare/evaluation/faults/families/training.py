"""Faults of the training loop, which no layer, loss or optimizer shows by itself."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import setting, uncounted
from compare.evaluation.faults.fault import TRAINING
from compare.evaluation.faults.injection import patched, patching
from compare.evaluation.faults.networks import around, joined
from scratch.backward import back_through

PLAIN = around("Dense", units=4, batch=5)
CONV = around("Conv2D", filters=3, kernel_size=2, batch=5)
NORMALIZED = around("BatchNormalization", momentum=0.9, batch=5)
WEIGHTED = around("Dense", units=4, batch=5, weighted=True)
FORK = joined("Add", reads=0)
MOMENTUM = around("Dense", units=3, optimizer=["SGD", {"learning_rate": 0.05, "momentum": 0.9}])
COUNTED = around("Dense", units=3, optimizer=["Adam", {"learning_rate": 0.05}])
STEPS = 4


def labels_rotated(self, right, x, y, sample_weight=None):
    return right(x, np.roll(y, 1, axis=0), sample_weight)


def images_rotated(self, right, x, y, sample_weight=None):
    return right(np.roll(x, 1, axis=0), y, sample_weight)


def accumulated(self, right):
    """Gradients are added to those of the step before, never cleared."""
    before = getattr(self, "left_over", {})
    for i, layer in enumerate(self.layers):
        layer.grads = {name: g + before.get((i, name), 0) for name, g in layer.grads.items()}
    self.left_over = {(i, name): g for i, layer in enumerate(self.layers)
                      for name, g in layer.grads.items()}
    right()


def one_step_late(self, right):
    """Each update uses the gradients of the step before."""
    now = [dict(layer.grads) for layer in self.layers]
    for layer, before in zip(self.layers, getattr(self, "left_over", now)):
        layer.grads = dict(before)
    right()
    self.left_over = now


def twice(self, right):
    right()
    right()


def last_layer_left_out(self, right):
    layer = self.layers[-1]
    layer.grads = {name: 0 * g for name, g in layer.grads.items()}
    right()


def last_sample_dropped(self, right, x, y, sample_weight=None):
    weight = None if sample_weight is None else sample_weight[:-1]
    return right(x[:-1], y[:-1], weight)


def at_inference(self, right, x, training=False):
    return right(x, False)


def weights_ignored(self, right, x, y, sample_weight=None):
    return right(x, y)


def rate_decays(self, right):
    """The rate goes down by itself, which nobody asked for."""
    right()
    self.optimizer._learning_rate *= 0.9


def updated_while_going_back(self, right, gradient, from_logits=False, wants_input_gradient=True):
    """Each layer makes its step before the gradient goes on to the one before it."""
    for i in reversed(range(len(self.layers))):
        layer = self.layers[i]
        held = {name: w.copy() for name, w in layer.params.items()}
        back = layer.backward_from_logits if from_logits else layer.backward
        back(gradient, False)
        grads, from_logits_here, from_logits = dict(layer.grads), from_logits, False
        for name, g in grads.items():
            layer.params[name] -= g.dtype.type(0.05) * g
        again = layer.backward_from_logits if from_logits_here else layer.backward
        dx = again(gradient, True)
        for name, w in held.items():
            layer.params[name][...] = w
        layer.grads, gradient = grads, dx
    return gradient if wants_input_gradient else None


def fork_overwritten(self, right, gradient, from_logits=False, wants_input_gradient=True):
    """Where two layers read one output, the last gradient stands for the sum."""
    arrived = {len(self.layers) - 1: gradient}
    for i in reversed(range(len(self.layers))):
        fused = from_logits and i == len(self.layers) - 1
        back = back_through(self.layers[i], None if fused else arrived[i], True,
                            arrived[i] if fused else None)
        for source, dx in zip(self.sources[i], back if isinstance(back, list) else [back]):
            arrived[source] = dx
    return arrived[-1]


def first_layer_stopped(self, right, gradient, from_logits=False, wants_input_gradient=True):
    """The gradient does not reach the first layer."""
    dx = right(gradient, from_logits, wants_input_gradient)
    layer = self.layers[0]
    layer.grads = {name: 0 * g for name, g in layer.grads.items()}
    return dx


# identifier, sentence, network, cause, injection, causes that are the same
TABLE = [
    ("labels-rotated", "each image is trained with the label of the one before", PLAIN,
     "labels-shifted", patching(train_step=labels_rotated), ("batch-mixed",)),
    ("images-rotated", "images are shuffled without their labels", CONV, "labels-shifted",
     patching(train_step=images_rotated), ("batch-mixed",)),
    ("gradients-accumulated", "gradients are not cleared between steps", PLAIN,
     "gradient-accumulated", patching(update=accumulated)),
    ("update-one-late", "each update uses the gradients of the step before", PLAIN,
     "update-before-gradient", patching(update=one_step_late)),
    ("update-twice", "each step is made twice", CONV, "scale", patching(update=twice)),
    ("last-layer-frozen", "the last layer is not trained", PLAIN, "update-missing",
     patching(update=last_layer_left_out)),
    ("last-sample-dropped", "the last sample of a batch is left out", PLAIN, "batch-mixed",
     patching(train_step=last_sample_dropped)),
    ("inference-in-training", "trains with the moving statistics", NORMALIZED,
     "moving-statistics", patching(forward=at_inference)),
    ("weights-ignored", "training takes no notice of the sample weights", WEIGHTED,
     "sample-weight", patching(train_step=weights_ignored)),
    ("momentum-ignored", "the optimizer keeps nothing of the last step", MOMENTUM,
     "optimizer-state", lambda model: setting("momentum", 0.0)(model.optimizer),
     ("optimizer-setting",)),
    ("steps-not-counted", "Adam makes up for the means' start at zero as if each step were the "
     "first", COUNTED, "optimizer-state",
     lambda model: patched(model.optimizer, apply=uncounted), ("optimizer-setting",)),
    ("rate-decays", "the rate goes down by a tenth with each step", PLAIN, "optimizer-setting",
     patching(update=rate_decays)),
    ("updated-while-going-back", "each layer is updated before the gradient goes on", CONV,
     "update-before-gradient", patching(backward=updated_while_going_back)),
    ("fork-overwritten", "where two layers read one tensor, one gradient stands for the sum", FORK,
     "overlap-overwritten", patching(backward=fork_overwritten)),
    ("first-layer-stopped", "the gradient does not reach the first layer's weights", CONV,
     "gradient-missing", patching(backward=first_layer_stopped)),
]


def faults():
    """All of them."""
    for name, sentence, network, cause, inject, *also in TABLE:
        yield single("Training", f"training-{name}", sentence, network, TRAINING, "", cause,
                     inject, *(also or [()]), "training", steps=STEPS)
