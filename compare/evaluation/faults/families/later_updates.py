"""Faults of what an optimizer keeps from step to step: the first update is right, or nearly so."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import setting, trained_by
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import patching
from compare.evaluation.faults.networks import around

STEPS = 5
SGD = trained_by("SGD")
MOMENTUM = trained_by("SGD", momentum=0.9)
DECAYING = trained_by("SGD", weight_decay=0.01)
ADAM = trained_by("Adam")
AMSGRAD = trained_by("Adam", amsgrad=True)
RMSPROP = trained_by("RMSprop")
RMSPROP_MOMENTUM = trained_by("RMSprop", momentum=0.9)
CENTERED = trained_by("RMSprop", centered=True)
ADAGRAD = trained_by("Adagrad")
ALIKE = around("Dense", units=5, optimizer=["SGD", {"learning_rate": 0.05, "momentum": 0.9}])


def keeping(name: str, change):
    """After each step a list of slots is what change(slot) makes of it."""
    def apply(self, right, given, variables):
        right(given, variables)
        for slot in getattr(self, name):
            slot[...] = change(slot)

    return patching(apply=apply)


def zeros(slot):
    return 0 * slot


def times(factor):
    return lambda slot: slot * slot.dtype.type(factor)


def halved_precision(slot):
    return slot.astype(np.float16)


def later(change):
    """From the second step on, change(self, right, gradients, variables) makes the step."""
    def apply(self, right, given, variables):
        if self.iterations:
            change(self, right, given, variables)
        else:
            right(given, variables)

    return patching(apply=apply)


def rate_off(self, right, given, variables):
    right([g * g.dtype.type(1.0005) for g in given], variables)


def weights_grow(self, right, given, variables):
    right(given, variables)
    for variable in variables:
        variable *= variable.dtype.type(1 + 1e-6)


def last_left_out(self, right, given, variables):
    right([*given[:-1], 0 * given[-1]], variables)


def dampened(self, right, given, variables):
    right([g * g.dtype.type(0.9) for g in given], variables)


def every_third_skipped(self, right, given, variables):
    if self.iterations % 3 == 2:
        self.iterations += 1
    else:
        right(given, variables)


def decays_twice(self, right, variables, positions, rate):
    right(variables, positions, rate)
    if self.iterations:
        right(variables, positions, rate)


def decays_once(self, right, variables, positions, rate):
    if not self.iterations:
        right(variables, positions, rate)


def slots_by_shape(self, right, variables):
    """Weights of the same shape find the same slot."""
    right(variables)
    found = {}
    self.momentums = [found.setdefault(slot.shape, slot) for slot in self.momentums]


def step_per_weight(self, right, given, variables, positions, rate):
    """The number of the step, which the correction needs, goes up with every weight."""
    made = self.iterations
    for i, (g, variable, position) in enumerate(zip(given, variables, positions)):
        self.iterations = made * len(variables) + i
        right([g], [variable], [position], rate)
    self.iterations = made


def as_at(step):
    """The means' correction is that of another step, a function of how many were made."""
    def factor(self, right, rate):
        made = self.iterations
        self.iterations = step(made)
        try:
            return right(rate)
        finally:
            self.iterations = made

    return patching(factor=factor)


def corrected_once(self, right, rate):
    return rate if self.iterations else right(rate)


def to_initial(self, right, given, variables):
    right(given, variables)
    for slot in self.accumulators:
        slot[...] = self.initial_accumulator_value


