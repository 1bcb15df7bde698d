"""Faults of the training loop: order of batches, what a step sees, what is kept, what is reported.

Those of whole epochs sit in `fit` and `evaluate`, where a person writes them.
"""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import trained_by
from compare.evaluation.faults.fault import TRAINING
from compare.evaluation.faults.injection import patching
from compare.evaluation.faults.networks import around

STEPS = 5
PLAIN = around("Dense", units=4, batch=5)
CONV = around("Conv2D", filters=3, kernel_size=2, batch=5)
ADAM = trained_by("Adam")
MOMENTUM = trained_by("SGD", momentum=0.9)
FALLING = trained_by("SGD", learning_rate={
    "module": "keras.optimizers.schedules", "class_name": "ExponentialDecay",
    "registered_name": None, "config": {"initial_learning_rate": 0.05, "decay_steps": 2,
                                        "decay_rate": 0.5}})
FROZEN = around("Dense", units=4, batch=5, trainable=False)
NORM = around("BatchNormalization", momentum=0.9, batch=5)
PENALIZED = around("Dense", units=4, kernel_regularizer={
    "module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.03},
    "registered_name": None})


def size_of(batch_size, x):
    return min(batch_size or 32, len(x))


# one step


def cleared_every_second(self, right):
    """Gradients are cleared after every second step only."""
    before = self.__dict__.pop("left_over", None)
    if before is None:
        self.left_over = [dict(layer.grads) for layer in self.layers]
    else:
        for layer, grads in zip(self.layers, before):
            layer.grads = {name: g + grads[name] for name, g in layer.grads.items()}
    right()


def updated_first(self, right, x, y, sample_weight=None):
    """The update comes first, by the gradients of the step before."""
    if any(layer.grads for layer in self.layers):
        self.update()
    value, output, _ = self.loss_and_gradients(x, y, sample_weight=sample_weight)
    return value, output


def last_layer_first(self, right, gradient, from_logits=False, wants_input_gradient=True):
    """The last layer makes its step before the gradient goes through it."""
    layer = self.layers[-1]
    back = layer.backward_from_logits if from_logits else layer.backward
    back(gradient, False)
    held = {name: w.copy() for name, w in layer.params.items()}
    for name, g in layer.grads.items():
        layer.params[name] -= g.dtype.type(0.05) * g
    dx = right(gradient, from_logits, wants_input_gradient)
    for name, w in held.items():
        layer.params[name][...] = w
    return dx


def each_sample(self, right, x, y, sample_weight=None):
    """Each sample makes a step of its own."""
    made = [right(x[i:i + 1], y[i:i + 1]) for i in range(len(x))]
    return np.mean([value for value, _ in made]), np.concatenate([each for _, each in made])


def in_parts(reduce):
    """The batch is computed in two parts, the first one not the smaller; reduce(gradients)."""
    def train_step(self, right, x, y, sample_weight=None):
        if len(x) < 2:
            return right(x, y, sample_weight)
        first_part = (len(x) + 1) // 2
        total, values, outputs = [], [], []
        for rows in (slice(0, first_part), slice(first_part, None)):
            value, output, _ = self.loss_and_gradients(x[rows], y[rows])
            values.append(value)
            outputs.append(output)
            total.append([dict(layer.grads) for layer in self.layers])
        for layer, first, second in zip(self.layers, *total):
            layer.grads = {name: np.asarray(reduce(first[name], second[name]), g.dtype)
                           for name, g in first.items()}
        self.update()
        return np.mean(values), np.concatenate(outputs)

    return patching(train_step=train_step)


def optimizer_made_anew(self, right):
    """A new optimizer for every second step."""
    right()
    if self.optimizer.iterations % 2 == 0:
        self.optimizer = type(self.optimizer).from_config(self.optimizer.get_config())


def steps_not_counted(self, right):
    """The optimizer's count of steps goes up by epochs, of which this is the first."""
    right()
    self.optimizer.iterations = 0


