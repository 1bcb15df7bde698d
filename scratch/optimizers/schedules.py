"""Learning rates that depend on the number of the step, computed in float32 as Keras computes them.

A schedule is called with the number of steps made so far and returns a float32 scalar. Formulas and
the order of their operations are those of `keras.optimizers.schedules`.
"""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.suggestions import with_suggestions


class LearningRateSchedule:
    """Base of all schedules: a subclass has `__call__(step)` and `get_config()`."""

    def __call__(self, step: int) -> np.float32:
        raise NotImplementedError(f"{type(self).__name__} has no __call__(step).")

    def get_config(self) -> dict:
        raise NotImplementedError(f"{type(self).__name__} has no get_config().")

    @classmethod
    def from_config(cls, config: dict) -> "LearningRateSchedule":
        return cls(**config)


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ^ (step / decay_steps).

    Args:
        decay_steps: steps in which the rate is multiplied by `decay_rate` once.
        staircase: whole powers only.

    Raises:
        ValueError: for decay_steps that are not above 0.
    """

    @with_suggestions
    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False,
                 name="ExponentialDecay"):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step):
        power = np.float32(step) / np.float32(self.decay_steps)
        if self.staircase:
            power = np.floor(power)
        return np.float32(self.initial_learning_rate) * np.power(np.float32(self.decay_rate), power)

    def get_config(self):
        return {"initial_learning_rate": self.initial_learning_rate,
                "decay_steps": self.decay_steps, "decay_rate": self.decay_rate,
                "staircase": self.staircase, "name": self.name}


class InverseTimeDecay(ExponentialDecay):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps); arguments alike."""

    @with_suggestions
    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False,
                 name="InverseTimeDecay"):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step):
        passed = np.float32(step) / np.float32(self.decay_steps)
        if self.staircase:
            passed = np.floor(passed)
        return np.float32(self.initial_learning_rate) / (1 + np.float32(self.decay_rate) * passed)


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] up to and including step boundaries[i], and the last value after the last of them.

    Args:
        boundaries: step numbers, each larger than the one before.
        values: learning rates, one more than boundaries.

    Raises:
        ValueError: for lists of other lengths or another order.
    """

    @with_suggestions
    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1 or not len(boundaries):
            raise ValueError("PiecewiseConstantDecay: expected at least one boundary, and one "
                             "value more than boundaries. Received: "
                             f"boundaries={boundaries}, values={values}")
        if any(a >= b for a, b in zip(boundaries, boundaries[1:])):
            raise ValueError("PiecewiseConstantDecay: expected boundaries that increase. "
                             f"Received: boundaries={boundaries}")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step):
        for boundary, value in zip(self.boundaries, self.values):
            if step <= int(boundary):
                return np.float32(value)
        return np.float32(self.values[-1])

    def get_config(self):
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(LearningRateSchedule):
    """(initial - end) * (1 - step / decay_steps) ^ power + end, and end after decay_steps.

    Args:
        cycle: instead of staying at the end, go on with the first multiple of decay_steps that is
            not below the step.

    Raises:
        ValueError: for decay_steps that are not above 0.
    """

    @with_suggestions
    def __init__(self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0,
                 cycle=False, name="PolynomialDecay"):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step):
        start, end = np.float32(self.initial_learning_rate), np.float32(self.end_learning_rate)
        step, steps = np.float32(step), np.float32(self.decay_steps)
        if self.cycle:
            steps = steps * (np.ceil(step / steps) if step else np.float32(1))
        else:
            step = min(step, steps)
        return (start - end) * np.power(1 - step / steps, np.float32(self.power)) + end

    def get_config(self):
        return {"initial_learning_rate": self.initial_learning_rate,
                "decay_steps": self.decay_steps, "end_learning_rate": self.end_learning_rate,
                "power": self.power, "cycle": self.cycle, "name": self.name}


class CosineDecay(LearningRateSchedule):
    """Half a cosine wave from the initial rate down to alpha times it (Loshchilov, Hutter, 2016).

    Args:
        decay_steps: steps from the top to the bottom.
        alpha: the lowest rate, as a share of the highest.
        warmup_target: first rise in a straight line from the initial rate to this one, the highest.
        warmup_steps: steps of that rise.

    Raises:
        ValueError: for decay_steps that are not above 0.
    """

    @with_suggestions
    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay",
                 warmup_target=None, warmup_steps=0):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        step, top = np.float32(step), np.float32(self.initial_learning_rate)
        decay_steps = np.float32(self.decay_steps)
        if self.warmup_target is not None:
            start, top = top, np.float32(self.warmup_target)
            warmup_steps = np.float32(self.warmup_steps)
            if step < warmup_steps:
                return (top - start) * (step / warmup_steps) + start
            step = min(step, decay_steps + warmup_steps) - warmup_steps
        fraction = min(step, decay_steps) / decay_steps
        alpha = float(self.alpha)
        wave = 0.5 * (1 + np.cos(np.float32(np.pi) * fraction))
        return top * ((1 - alpha) * wave + alpha)

    def get_config(self):
        return {"initial_learning_rate": self.initial_learning_rate,
                "decay_steps": self.decay_steps, "alpha": self.alpha, "name": self.name,
                "warmup_target": self.warmup_target, "warmup_steps": self.warmup_steps}


class CosineDecayRestarts(LearningRateSchedule):
    """`CosineDecay` over and over (Loshchilov, Hutter, 2016).

    Args:
        first_decay_steps: steps of the first period.
        t_mul: how many times as long each period is as the one before.
        m_mul: what the highest rate is multiplied by from one period to the next.
        alpha: the lowest rate, as a share of the initial one.

    Raises:
        ValueError: for first_decay_steps that are not above 0.
    """

    @with_suggestions
    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0,
                 name="SGDRDecay"):
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step):
        t_mul, alpha = np.float32(self.t_mul), np.float32(self.alpha)
        fraction = np.float32(step) / np.float32(self.first_decay_steps)
        if t_mul == 1:
            restarts = np.floor(fraction)
            fraction = fraction - restarts
        else:
            restarts = np.floor(np.log(1 - fraction * (1 - t_mul)) / np.log(t_mul))
            before = (1 - np.power(t_mul, restarts)) / (1 - t_mul)
            fraction = (fraction - before) / np.power(t_mul, restarts)
        height = np.power(np.float32(self.m_mul), restarts)
        wave = 0.5 * height * (1 + np.cos(np.float32(np.pi) * fraction))
        return np.float32(self.initial_learning_rate) * ((1 - alpha) * wave + alpha)

    def get_config(self):
        return {"initial_learning_rate": self.initial_learning_rate,
                "first_decay_steps": self.first_decay_steps, "t_mul": self.t_mul,
                "m_mul": self.m_mul, "alpha": self.alpha, "name": self.name}


def positive(schedule, key: str, value):
    """A number of steps above 0.

    Raises:
        ValueError: for any other.
    """
    if not value > 0:
        raise ValueError(f"{type(schedule).__name__}: expected {key} to be above 0. "
                         f"Received: {key}={value!r}")
    return value


CLASSES = {cls.__name__: cls for cls in (
    ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay, InverseTimeDecay, CosineDecay,
    CosineDecayRestarts)}


def serialize(schedule: LearningRateSchedule) -> dict:
    """The dictionary by which Keras knows this schedule."""
    return {"module": "keras.optimizers.schedules", "class_name": type(schedule).__name__,
            "config": schedule.get_config(), "registered_name": None}


def deserialize(config: dict) -> LearningRateSchedule:
    """A schedule from such a dictionary.

    Raises:
        UnsupportedError: for a schedule that is not known.
        TypeError, ValueError: for settings of which no learning rate can be made.
    """
    if config.get("class_name") not in CLASSES:
        raise UnsupportedError(f"Learning-rate schedule {config.get('class_name')!r} is not "
                               f"supported. Expected one of: {', '.join(CLASSES)}.")
    schedule = CLASSES[config["class_name"]].from_config(config["config"])
    with np.errstate(all="ignore"):
        schedule(0)  # whatever its settings are, they are used once before a step needs them
    return schedule
