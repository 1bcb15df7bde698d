"""Mistakes in a learning rate that changes from step to step."""

import functools

import numpy as np

from compare.diagnosis.hypotheses.fitting import fitted
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.learning_rates import rate_at
from compare.oracle.running_error import Bounded

NAME = "learning-rate-schedule"
EPOCHS = (10, 100, 1000)  # steps for which a schedule may be stuck


def of_schedules(c) -> list[Variant]:
    """A schedule read at another step, of another shape, or a rate that drifts."""
    found = []
    described = c.config.get("learning_rate")
    if isinstance(described, dict):
        found += [inside(NAME, said, lambda c, f=step: c.hooked(
            rate=lambda oracle, right: rate_at(described, f(oracle.iteration), oracle.rounding)))
            for said, step in STEPS.items()]
        found += [inside(NAME, said, lambda c, d=other: c.configured(learning_rate=d))
                  for said, other in _others(described)]
        found += [inside(NAME, said, lambda c, f=rate: c.hooked(
            rate=lambda oracle, right: _number(f(described["config"], oracle.iteration, right),
                                               oracle)))
            for said, rate in FORMULAS.get(described["class_name"], {}).items()]
    return [*found, Variant(NAME, _said, _other_rate)]


def _number(value: float | Bounded, oracle) -> Bounded:
    """A rate that came out of a few operations in float32, among them a cosine's, near whose lowest
    point digits are lost."""
    if isinstance(value, Bounded):
        return value
    top = oracle.config["learning_rate"]["config"].get("initial_learning_rate", 0.0)
    return Bounded(value, oracle.rounding, 2.0**-24 * (24 * abs(value) + 4 * abs(top)))


def _epoch(length: int, step: int) -> int:
    return step // length


STEPS = {"it is one step ahead": lambda step: step + 1,
         "it is one step behind": lambda step: max(step - 1, 0),
         "it stays as at the first step": lambda step: 0,
         **{f"it counts once in {n} steps": functools.partial(_epoch, n) for n in EPOCHS},
         "steps are counted in float16": lambda step: float(np.float16(step))}


def _others(described: dict) -> list[tuple[str, dict]]:
    """The same schedule with other settings, or another one with the same."""
    config = described["config"]

    def having(**settings):
        return {**described, "config": {**config, **settings}}

    def like(class_name):
        return {**described, "class_name": class_name}

    found = []
    if "staircase" in config or described["class_name"] in ("ExponentialDecay", "InverseTimeDecay"):
        stairs = bool(config.get("staircase"))
        found.append(("it goes down in stairs" if not stairs else "it does not go down in stairs",
                      having(staircase=not stairs)))
        other = ("InverseTimeDecay" if described["class_name"] == "ExponentialDecay"
                 else "ExponentialDecay")
        found.append((f"it is {other}'s", like(other)))
    for key, value in (("power", 1.0), ("end_learning_rate", 0.0), ("alpha", 0.0),
                       ("warmup_target", None), ("cycle", True), ("cycle", False), ("m_mul", 1.0)):
        if key in config and config[key] != value:
            found.append((f"{key} is taken for {value}", having(**{key: value})))
    if config.get("warmup_target") is not None:
        found.append(("it does not rise first", having(
            initial_learning_rate=config["warmup_target"], warmup_target=None)))
    return found


def _compounded(s: dict, step: int, right) -> float:
    return s["initial_learning_rate"] * s["decay_rate"] ** (step * (step + 1) / 2
                                                            / s["decay_steps"])


def _rounded(s: dict, step: int, right) -> float:
    return s["initial_learning_rate"] * s["decay_rate"] ** np.round(step / s["decay_steps"])


def _wave(share: float, ends: bool = True, absolute: bool = False):
    def rate(s: dict, step: int, right) -> float:
        passed = min(step, s["decay_steps"]) if ends else step
        alpha, top = s.get("alpha", 0.0), s["initial_learning_rate"]
        wave = 0.5 * (1 + np.cos(2 * np.pi * share * passed / s["decay_steps"]))
        return max(top * wave, alpha) if absolute else top * ((1 - alpha) * wave + alpha)

    return rate


def _warm_from_one(s: dict, step: int, right) -> float | Bounded:
    if s.get("warmup_target") is None or step >= s["warmup_steps"]:
        return right()
    start, top = s["initial_learning_rate"], s["warmup_target"]
    return start + (top - start) * (step + 1) / s["warmup_steps"]


def _never_restarts(s: dict, step: int, right) -> float:
    passed = min(step / s["first_decay_steps"], 1.0)
    alpha = s.get("alpha", 0.0)
    return s["initial_learning_rate"] * ((1 - alpha) * 0.5 * (1 + np.cos(np.pi * passed)) + alpha)


FORMULAS = {
    "ExponentialDecay": {"the decay is applied to what has decayed already": _compounded,
                         "it goes down in the middle of a period": _rounded},
    "CosineDecay": {"a whole wave in place of its half": _wave(1),
                    "it goes up again after its end": _wave(0.5, ends=False),
                    "alpha is taken for the lowest rate itself": _wave(0.5, absolute=True),
                    "its rise counts from 1": _warm_from_one},
    "CosineDecayRestarts": {"it never restarts": _never_restarts}}


def _rate_of(factor: float):
    def rate(oracle, right):
        value = right()
        return Bounded(value.value * factor, value.rounding, value.bound * abs(factor))

    return rate


def _factor(c, made) -> tuple[float, float]:
    """(by what the rate is off in this step, how well that is known)."""
    return fitted(c, made, lambda c, factor: c.hooked(rate=_rate_of(factor)), 1.0, 0.0)


def _other_rate(c, made):
    """Whatever rate explains this step, one and the same for all elements."""
    try:
        factor, unsure = _factor(c, made)
    except ValueError:  # a step that does not depend on it
        return c
    if abs(factor - 1) <= 3 * unsure:
        return c
    if abs(factor) < 1e-6:
        raise ValueError("Expected another rate. Received: none, so that no step is made")
    if not isinstance(c.config.get("learning_rate"), dict) and c.iteration == 0:
        raise ValueError("Expected a first step that is right. Received: another one")
    size = abs(factor) + unsure

    def rate(oracle, right):
        value = right()
        return Bounded(value.value * factor, value.rounding,
                       value.bound * size + unsure * np.abs(value.value))

    return c.hooked(rate=rate)


def _said(steps) -> str:
    """The step at which the rate is furthest off."""
    found = []
    for c, made in steps:
        try:
            factor, unsure = _factor(c, made)
        except ValueError:
            continue
        found.append((abs(factor - 1) / (unsure or 1.0), c.iteration, factor))
    _, iteration, factor = max(found, default=(0, 0, 1.0))
    return f"at iteration {iteration} the rate is {factor:.7g} times what it should be"
