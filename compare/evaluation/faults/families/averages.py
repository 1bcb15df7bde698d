"""Faults of what stands around every rule: moving averages of weights, gathered gradients."""

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import trained_by
from compare.evaluation.faults.fault import OPTIMIZER, TRAINING
from compare.evaluation.faults.injection import patched, patching

AVERAGED = trained_by("SGD", momentum=0.9, use_ema=True, ema_momentum=0.7)
OVERWRITTEN = trained_by("Adam", use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=2)
GATHERED = trained_by("SGD", gradient_accumulation_steps=2)
GATHERED_ADAM = trained_by("Adam", gradient_accumulation_steps=2)


def averages(change):
    """After each step change(self, averages object, variables, averages before) corrects them."""
    def apply(self, right, given, variables):
        if not self.built:
            self.build(variables)
        steps, before = self.iterations, [average.copy() for average in self.averages]
        kept = [variable.copy() for variable in variables]
        right(given, variables)
        change(self, steps, kept, variables, before)

    return patching(apply=apply)


def from_zero(self, steps, kept, variables, before):
    """The first average is a mean with what the averages start from, too: 0."""
    if not steps:
        for average, variable, old in zip(self.averages, variables, before):
            average[...] = self.ema_momentum * old + (1 - self.ema_momentum) * variable


def exchanged(self, steps, kept, variables, before):
    share = self.ema_momentum if steps else 1.0
    for average, variable, old in zip(self.averages, variables, before):
        average[...] = (1 - share) * old + share * variable


def of_old_weights(self, steps, kept, variables, before):
    """The averages follow the weights before the step."""
    momentum = self.ema_momentum if steps else 0.0
    for average, weight, old in zip(self.averages, kept, before):
        average[...] = momentum * old + (1 - momentum) * weight


def never_overwriting(self, right, given, variables):
    self.moving_averages.overwrite_frequency = None
    right(given, variables)


def late(self, right, given, variables):
    """The averages take the weights' places a step later."""
    frequency = self.ema_overwrite_frequency
    self.moving_averages.overwrite_frequency = None
    right(given, variables)
    if self.iterations > 1 and (self.iterations - 1) % frequency == 0:
        self.moving_averages.overwrite(variables)


def not_at_the_end(self, right, variables):
    """`fit` ends with the weights of the last step."""


def ends_otherwise(model):
    patched(model.optimizer, finalize_variable_values=not_at_the_end)


def added_up(self, right, given, positions):
    return [mean * mean.dtype.type(self.gradient_accumulation_steps)
            for mean in right(given, positions)]


def never_cleared(self, right, given, positions):
    kept = [total.copy() for total in self.gradient_accumulators]
    made = right(given, positions)
    if made:
        for total, before in zip(self.gradient_accumulators, kept):
            total[...] = before
    return made


def last_alone(self, right, given, positions):
    return given if right(given, positions) else []


def at_every_call(self, right, given, positions):
    return given


# identifier, sentence, network, cause, injection, causes that are the same
TABLE = [
    ("average-from-zero", "the first average is a mean with 0", AVERAGED, "moving-average",
     averages(from_zero), ("scale",)),
    ("average-shares", "the shares of old and new are exchanged", AVERAGED, "moving-average",
     averages(exchanged)),
    ("average-of-old-weights", "the averages follow the weights before the step", AVERAGED,
     "moving-average", averages(of_old_weights)),
    ("average-not-used", "the averages never take the weights' places", OVERWRITTEN,
     "moving-average", patching(apply=never_overwriting)),
    ("average-late", "the averages take the weights' places a step late", OVERWRITTEN,
     "moving-average", patching(apply=late)),
    ("gathered-added-up", "gathered gradients are added up, not averaged", GATHERED,
     "accumulation", patching(_gathered=added_up), ("scale",)),
    ("gathered-not-cleared", "the sums are not cleared after a step", GATHERED, "accumulation",
     patching(_gathered=never_cleared)),
    ("gathered-last-alone", "only the last call's gradients count", GATHERED_ADAM,
     "accumulation", patching(_gathered=last_alone)),
    ("gathered-not", "every call is a step", GATHERED, "accumulation",
     patching(_gathered=at_every_call)),
]


def faults():
    """All of them."""
    for name, sentence, network, cause, inject, *also in TABLE:
        yield single("Averages and accumulation", f"around-{name}", sentence, network, OPTIMIZER,
                     "", cause, inject, *(also or [()]), "update", steps=5)
    yield single("Averages and accumulation", "around-average-not-at-the-end",
                 "fit ends with the weights of the last step", AVERAGED, TRAINING, "",
                 "moving-average", ends_otherwise, (), "training",
                 steps=5)
