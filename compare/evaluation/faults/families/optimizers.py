"""Faults of optimizers: the rule, its settings, clipping, decay, schedules."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import patched, patching
from compare.evaluation.faults.networks import around


def trained_by(name: str, dtype="float32", **arguments):
    return around("Dense", units=3, dtype=dtype,
                  optimizer=[name, {"learning_rate": 0.05, **arguments}])


SGD = trained_by("SGD")
MOMENTUM = trained_by("SGD", momentum=0.9)
NESTEROV = trained_by("SGD", momentum=0.9, nesterov=True)
DECAYING = trained_by("SGD", weight_decay=0.01)
ADAM = trained_by("Adam")
FINE_ADAM = trained_by("Adam", dtype="float64")
ADAMW = trained_by("AdamW", weight_decay=0.02)
RMSPROP = trained_by("RMSprop")
CENTERED = trained_by("RMSprop", centered=True)
ADAGRAD = trained_by("Adagrad")
CLIPNORM = trained_by("SGD", clipnorm=0.01)
CLIPVALUE = trained_by("SGD", clipvalue=0.01)
GLOBAL = trained_by("SGD", global_clipnorm=0.02)
SCHEDULE = trained_by("SGD", learning_rate={
    "module": "keras.optimizers.schedules", "class_name": "ExponentialDecay",
    "registered_name": None, "config": {
        "initial_learning_rate": 0.05, "decay_steps": 2, "decay_rate": 0.5, "staircase": False,
        "name": "ExponentialDecay"}})


def gradients(change):
    """Every gradient is changed before it is used."""
    return patching(apply=lambda self, right, given, variables: right(
        [np.asarray(change(g), g.dtype) for g in given], variables))


def setting(name: str, number):
    """The rule runs with another number."""
    def update_step(self, right, *arguments):
        kept = getattr(self, name)
        setattr(self, name, number)
        try:
            right(*arguments)
        finally:
            setattr(self, name, kept)

    return patching(update_step=update_step)


def decaying(share: float):
    """Every weight shrinks by that share after its step."""
    def apply(self, right, given, variables):
        right(given, variables)
        for variable in variables:
            variable *= variable.dtype.type(1 - share)

    return patching(apply=apply)


def only_kernels(self, right, given, variables):
    right([g if g.ndim > 1 else 0 * g for g in given], variables)


def half_of_the_first(self, right, given, variables):
    right([given[0] * given[0].dtype.type(0.5), *given[1:]], variables)


def uncorrected(self, right, rate):
    return rate


def epsilon_inside(self, right, gradient, variable, alpha, position):
    """sqrt(v + epsilon) in place of sqrt(v) + epsilon."""
    m, v = self.momentums[position], self.velocities[position]
    m += (gradient - m) * (1 - self.beta_1)
    v += (np.square(gradient) - v) * (1 - self.beta_2)
    variable -= m * alpha / np.sqrt(v + self.epsilon)


def epsilon_outside(self, right, gradient, variable, rate, position):
    velocity = self.velocities[position]
    velocity[...] = self.rho * velocity + (1 - self.rho) * np.square(gradient)
    variable -= rate * gradient / (np.sqrt(velocity) + self.epsilon)


def betas_swapped(self, right, *arguments):
    self.beta_1, self.beta_2 = self.beta_2, self.beta_1
    try:
        right(*arguments)
    finally:
        self.beta_1, self.beta_2 = self.beta_2, self.beta_1


def from_zero(self, right, variables):
    right(variables)
    self.accumulators = [np.zeros_like(v) for v in variables]


def undecayed(self, right, variables, positions, rate):
    """No weight decays by itself."""


def coupled(self, right, given, variables):
    right([g + v * v.dtype.type(self.weight_decay) for g, v in zip(given, variables)], variables)


def dampened(self, right, gradient, variable, rate, position):
    right(gradient * gradient.dtype.type(1 - self.momentum), variable, rate, position)


def each_by_itself(self, right, given):
    """Each gradient by its own norm where that of all is meant."""
    limit = self.global_clipnorm
    return [g * g.dtype.type(min(1, limit / np.linalg.norm(g))) for g in given]


def all_together(self, right, given):
    """By the norm of all where each one's own is meant."""
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in given))
    return [g * g.dtype.type(min(1, self.clipnorm / norm)) for g in given]


