"""Faults of somebody's own Keras model, layer or optimizer, which its config does not tell."""

from compare.evaluation.faults.families.keras_side import calling, output
from compare.evaluation.faults.families.making import At
from compare.evaluation.faults.families.optimizers import trained_by
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING, Fault, Place
from compare.evaluation.faults.networks import SGD, SOFT, around, ended, front
from compare.evaluation.fuzzing.specification import Node

DENSE = around("Dense", units=3)
CONV = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
DROPOUT = around("Dropout", rate=0.3, batch=5)
SOFTMAX = ended([front((6,), "front", -1),
                 Node("Rescaling", {"name": "rescaling", "scale": 1000.0}, [0]),
                 Node("Softmax", {"name": "softmax"}, [1])],
                (6,), SOFT, SGD, 4, "float32", 1, False, None)  # of numbers that exp does not take
NORM = around("BatchNormalization", momentum=0.9)
ADAM = trained_by("Adam")
ADAMW = trained_by("AdamW", weight_decay=0.02)
MOMENTUM = trained_by("SGD", momentum=0.9)
FALLING = trained_by("SGD", learning_rate={
    "module": "keras.optimizers.schedules", "class_name": "ExponentialDecay",
    "registered_name": None, "config": {"initial_learning_rate": 0.05, "decay_steps": 2,
                                        "decay_rate": 0.5}})


def derived(thing, **methods):
    """The object gets a class of its own whose methods are method(base, self, *arguments)."""
    base = type(thing)
    members = {name: _method(base, method) for name, method in methods.items()}
    thing.__class__ = type(base.__name__, (base,), members)


def _method(base, method):
    def bound(self, *given, **named):
        return method(base, self, *given, **named)

    return bound


def call_times(factor, always=True):
    """The model's own call multiplies what its layers make, outside of training or always."""
    def call(base, self, inputs, training=None, mask=None):
        y = base.call(self, inputs, training=training, mask=mask)
        return y * factor if always or not training else y

    return lambda twin: derived(twin, call=call)


def call_on_clipped(base, self, inputs, training=None, mask=None):
    """The model keeps its inputs within a quarter before the first layer sees them."""
    import tensorflow as tf

    return base.call(self, tf.clip_by_value(inputs, -0.25, 0.25), training=training, mask=mask)


def steps_twice(base, self, data):
    base.train_step(self, data)
    return base.train_step(self, data)


def penalized(twin):
    """compute_loss adds a penalty of its own."""
    import tensorflow as tf

    right = twin.compute_loss
    twin.compute_loss = lambda *given, **named: right(*given, **named) + 0.01 * tf.add_n(
        [tf.reduce_sum(tf.square(w.value)) for w in twin.trainable_variables])


def excluded_from_decay(twin):
    twin.optimizer.exclude_from_weight_decay(var_names=["bias"])


def velocity_grows(base, self, gradient, variable, learning_rate):
    base.update_step(self, gradient, variable, learning_rate)
    slot = self.momentums[self._get_variable_index(variable)]
    slot.assign(slot * 1.001)


def adam_forgets(base, self, gradient, variable, learning_rate):
    base.update_step(self, gradient, variable, learning_rate)
    slot = self._momentums[self._get_variable_index(variable)]
    slot.assign(slot * 0)


def one_ahead(base, self):
    return self._learning_rate(self.iterations + 1)


def dropout_scales(tf, layer, right, x):
    """What passes outside of training is scaled as well."""
    y = right(x)
    return tf.where(tf.reduce_all(tf.equal(y, x)), 0.7 * y, y)


def unshifted(tf, layer, right, x):
    exponentials = tf.exp(x)
    return exponentials / tf.reduce_sum(exponentials, axis=-1, keepdims=True)


def other_momentum(layer):
    """The averages move by another momentum than the config says."""
    right = layer.call

    def call(x, *given, **named):
        kept, layer.momentum = layer.momentum, 0.99
        try:
            return right(x, *given, **named)
        finally:
            layer.momentum = kept

    layer.call = call


def ten_bits(tf, y, x):
    """TF32's mantissa."""
    scale = tf.cast(2.0 ** 13 + 1, y.dtype)
    wide = y * scale
    return wide - (wide - y)


# identifier, sentence, phase, place, network, injection into the twin, steps
TABLE = [
    ("call-halves", "the model's own call halves the output", "forward",
     Place(TRAINING, "", "scale"), DENSE, call_times(0.5), 5),
    ("call-halves-outside-training", "the model's own call halves the output outside of training",
     "inference", Place(TRAINING, "", "training-flag", ("scale",)), DENSE,
     call_times(0.5, always=False), 5),
    ("call-clips-inputs", "the model's own call keeps the inputs within a quarter", "forward",
     Place(TRAINING, "", "preprocessing"), DENSE,
     lambda twin: derived(twin, call=call_on_clipped), 5),
    ("train-step-twice", "the model's own train_step makes two steps", "training",
     Place(TRAINING, "", "scale", ("update-per-sample",)), DENSE,
     lambda twin: derived(twin, train_step=steps_twice), 5),
    ("loss-penalized", "compute_loss adds a penalty of its own", "loss",
     Place(LOSS, "value", "penalty-missing"), DENSE, penalized, 0),
    ("biases-excluded-from-decay", "the optimizer was told to leave the biases alone", "update",
     Place(OPTIMIZER, "", "weight-decay"), ADAMW, excluded_from_decay, 5),
    ("velocity-grows", "the velocity is larger by one part in a thousand after each step",
     "update", Place(OPTIMIZER, "", "optimizer-state", ("optimizer-setting",)), MOMENTUM,
     lambda twin: derived(twin.optimizer, update_step=velocity_grows), 5),
    ("adam-forgets", "Adam's m starts anew with each step", "update",
     Place(OPTIMIZER, "", "optimizer-state"), ADAM,
     lambda twin: derived(twin.optimizer, update_step=adam_forgets), 5),
    ("schedule-one-ahead", "the optimizer's schedule is one step ahead", "update",
     Place(OPTIMIZER, "", "learning-rate-schedule", ("scale",)), FALLING,
     lambda twin: derived(twin.optimizer, _get_current_learning_rate=one_ahead), 5),
    ("dropout-scales", "a dropout scales by what is kept outside of training, too", "inference",
     Place("dropout", "output", "training-flag", ("scale",)), DROPOUT,
     At("dropout", calling(dropout_scales)), 0),
    ("softmax-unshifted", "a softmax does not take the maximum off before exp", "forward",
     Place("softmax", "output", "nan"), SOFTMAX, At("softmax", calling(unshifted)), 0),
    ("normalization-momentum", "the averages move by another momentum", "moving statistics",
     Place("batch_normalization", "moving_mean", "moving-statistics"), NORM,
     At("batch_normalization", other_momentum), 0),
    ("conv2d-tf32", "a convolution's output keeps 10 bits of mantissa (TF32)", "forward",
     Place("conv2d", "output", "low-precision"), CONV, At("conv2d", output(ten_bits)), 0),
]


def faults():
    """All of them."""
    for name, sentence, phase, place, network, inject, steps in TABLE:
        yield Fault(f"keras-model-{name}", "Keras models", sentence, phase, (place,), network,
                    inject, side="reference", steps=steps)