def frozen_too(self, right):
    """Frozen layers make their step like all others."""
    right()
    for layer in self.layers:
        if not layer.trainable:
            for name, g in layer.grads.items():
                layer.params[name] -= g.dtype.type(0.05) * g


def after_update(self, right, x, y, sample_weight=None):
    """Loss and output are computed again, with the weights after the update."""
    right(x, y, sample_weight)
    return self.test_step(x, y, sample_weight)


def of_step_before(self, right, x, y, sample_weight=None):
    made = right(x, y, sample_weight)
    before, self.before = getattr(self, "before", made), made
    return before


def halved_inputs(self, right, x, y, sample_weight=None):
    return right(np.asarray(x) / 2, y, sample_weight)


def moved_twice(self, right, x, y, sample_weight=None):
    """A first forward pass for the loss, in training mode, and another one for the gradient."""
    self.forward(x, training=True)
    return right(x, y, sample_weight)


def penalty_twice(self, right, value, gradients=False):
    """The penalty's gradient is added once by the loss and once by the loop."""
    value = right(value, gradients)
    return right(value, gradients) if gradients else value


def weights_averaged(self, right):
    """Weights go half of the way."""
    before = [w.copy() for w in self.trainable_variables]
    right()
    for w, old in zip(self.trainable_variables, before):
        w[...] = (w + old) / 2


# whole epochs


def whole_batches_only(self, right, x, y, batch_size=None, **more):
    rows = len(x) // size_of(batch_size, x) * size_of(batch_size, x)
    return right(x[:rows], y[:rows], batch_size, **more)


def filled_up(self, right, x, y, batch_size=None, **more):
    """The last batch is filled up with the first samples."""
    missing = -len(x) % size_of(batch_size, x)
    return right(np.concatenate([x, x[:missing]]), np.concatenate([y, y[:missing]]), batch_size,
                 **more)


def counted_as_full(self, right, x, y, sample_weight=None):
    """A short batch's gradients are divided by a full batch's size."""
    self.full = max(getattr(self, "full", 0), len(x))
    share = np.full(len(x), len(x) / self.full, self.dtype)
    return right(x, y, share)


def in_order(self, right, x, y, batch_size=None, **more):
    return right(x, y, batch_size, **{**more, "shuffle": False})


def reversed_order(self, right, x, y, batch_size=None, **more):
    return right(x[::-1], y[::-1], batch_size, **{**more, "shuffle": False})


def reported(loss, return_dict=False, **more):
    """As evaluate returns it."""
    return {"loss": float(loss)} if return_dict else float(loss)


def mean_of_batches(self, right, x, y, batch_size=None, **more):
    size = size_of(batch_size, x)
    return reported(np.mean([self.test_step(x[i:i + size], y[i:i + size])[0]
                             for i in range(0, len(x), size)]), **more)


def last_batch_only(self, right, x, y, batch_size=None, **more):
    """An epoch's figure is that of its last batch."""
    start = (len(x) - 1) // size_of(batch_size, x) * size_of(batch_size, x)
    return reported(self.test_step(x[start:], y[start:])[0], **more)


def fresh_each_epoch(self, right, batches, *given):
    """Each epoch begins with a new optimizer."""
    self.optimizer = type(self.optimizer).from_config(self.optimizer.get_config())
    return right(batches, *given)


def scheduled_by_epoch(self, right, batches, *given):
    """The schedule counts epochs, not steps."""
    self.epochs = getattr(self, "epochs", -1) + 1
    self.optimizer.iterations = 100 * self.epochs
    return right(batches, *given)


