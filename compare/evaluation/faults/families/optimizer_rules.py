"""Faults of optimizers' rules as papers, courses and other libraries have them."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import (
    ADAMW,
    NESTEROV,
    coupled,
    gradients,
    setting,
    trained_by,
    undecayed,
)
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import patched, patching
from scratch.optimizers.casting import as_keras_casts

SGD = trained_by("SGD")
ADAM = trained_by("Adam")
LARGE_EPSILON = trained_by("Adam", epsilon=1e-3)
ADAM_DECAYING = trained_by("Adam", weight_decay=0.02)
MOMENTUM_DECAYING = trained_by("SGD", momentum=0.9, weight_decay=0.02)
RMSPROP = trained_by("RMSprop")
ADAGRAD = trained_by("Adagrad")
ADAGRAD_EPSILON = trained_by("Adagrad", epsilon=1e-3)
FALLING = trained_by("SGD", momentum=0.9, learning_rate={
    "module": "keras.optimizers.schedules", "class_name": "ExponentialDecay",
    "registered_name": None, "config": {"initial_learning_rate": 0.05, "decay_steps": 2,
                                        "decay_rate": 0.5}})


def moved(change):
    """SGD with momentum whose change(velocity, momentum, rate * gradient) returns the move; the
    velocity is to be changed in place."""
    def update_step(self, right, gradient, variable, rate, position):
        beta = as_keras_casts(self.momentum, variable.dtype)
        variable += change(self.momentums[position], beta, gradient * rate)

    return patching(update_step=update_step)


def old_velocity(velocity, beta, step):
    """Looks ahead along the velocity of the step before."""
    before = velocity.copy()
    velocity[...] = beta * velocity - step
    return beta * before - step


def ahead_twice(velocity, beta, step):
    velocity[...] = beta * velocity - step
    return beta * (beta * velocity - step) - step


def ahead_kept(velocity, beta, step):
    """What was looked ahead along is kept as the velocity."""
    velocity[...] = beta * velocity - step
    velocity[...] = beta * velocity - step
    return velocity


def interim_kept(velocity, beta, step):
    """The weights stay moved to where the gradient was to be taken, and then move once more."""
    before = velocity.copy()
    velocity[...] = beta * velocity - step
    return beta * before + velocity


def rate_outside(self, right, gradient, variable, rate, position):
    """velocity = momentum * velocity + g, w -= rate * velocity: another library's, which is the
    same until the rate changes."""
    velocity = self.momentums[position]
    velocity[...] = as_keras_casts(self.momentum, variable.dtype) * velocity + gradient
    variable -= rate * velocity


def corrected_by(factor):
    """Adam's rate is multiplied by factor(1 - beta_1^t, 1 - beta_2^t)."""
    def changed(self, right, rate):
        t = self.iterations + 1
        return rate * rate.dtype.type(factor(1 - self.beta_1**t, 1 - self.beta_2**t))

    return patching(factor=changed)


def adam(denominator):
    """Adam whose means are corrected first: rate m' / denominator(v', epsilon)."""
    def update_step(self, right, gradient, variable, rate, position):
        t = self.iterations + 1
        m, v = self.momentums[position], self.velocities[position]
        m += (gradient - m) * (1 - self.beta_1)
        v += (np.square(gradient) - v) * (1 - self.beta_2)
        corrected = v / v.dtype.type(1 - self.beta_2**t)
        mean = m / m.dtype.type(1 - self.beta_1**t)
        variable -= rate * mean / denominator(corrected, v.dtype.type(self.epsilon))

    return patching(factor=lambda self, right, rate: rate, update_step=update_step)


def square_of_mean(self, right, gradient, variable, alpha, position):
    """v is the mean of m^2 in place of g^2."""
    m, v = self.momentums[position], self.velocities[position]
    m += (gradient - m) * (1 - self.beta_1)
    v += (np.square(m) - v) * (1 - self.beta_2)
    variable -= m * alpha / (np.sqrt(v) + self.epsilon)


def decay_times(factor):
    """Weights decay by factor(weight decay, rate) of themselves."""
    def decay(self, right, variables, positions, rate):
        for variable in variables:
            variable -= variable * variable.dtype.type(factor(self.weight_decay, rate))

    return patching(_decay=decay)


def decay_afterwards(optimizer):
    def apply(self, right, given, variables):
        right(given, variables)
        factor = variables[0].dtype.type(1 - self.weight_decay * self.learning_rate)
        for variable in variables:
            variable *= factor

    patched(optimizer, _decay=undecayed, apply=apply)


def coupling(optimizer):
    """The decay is a part of the gradient, and so of what the optimizer remembers."""
    patched(optimizer, _decay=undecayed, apply=coupled)


def only_kernels_decay(self, right, variables, positions, rate):
    kept = [v.copy() for v in variables]
    right(variables, positions, rate)
    for variable, before in zip(variables, kept):
        if variable.ndim == 1:
            variable[...] = before


def adagrad(denominator):
    def update_step(self, right, gradient, variable, rate, position):
        accumulator = self.accumulators[position]
        accumulator += np.square(gradient)
        variable -= rate * gradient / denominator(accumulator, self.epsilon)

    return patching(update_step=update_step)


