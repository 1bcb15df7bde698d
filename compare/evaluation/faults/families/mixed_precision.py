"""Faults of mixed precision: casts that are missing or in the wrong place, the loss's scale."""

from dataclasses import replace

from compare.evaluation.faults.families.low_precision import loss_in_half, weights_in_half
from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import LOSS, OPTIMIZER
from compare.evaluation.faults.injection import activation, brain, half, patched
from compare.evaluation.faults.networks import SGD, around

OUT, DK = "output", "kernel_gradient"
FAMILY = "Mixed precision"
SCALING = ["LossScaleOptimizer", {"inner_optimizer": {
    "module": "keras.optimizers", "class_name": "SGD", "registered_name": None,
    "config": {"name": "sgd", "learning_rate": 0.05}}, "initial_scale": 1024.0}]


def mixed(class_name: str, policy: str = "mixed_float16", optimizer=SGD, **arguments):
    """A small network of that policy, whose last layer is of float32, as Keras advises."""
    return replace(around(class_name, optimizer=optimizer, last={"dtype": "float32"}, **arguments),
                   policy=policy)


DENSE = mixed("Dense", units=3)
BRAIN = mixed("Dense", "mixed_bfloat16", units=3)
CONV = mixed("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
NORM = mixed("BatchNormalization", momentum=0.9)
RESCALING = mixed("Rescaling", scale=0.3, offset=-0.2)
SCALED = mixed("Dense", optimizer=SCALING, units=3)


def input_as_it_comes(self, right, value):
    return value


def weights_as_they_are(layer):
    layer.casts_weights = False


def as_it_is(self, right, array):
    return array


def moments_in_half(self, right, name, batch):
    right(name, half(batch))


def inputs_centred_in_half(self, right, centred, variance):
    return right(half(centred), half(variance))


def as_they_come(self, right, gradients):
    return gradients


def twice(self, right, gradients):
    return right(right(gradients))


def always(self, right, gradients, variables):
    """The inner optimizer's step, whatever the gradients are."""
    if not self.built:
        self.build(variables)
    self.inner_optimizer.apply(self.unscaled(gradients), variables)


TABLE = [
    ("input-not-cast", "the first layer computes with its input in float32", DENSE, "front", OUT,
     "cast-missing", lambda layer: patched(layer, autocast=input_as_it_comes), None),
    ("bfloat16-input-not-cast", "the first layer computes with its input in float32", BRAIN,
     "front", OUT, "cast-missing", lambda layer: patched(layer, autocast=input_as_it_comes), None),
    ("convolution-input-not-cast", "the first layer computes with its input in float32", CONV,
     "front", OUT, "cast-missing", lambda layer: patched(layer, autocast=input_as_it_comes), None),
    ("weights-not-cast", "the kernel is multiplied as it is kept, in float32", DENSE, "dense", OUT,
     "cast-missing", weights_as_they_are, None),
    ("softmax-in-half", "the last softmax, which is to be in float32, is computed in float16",
     DENSE, "last", OUT, "low-precision",
     activation(lambda z, right: half(right.function(half(z)))), None),
    ("softmax-in-bfloat16", "the last softmax, which is to be in float32, is rounded to bfloat16",
     BRAIN, "last", OUT, "low-precision",
     activation(lambda z, right: brain(right.function(z))), None),
    ("loss-in-half", "the loss is rounded to float16", DENSE, LOSS, "value", "low-precision",
     lambda loss: patched(loss, forward=loss_in_half), "loss"),
    ("weights-kept-in-half", "weights are kept in float16 after each step, not in float32", DENSE,
     OPTIMIZER, "", "low-precision", lambda optimizer: patched(optimizer, apply=weights_in_half),
     "update"),
    ("statistics-in-half", "the batch's moments go into the moving statistics in float16", NORM,
     "batch_normalization", "moving_mean", "low-precision",
     lambda layer: patched(layer, _move=moments_in_half), "moving statistics"),
    ("normalization-in-half", "moments are taken in float16, not in float32", NORM,
     "batch_normalization", OUT, "low-precision",
     lambda layer: patched(layer, _normalize=inputs_centred_in_half), None),
    ("given-numbers-not-cast", "scale and offset are kept in float32", RESCALING, "rescaling", OUT,
     "cast-missing", lambda layer: patched(layer, rounded=as_it_is), None),
    ("scale-kept", "the gradients are not divided by the loss's scale", SCALED, OPTIMIZER, "",
     "loss-scale", lambda optimizer: patched(optimizer, unscaled=as_they_come), "update"),
    ("scale-twice", "the gradients are divided by the loss's scale twice", SCALED, OPTIMIZER, "",
     "loss-scale", lambda optimizer: patched(optimizer, unscaled=twice), "update"),
    ("step-not-skipped", "a step is made of gradients that are infinite", SCALED, OPTIMIZER, "",
     "step-not-skipped", lambda optimizer: patched(optimizer, apply=always), "update"),
]


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, cause, inject, phase in TABLE:
        yield single(FAMILY, f"mixed-{name}", sentence, network, layer, tensor, cause, inject, (),
                     phase)