# identifier, sentence, network, cause, injection, causes that are the same
TABLE = [
    ("cleared-every-second-step", "gradients are cleared after every second step only", PLAIN,
     "gradient-accumulated", patching(update=cleared_every_second)),
    ("updated-first", "the update comes before the gradients of its batch", CONV,
     "update-before-gradient", patching(train_step=updated_first)),
    ("last-layer-first", "the last layer makes its step before the gradient goes through it",
     PLAIN, "update-before-gradient", patching(backward=last_layer_first)),
    ("each-sample", "each sample makes a step of its own", PLAIN, "update-per-sample",
     patching(train_step=each_sample)),
    ("parts-summed", "gradients of two parts of a batch, each a mean, are added", PLAIN,
     "loss-sum-for-mean", in_parts(lambda a, b: a + b), ("scale", "gradient-accumulated")),
    ("parts-averaged", "two parts of a batch, of 3 and of 2 samples, count alike", PLAIN,
     "mean-over-batches", in_parts(lambda a, b: (a + b) / 2)),
    ("parts-last", "the last part's gradients stand for the batch's", PLAIN, "batch-mixed",
     in_parts(lambda a, b: b)),
    ("optimizer-made-anew", "every second step begins with a new optimizer", ADAM,
     "optimizer-state", patching(update=optimizer_made_anew)),
    ("momentum-made-anew", "every second step begins without momentum", MOMENTUM,
     "optimizer-state", patching(update=optimizer_made_anew)),
    ("schedule-by-epoch", "the schedule counts epochs and stays at the first", FALLING,
     "learning-rate-schedule", patching(update=steps_not_counted), ("optimizer-state",)),
    ("frozen-moves", "a frozen layer is trained", FROZEN, "frozen-weights",
     patching(update=frozen_too)),
    ("moved-twice", "two forward passes in each step move the statistics twice", NORM,
     "moving-statistics", patching(train_step=moved_twice)),
    ("inputs-halved", "inputs are halved in training alone", PLAIN, "preprocessing",
     patching(train_step=halved_inputs)),
    ("penalty-twice", "the loop adds the penalty that the loss has already", PENALIZED,
     "penalty-missing", patching(_penalized=penalty_twice)),
    ("weights-halfway", "weights are averaged with those before the step", PLAIN, "scale",
     patching(update=weights_averaged), ("optimizer-setting",)),
    ("figures-after-update", "the loss is that of the weights after the update", PLAIN,
     "metrics-after-update", patching(train_step=after_update)),
    ("figures-of-step-before", "the loss is that of the step before", PLAIN, "state-leak",
     patching(train_step=of_step_before)),
    ("last-batch-dropped", "an epoch leaves out the last, shorter batch", PLAIN, "last-batch",
     patching(fit=whole_batches_only)),
    ("last-batch-filled", "an epoch fills the last batch up with the first samples", PLAIN,
     "last-batch", patching(fit=filled_up)),
    ("last-batch-as-full", "a short batch is divided by a full one's size", PLAIN, "last-batch",
     patching(train_step=counted_as_full)),
    ("not-shuffled", "an epoch keeps the samples' order where a new one is asked for", PLAIN,
     "batch-order", patching(fit=in_order)),
    ("reversed", "an epoch begins with the last samples", PLAIN, "batch-order",
     patching(fit=reversed_order)),
    ("mean-over-batches", "evaluate averages the batches' means", PLAIN, "mean-over-batches",
     patching(evaluate=mean_of_batches)),
    ("last-batch-reported", "evaluate reports the last batch's loss", PLAIN, "mean-over-batches",
     patching(evaluate=last_batch_only)),
    ("optimizer-each-epoch", "each epoch begins with a new optimizer", MOMENTUM,
     "optimizer-state", patching(_run_epoch=fresh_each_epoch)),
    ("schedule-jumps-by-epoch", "each epoch counts for 100 steps of the schedule", FALLING,
     "learning-rate-schedule", patching(_run_epoch=scheduled_by_epoch)),
]


def faults():
    """All of them."""
    for name, sentence, network, cause, inject, *also in TABLE:
        yield single("Training loop", f"loop-{name}", sentence, network, TRAINING, "", cause,
                     inject, *(also or [()]), "training", steps=STEPS)