def slowing(self, right, gradient, variable, rate, position):
    """Another library's second way of slowing down."""
    right(gradient, variable, rate / rate.dtype.type(1 + 0.1 * self.iterations), position)


# identifier, sentence, network, cause, injection, causes that are the same
TABLE = [
    ("nesterov-old-velocity", "looks ahead along the velocity of the step before", NESTEROV,
     "nesterov", moved(old_velocity), ("optimizer-setting",)),
    ("nesterov-twice", "looks two steps ahead", NESTEROV, "nesterov", moved(ahead_twice),
     ("optimizer-setting",)),
    ("nesterov-kept", "keeps as its velocity what it looked ahead along", NESTEROV, "nesterov",
     moved(ahead_kept), ("optimizer-setting", "optimizer-state")),
    ("nesterov-interim-kept", "the move to where the gradient is taken is made twice", NESTEROV,
     "nesterov", moved(interim_kept), ("optimizer-setting",)),
    ("momentum-rate-outside", "the velocity is kept without the rate, which falls", FALLING,
     "optimizer-setting", patching(update_step=rate_outside), ("learning-rate-schedule",)),
    ("adam-only-mean-corrected", "v's start at zero is not made up for", ADAM, "bias-correction",
     corrected_by(lambda mean, square: 1 / mean), ("optimizer-setting",)),
    ("adam-corrections-swapped", "m is corrected by beta_2 and v by beta_1", ADAM,
     "bias-correction", corrected_by(lambda mean, square: np.sqrt(mean) / square),
     ("optimizer-setting",)),
    ("adam-correction-unrooted", "v's correction is taken without the root", ADAM,
     "bias-correction", corrected_by(lambda mean, square: square / mean), ("optimizer-setting",)),
    ("adam-epsilon-of-paper", "epsilon is added to the root of the corrected v", LARGE_EPSILON,
     "epsilon", adam(lambda v, epsilon: np.sqrt(v) + epsilon), ("optimizer-setting",)),
    ("adam-epsilon-under-corrected", "epsilon stands under the root of the corrected v",
     LARGE_EPSILON, "epsilon", adam(lambda v, epsilon: np.sqrt(v + epsilon)),
     ("optimizer-setting",)),
    ("adam-without-root", "divides by v in place of its root", LARGE_EPSILON, "optimizer-setting",
     adam(lambda v, epsilon: v + epsilon), ("variance-for-deviation",)),
    ("adam-square-of-mean", "v is the mean of m squared", ADAM, "optimizer-setting",
     patching(update_step=square_of_mean)),
    ("adam-decay-coupled", "Adam's weights decay through the gradient, as in another library",
     ADAM_DECAYING, "weight-decay", coupling),
    ("adamw-decay-without-rate", "the decay is not multiplied by the rate", ADAMW, "weight-decay",
     decay_times(lambda decay, rate: decay)),
    ("adamw-decay-halved", "the decay has the half of a penalty on squares", ADAMW,
     "weight-decay", decay_times(lambda decay, rate: decay * rate / 2)),
    ("adamw-decay-afterwards", "weights decay after the step", ADAMW, "weight-decay",
     decay_afterwards),
    ("adamw-decay-kernels", "biases do not decay", ADAMW, "weight-decay",
     patching(_decay=only_kernels_decay)),
    ("momentum-decay-coupled", "the decay enters the velocity", MOMENTUM_DECAYING, "weight-decay",
     coupling),
    ("rmsprop-rho-0.99", "another library's share of the old squares", RMSPROP,
     "optimizer-setting", setting("rho", 0.99), ("scale",)),
    ("adagrad-epsilon-outside", "epsilon is added to the root", ADAGRAD_EPSILON, "epsilon",
     adagrad(lambda a, epsilon: np.sqrt(a) + epsilon), ("optimizer-setting",)),
    ("adagrad-without-root", "divides by the sum of squares in place of its root", ADAGRAD,
     "optimizer-setting", adagrad(lambda a, epsilon: a + epsilon), ("variance-for-deviation",)),
    ("adagrad-slows", "the rate falls as 1 / (1 + t / 10) besides", ADAGRAD,
     "learning-rate-schedule", patching(update_step=slowing), ("optimizer-setting",)),
    ("sgd-divided-by-batch", "the rate is divided by the batch, as the loss is already", SGD,
     "scale", gradients(lambda g: g / 4), ("optimizer-setting",)),
    ("adam-epsilon-missing", "nothing keeps the root from being 0", ADAM, "epsilon",
     setting("epsilon", 0.0), ("nan", "optimizer-setting")),
    ("rmsprop-epsilon-missing", "nothing is added under the root", RMSPROP, "epsilon",
     setting("epsilon", 0.0), ("nan", "optimizer-setting")),
]


def faults():
    """All of them."""
    for name, sentence, network, cause, inject, *also in TABLE:
        yield single("Optimizers' rules", f"rule-{name}", sentence, network, OPTIMIZER, "", cause,
                     inject, *(also or [()]), "update", steps=5)
