"""Faults of learning-rate schedules: at boundaries, at late steps, one step off, of their shape."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.optimizers import trained_by
from compare.evaluation.faults.fault import OPTIMIZER
from compare.evaluation.faults.injection import patching

RATE = 0.05


def by(class_name: str, **config):
    """A network that SGD trains by a schedule."""
    return trained_by("SGD", learning_rate={
        "module": "keras.optimizers.schedules", "class_name": class_name, "registered_name": None,
        "config": config})


PIECES = by("PiecewiseConstantDecay", boundaries=[2, 4], values=[0.05, 0.02, 0.01])
LATE_PIECES = by("PiecewiseConstantDecay", boundaries=[1000, 2000], values=[0.05, 0.02, 0.01])
DECAY = by("ExponentialDecay", initial_learning_rate=RATE, decay_steps=10, decay_rate=0.5)
STAIRS = by("ExponentialDecay", initial_learning_rate=RATE, decay_steps=1000, decay_rate=0.5,
            staircase=True)
COSINE = by("CosineDecay", initial_learning_rate=RATE, decay_steps=1000, alpha=0.1)
LONG_COSINE = by("CosineDecay", initial_learning_rate=RATE, decay_steps=5000)
SHORT_COSINE = by("CosineDecay", initial_learning_rate=RATE, decay_steps=20)
WARM = by("CosineDecay", initial_learning_rate=0.01, decay_steps=1000, warmup_target=RATE,
          warmup_steps=10)
POLYNOMIAL = by("PolynomialDecay", initial_learning_rate=RATE, decay_steps=1000, power=2.0,
                end_learning_rate=0.01)
INVERSE = by("InverseTimeDecay", initial_learning_rate=RATE, decay_steps=10, decay_rate=0.5)
RESTARTS = by("CosineDecayRestarts", initial_learning_rate=RATE, first_decay_steps=1000)


def rated(rate):
    """The optimizer makes its step with rate(schedule, number of steps made so far)."""
    def update(self, right, given, variables, positions, _):
        right(given, variables, positions, float(rate(self._learning_rate, self.iterations)))

    return patching(update=update)


def exclusive(schedule, step):
    """A boundary belongs to the rate that follows."""
    passed = sum(step >= boundary for boundary in schedule.boundaries)
    return schedule.values[passed]


def rounded(schedule, step):
    """The stairs go down in the middle of a period."""
    return schedule.initial_learning_rate * schedule.decay_rate ** np.round(
        step / schedule.decay_steps)


def compounded(schedule, step):
    """Each step multiplies what the steps before have made of the rate by the power so far."""
    return schedule.initial_learning_rate * schedule.decay_rate ** (
        step * (step + 1) / 2 / schedule.decay_steps)


def cosine(share, rises_again=False, absolute=False):
    """Half a wave, or other shares of one."""
    def rate(schedule, step):
        passed = step if rises_again else min(step, schedule.decay_steps)
        wave = 0.5 * (1 + np.cos(2 * np.pi * share * passed / schedule.decay_steps))
        if absolute:
            return max(schedule.initial_learning_rate * wave, schedule.alpha)
        return schedule.initial_learning_rate * ((1 - schedule.alpha) * wave + schedule.alpha)

    return rate


def never_warm(schedule, step):
    """The decay begins at once, from the highest rate."""
    return schedule(step + schedule.warmup_steps)


def warm_from_one(schedule, step):
    """The rise counts its steps from 1."""
    return schedule(step + 1) if step < schedule.warmup_steps else schedule(step)


def straight(schedule, step):
    """The power is taken for 1."""
    share = 1 - min(step, schedule.decay_steps) / schedule.decay_steps
    start, end = schedule.initial_learning_rate, schedule.end_learning_rate
    return (start - end) * share + end


def to_zero(schedule, step):
    """The rate at the end is taken for 0."""
    share = 1 - min(step, schedule.decay_steps) / schedule.decay_steps
    return schedule.initial_learning_rate * share ** schedule.power


def exponential(schedule, step):
    return schedule.initial_learning_rate * schedule.decay_rate ** (step / schedule.decay_steps)


def in_float16(schedule, step):
    """The counter of steps skips numbers above 2048."""
    return schedule(float(np.float16(step)))


# identifier, sentence, network, injection
TABLE = [
    ("boundary-exclusive", "a boundary's own step has the next rate already", PIECES,
     rated(exclusive)),
    ("late-boundary-exclusive", "the step at boundary 1,000 has the next rate already",
     LATE_PIECES, rated(exclusive)),
    ("pieces-one-ahead", "a piecewise schedule is one step ahead", PIECES,
     rated(lambda schedule, step: schedule(step + 1))),
    ("decay-one-behind", "an exponential decay is one step behind, but for the first step", DECAY,
     rated(lambda schedule, step: schedule(max(step - 1, 0)))),
    ("decay-whole-periods", "the quotient of step and period is rounded down, unasked for", DECAY,
     rated(lambda schedule, step: exponential(schedule, step // schedule.decay_steps
                                              * schedule.decay_steps))),
    ("decay-compounded", "the decay is applied to the rate that has decayed already", DECAY,
     rated(compounded)),
    ("decay-stuck", "the rate stays as at the first step", DECAY,
     rated(lambda schedule, step: schedule(0))),
    ("decay-per-epoch", "the schedule counts epochs of 100 steps", DECAY,
     rated(lambda schedule, step: schedule(step // 100))),
    ("stairs-rounded", "a staircase goes down in the middle of its period", STAIRS,
     rated(rounded)),
    ("cosine-one-ahead", "a cosine decay is one step ahead", SHORT_COSINE,
     rated(lambda schedule, step: schedule(step + 1))),
    ("cosine-whole-wave", "a cosine decay goes through a whole wave", SHORT_COSINE,
     rated(cosine(1))),
    ("cosine-rises-again", "a cosine decay goes up again after its end at step 1,000", COSINE,
     rated(cosine(0.5, rises_again=True))),
    ("cosine-alpha-absolute", "alpha is taken for the lowest rate itself", COSINE,
     rated(cosine(0.5, absolute=True))),
    ("cosine-float16-steps", "the counter of steps is a float16", LONG_COSINE, rated(in_float16)),
    ("warmup-missing", "the rate does not rise before it falls", WARM, rated(never_warm)),
    ("warmup-from-one", "the rise counts its steps from 1", WARM, rated(warm_from_one)),
    ("polynomial-straight", "the power of a polynomial decay is ignored", POLYNOMIAL,
     rated(straight)),
    ("polynomial-to-zero", "a polynomial decay ends at 0", POLYNOMIAL, rated(to_zero)),
    ("inverse-as-exponential", "an exponential decay in place of an inverse one", INVERSE,
     rated(exponential)),
    ("restarts-missing", "the rate stays at its lowest where it should restart, at step 1,000",
     RESTARTS, rated(lambda schedule, step: schedule(min(step, 999.999)))),
]


def faults():
    """All of them."""
    for name, sentence, network, inject in TABLE:
        yield single("Schedules", f"schedule-{name}", sentence, network, OPTIMIZER, "",
                     "learning-rate-schedule", inject, (), "update", steps=5)
