"""The oracle for learning rates: a number, or a schedule by its definition, with a bound.

Schedules are computed in float32 whatever the weights' precision, so a rate that comes out of one
carries float32's rounding into the step. A staircase's jumps are taken to be where the definition
has them: true of steps below 2^24, which float32 counts exactly. A restart is found by a quotient
of logarithms, whose rounding may move it: there both of what may come out are allowed.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from compare.oracle.running_error import LIBRARY_ULPS, LOW, Bounded, Rounding
from compare.tracing.types import Config
from scratch.precision import rounded

FLOAT32 = Rounding.of("float32")
RESTARTS = 2  # periods of a schedule at whose ends it is looked at


def rate_at(rate: Any, iteration: int, rounding: Rounding) -> Bounded:
    """The learning rate of a step.

    Args:
        rate: as an optimizer's config has it, a number or a schedule's dictionary.
        iteration: how many steps were made before.
        rounding: the weights' precision, to which a number is rounded.
    """
    if not isinstance(rate, dict):
        return Bounded(constant(rate, rounding), rounding)
    settings = {key: value if isinstance(value, (list, str)) or value is None
                else float(np.float32(value)) for key, value in rate["config"].items()}
    scheduled = SCHEDULES[rate["class_name"]](settings, float(iteration))
    return Bounded(scheduled.value, rounding, scheduled.bound)


def constant(number: float, rounding: Rounding) -> float:
    """A setting as the weights' precision holds it."""
    if rounding.unit < 2.0**-50:
        return float(number)
    single = np.asarray(number, np.float32)
    return next((float(rounded(single, name)) for name, (unit, *_) in LOW.items()
                 if rounding.unit == unit), float(single))


def exact(value: ArrayLike) -> Bounded:
    return Bounded(value, FLOAT32)


def to_the_power(base: Bounded, exponent: Bounded) -> Bounded:
    """base ^ exponent for an exact base; a power of 0 or 1 is taken to be exact."""
    if base.value == 0:
        return exact(0.0 ** exponent.value)
    known = exponent.value in (0, 1) and not exponent.bound
    log = np.log(base.value)
    return exponent.through(lambda p: base.value ** p,
                            lambda low, high: np.abs(log) * np.maximum(base.value ** low,
                                                                       base.value ** high),
                            0 if known else 2 * LIBRARY_ULPS)


def exponential(s: Config, step: float) -> Bounded:
    passed = exact(step) / exact(s["decay_steps"])
    if s.get("staircase"):
        passed = exact(np.floor(passed.value))
    return to_the_power(exact(s["decay_rate"]), passed) * float(s["initial_learning_rate"])


def inverse_time(s: Config, step: float) -> Bounded:
    passed = exact(step) / exact(s["decay_steps"])
    if s.get("staircase"):
        passed = exact(np.floor(passed.value))
    return exact(s["initial_learning_rate"]) / (passed * float(s["decay_rate"]) + 1.0)


def piecewise_constant(s: Config, step: float) -> Bounded:
    passed = sum(step > int(boundary) for boundary in s["boundaries"])
    return exact(float(np.float32(s["values"][passed])))


def polynomial(s: Config, step: float) -> Bounded:
    end = exact(s.get("end_learning_rate", float(np.float32(1e-4))))
    steps = s["decay_steps"]
    if s.get("cycle"):
        steps *= np.ceil(step / steps) if step else 1
    if step >= steps:
        return end  # (initial - end) * 0 + end
    left, power = exact(1.0) - exact(step) / exact(steps), s.get("power", 1.0)
    share = left if power == 1 else left.through(
        lambda x: x ** power,
        lambda low, high: power * (low if power < 1 else high) ** (power - 1), 2 * LIBRARY_ULPS)
    return (exact(s["initial_learning_rate"]) - end) * share + end


