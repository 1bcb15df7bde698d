"""Mistakes in what an optimizer remembers of a weight: cleared, scaled, shared, otherwise mixed."""

import numpy as np

from compare.diagnosis.hypotheses.fitting import fitted
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.running_error import Bounded

# class -> slot -> the setting that is the old value's share in the new one
SHARES = {"SGD": {"momentum": "momentum"},
          "Adam": {"momentum": "beta_1", "velocity": "beta_2"},
          "RMSprop": {"velocity": "rho", "momentum": "momentum", "average_gradient": "rho"}}


def of_slots(c) -> list[Variant]:
    """Of a step from a state in which something is remembered."""
    if not c.slots or not c.slots[c.position]:
        return []
    found = []
    if c.tensor != "updated":
        found += [inside("optimizer-state", "what it remembers is as before the step",
                         lambda c: c.changed(own=lambda c: c.exact(
                             c.slots[c.position][c.tensor]))),
                  inside("optimizer-state", "what it remembers is cleared after the step",
                         lambda c: c.changed(own=_cleared))]
        key = SHARES.get("Adam" if c.class_name == "AdamW" else c.class_name, {}).get(c.tensor)
        if key:
            found.append(_share(key))
        found.append(Variant("optimizer-state", _grown_said, _grown))
    if sum(np.shape(w) == np.shape(c.weights[c.position]) for w in c.weights) > 1:
        found.append(inside("optimizer-state", "weights of the same shape share what it remembers",
                            lambda c: c.changed(own=_shared)))
    return found


def _cleared(c) -> Bounded:
    """What a fresh optimizer has."""
    rule = c.optimizer()
    name = c.names[c.position] if c.names else ""
    return rule.all_slots(c.exact(c.weights[c.position]), name)[c.tensor]


def _share(key: str) -> Variant:
    """Another share of the old value."""
    def number(c, made):
        own = float(c.config[key])
        value, unsure = fitted(c, made, lambda c, p: c.configured(**{key: p}), own, own / 2)
        if abs(value - own) <= max(3 * unsure, 1e-9) and abs(value - own) < 1e-2:
            raise ValueError("Expected another number. Received: the same")
        return value, unsure

    def change(c, made):
        value, unsure = number(c, made)
        rate = np.abs(c.configured(**{key: value + unsure}).evaluate().value
                      - c.configured(**{key: value}).evaluate().value)
        return c.configured(**{key: value}).then(
            lambda r: Bounded(r.value, r.rounding, r.bound + rate))

    def said(steps):
        c, made = steps[0]
        return f"{key} is {number(c, made)[0]:.5g} in place of {c.config[key]:g}"

    return Variant("optimizer-setting", said, change)


def _factor(c, made) -> tuple[float, float]:
    return fitted(c, made, lambda c, f: c.then(lambda r: Bounded(r.value * f, r.rounding, r.bound)),
                  1.0, 0.5)


def _grown(c, made):
    """What is remembered is multiplied by a number after each step."""
    factor, unsure = _factor(c, made)
    if abs(factor - 1) <= 3 * unsure or abs(factor) < 1e-6:
        raise ValueError("Expected a factor that changes something. Received: none")
    return c.then(lambda r: Bounded(r.value * factor, r.rounding, r.bound * abs(factor)
                                    + (unsure + 2 * r.rounding.unit) * np.abs(r.value)))


def _grown_said(steps) -> str:
    return f"what it remembers is multiplied by {_factor(*steps[0])[0]:.7g} after each step"


def _shared(c) -> Bounded:
    """Weights of one shape use one slot, one after the other."""
    rule = c.optimizer()
    gradients = rule.clipped([c.exact(g) for g in c.gradients])
    rate = rule.rate()
    shape = np.shape(c.weights[c.position])
    group = [i for i, w in enumerate(c.weights) if np.shape(w) == shape]
    shared = dict(rule.slots[group[-1]])
    for i in group:
        decayed = rule.decayed(c.exact(c.weights[i]), rate, rule.decay_of(shared))
        weight = rule.rule(decayed, gradients[i], shared, rate)
        if i == c.position and c.tensor == "updated":
            return weight
    return shared[c.tensor]