# identifier, sentence, network, cause, injection, causes that are the same
TABLE = [
    ("momentum-0.9001", "the momentum is 0.9001 in place of 0.9", MOMENTUM, "optimizer-setting",
     setting("momentum", 0.9001)),
    ("velocity-grows", "the velocity is larger by one part in a thousand after each step",
     MOMENTUM, "optimizer-state", keeping("momentums", times(1.001)), ("optimizer-setting",)),
    ("velocity-not-kept", "the velocity starts anew with each step", MOMENTUM, "optimizer-state",
     keeping("momentums", zeros), ("optimizer-setting",)),
    ("velocity-float16", "the velocity is stored in float16", MOMENTUM, "low-precision",
     keeping("momentums", halved_precision)),
    ("velocity-by-shape", "two weights of the same shape share their velocity", ALIKE,
     "optimizer-state", patching(make_slots=slots_by_shape)),
    ("momentum-dampened-later", "from the second step on the gradient counts for 0.9 of itself",
     MOMENTUM, "optimizer-setting", later(dampened), ("learning-rate-schedule", "scale")),
    ("rate-0.05-percent-off", "from the second step on the rate is 0.05 % larger", SGD,
     "learning-rate-schedule", later(rate_off), ("optimizer-setting", "scale")),
    ("weights-grow", "from the second step on each weight grows by one part in a million", SGD,
     "weight-decay", later(weights_grow)),
    ("last-bias-once", "the last bias is updated at the first step alone", SGD, "update-missing",
     later(last_left_out)),
    ("third-step-skipped", "every third step is skipped", SGD, "update-missing",
     patching(apply=every_third_skipped)),
    ("decay-twice", "from the second step on weights decay twice", DECAYING, "weight-decay",
     patching(_decay=decays_twice)),
    ("decay-once", "weights decay at the first step alone", DECAYING, "weight-decay",
     patching(_decay=decays_once)),
    ("adam-v-leaks", "Adam's v loses one part in ten thousand after each step", ADAM,
     "optimizer-state", keeping("velocities", times(1 - 1e-4)), ("optimizer-setting",)),
    ("adam-v-not-kept", "Adam's v starts anew with each step", ADAM, "optimizer-state",
     keeping("velocities", zeros)),
    ("adam-m-not-kept", "Adam's m starts anew with each step", ADAM, "optimizer-state",
     keeping("momentums", zeros)),
    ("adam-m-float16", "Adam's m is stored in float16", ADAM, "low-precision",
     keeping("momentums", halved_precision)),
    ("adam-amsgrad-ignored", "AMSGrad's maximum is not taken", AMSGRAD, "optimizer-setting",
     setting("amsgrad", False)),
    ("adam-step-per-weight", "the number of Adam's step goes up with every weight", ADAM,
     "bias-correction", patching(update=step_per_weight)),
    ("adam-from-two", "Adam counts its steps from 2", ADAM, "bias-correction",
     as_at(lambda made: made + 1)),
    ("adam-correction-without-power", "1 - beta corrects in place of 1 - beta^t", ADAM,
     "bias-correction", as_at(lambda made: 0)),
    ("adam-corrected-once", "the means are corrected at the first step alone", ADAM,
     "bias-correction", patching(factor=corrected_once)),
    ("rmsprop-mean-not-kept", "the mean of squares starts anew with each step", RMSPROP,
     "optimizer-state", keeping("velocities", zeros)),
    ("rmsprop-momentum-not-kept", "RMSprop keeps nothing of the last step", RMSPROP_MOMENTUM,
     "optimizer-state", keeping("momentums", zeros), ("optimizer-setting",)),
    ("rmsprop-average-not-kept", "the mean of gradients starts anew with each step", CENTERED,
     "optimizer-state", keeping("average_gradients", zeros)),
    ("adagrad-sum-not-kept", "the sum of squares starts anew with each step", ADAGRAD,
     "optimizer-state", patching(apply=to_initial)),
    ("adagrad-forgets", "the sum of squares loses one part in a hundred after each step", ADAGRAD,
     "optimizer-state", keeping("accumulators", times(0.99))),
]


def faults():
    """All of them."""
    for name, sentence, network, cause, inject, *also in TABLE:
        yield single("Later updates", f"later-{name}", sentence, network, OPTIMIZER, "", cause,
                     inject, *(also or [()]), "update", steps=STEPS)