def wave(fraction: Bounded) -> Bounded:
    """0.5 * (1 + cos(pi * fraction))."""
    angle = fraction * Bounded(np.pi, FLOAT32, FLOAT32.unit * np.pi)
    cosine = angle.through(np.cos, lambda low, high: np.ones(np.shape(low)), 2 * LIBRARY_ULPS)
    return (cosine + 1.0) * 0.5


def cosine(s: Config, step: float) -> Bounded:
    start, steps = exact(s["initial_learning_rate"]), s["decay_steps"]
    if s.get("warmup_target") is not None:
        top, warmup = exact(s["warmup_target"]), s.get("warmup_steps", 0.0)
        if step < warmup:
            return (top - start) * (exact(step) / exact(warmup)) + start
        start, step = top, step - warmup
    fraction = exact(min(step, steps)) / exact(steps)
    alpha = float(s.get("alpha", 0.0))
    return ((exact(1.0) - exact(alpha)) * wave(fraction) + alpha) * start


def cosine_restarts(s: Config, step: float) -> Bounded:
    t_mul, fraction = s.get("t_mul", 2.0), exact(step) / exact(s["first_decay_steps"])
    if t_mul == 1:
        return after_restarts(s, fraction, float(np.floor(fraction.value)))
    reached = exact(1.0) - fraction * (exact(1.0) - exact(t_mul))
    passed = reached.log() / exact(t_mul).log()
    # a number's logarithm divided by itself is 1, whatever rounding made of it
    unsure = 0.0 if step == s["first_decay_steps"] else passed.bound
    found = [after_restarts(s, fraction, restarts) for restarts in dict.fromkeys(
        float(np.floor(max(float(passed.value + off), 0.0))) for off in (0.0, -unsure, unsure))]
    right = found[0]
    apart = max(float(abs(other.value - right.value) + other.bound) for other in found)
    return Bounded(right.value, FLOAT32, apart)


def after_restarts(s: Config, fraction: Bounded, restarts: float) -> Bounded:
    """The rate after that many restarts; `fraction` in units of the first period."""
    t_mul = s.get("t_mul", 2.0)
    if t_mul == 1:
        fraction = fraction - exact(restarts)
    else:
        length = to_the_power(exact(t_mul), exact(restarts))
        before = (exact(1.0) - length) / (exact(1.0) - exact(t_mul))
        fraction = (fraction - before) / length
    height = to_the_power(exact(s.get("m_mul", 1.0)), exact(restarts))
    alpha = float(s.get("alpha", 0.0))
    share = (exact(1.0) - exact(alpha)) * (height * wave(fraction)) + alpha
    return share * float(s["initial_learning_rate"])


SCHEDULES = {"ExponentialDecay": exponential, "InverseTimeDecay": inverse_time,
             "PiecewiseConstantDecay": piecewise_constant, "PolynomialDecay": polynomial,
             "CosineDecay": cosine, "CosineDecayRestarts": cosine_restarts}


def turning_points(rate: Any) -> list[int]:
    """Numbers of steps around which a schedule changes its course: boundaries, ends, restarts.

    Args:
        rate: as for `rate_at`.
    """
    if not isinstance(rate, dict) or rate["class_name"] not in SCHEDULES:
        return []
    s = rate["config"]
    if rate["class_name"] == "PiecewiseConstantDecay":
        return [int(boundary) for boundary in s["boundaries"]]
    warmup = s.get("warmup_steps") or 0 if s.get("warmup_target") is not None else 0
    period = s.get("first_decay_steps", s.get("decay_steps"))
    if rate["class_name"] == "CosineDecayRestarts":
        t_mul = s.get("t_mul", 2.0)
        ends = list(np.cumsum([period * t_mul**k for k in range(RESTARTS)]))
    else:
        ends = [warmup + k * period for k in range(1, RESTARTS + 1)]
    points = [warmup, warmup + period // 2, *ends] if warmup else [period // 2, *ends]
    return [int(point) for point in points]