def uncounted(self, right, given, variables):
    """Each step is taken for the first one."""
    right(given, variables)
    self.iterations = 0


def as_of_next_step(self, right, given, variables):
    self.iterations += 1
    right(given, variables)
    self.iterations -= 1


# identifier, sentence, network, cause, injection, causes that are the same
TABLE = [
    ("sgd-climbs", "the step goes up the gradient", SGD, "update-sign", gradients(lambda g: -g)),
    ("sgd-rate", "the rate is larger by one part in a thousand", SGD, "scale",
     gradients(lambda g: g * 1.001)),
    ("sgd-decays", "every weight shrinks by one part in 10^5", SGD, "weight-decay",
     decaying(1e-5)),
    ("sgd-only-kernels", "biases are not trained", SGD, "update-missing",
     patching(apply=only_kernels), ("bias-missing",)),
    ("sgd-first-half", "the first weight moves half as far", SGD, "scale",
     patching(apply=half_of_the_first)),
    ("sgd-float16", "gradients are rounded to float16", SGD, "low-precision",
     gradients(lambda g: g.astype(np.float16))),
    ("momentum-dampened", "the gradient's share in the momentum is 1 - momentum", MOMENTUM,
     "scale", patching(update_step=dampened), ("optimizer-setting",)),
    ("nesterov-ignored", "no look ahead", NESTEROV, "optimizer-setting",
     setting("nesterov", False), ("scale",)),
    ("decay-ignored", "weights do not decay", DECAYING, "weight-decay",
     patching(_decay=undecayed)),
    ("adam-uncorrected", "the means' start at zero is not made up for", ADAM, "bias-correction",
     patching(factor=uncorrected), ("scale", "optimizer-setting")),
    ("adam-epsilon-inside", "epsilon stands under the root", ADAM, "epsilon",
     patching(update_step=epsilon_inside), ("optimizer-setting",)),
    ("adam-epsilon-1e-8", "in float64, another library's epsilon", FINE_ADAM, "epsilon",
     setting("epsilon", 1e-8), ("optimizer-setting",)),
    ("adam-betas-swapped", "the two decay rates are swapped", ADAM, "optimizer-setting",
     patching(update_step=betas_swapped), ("scale",)),
    ("adamw-coupled", "weights decay through the gradient", ADAMW, "weight-decay",
     lambda optimizer: patched(optimizer, _decay=undecayed, apply=coupled),
     ("optimizer-setting",)),
    ("rmsprop-epsilon-outside", "epsilon stands outside of the root", RMSPROP, "epsilon",
     patching(update_step=epsilon_outside), ("optimizer-setting",)),
    ("rmsprop-rho-swapped", "rho counts for the new square", RMSPROP, "optimizer-setting",
     setting("rho", 0.1), ("scale",)),
    ("rmsprop-not-centered", "the mean's square is not taken off", CENTERED, "optimizer-setting",
     setting("centered", False), ("scale",)),
    ("adagrad-from-zero", "the sums of squares start at zero", ADAGRAD, "optimizer-setting",
     patching(make_slots=from_zero)),
    ("clipnorm-global", "gradients are clipped by the norm of all", CLIPNORM, "clipping",
     patching(_clipped=all_together), ("scale",)),
    ("clipvalue-ignored", "nothing is clipped", CLIPVALUE, "clipping",
     patching(_clipped=lambda self, right, given: given)),
    ("global-clipnorm-each", "each gradient is clipped by its own norm", GLOBAL, "clipping",
     patching(_clipped=each_by_itself), ("scale",)),
    ("schedule-one-ahead", "the schedule is one step ahead", SCHEDULE, "learning-rate-schedule",
     patching(apply=as_of_next_step), ("optimizer-setting",)),
]


def faults():
    """All of them."""
    for name, sentence, network, cause, inject, *also in TABLE:
        yield single("Optimizers", f"optimizer-{name}", sentence, network, OPTIMIZER, "", cause,
                     inject, *(also or [()]), "update")
