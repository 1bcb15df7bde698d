"""Mistakes in an optimizer's step: its sign, its rate, its settings, and what it remembers."""

import numpy as np

from compare.diagnosis.computation import UpdateComputation
from compare.diagnosis.hypotheses.around_rules import of_averages, of_gathering
from compare.diagnosis.hypotheses.clipping import CLIPS, of_clipping
from compare.diagnosis.hypotheses.newer_rules import of_newer_rules
from compare.diagnosis.hypotheses.optimizer_slots import of_slots
from compare.diagnosis.hypotheses.scale import (
    CLOSE,
    Factor,
    measured,
    named_factor,
    one_factor,
)
from compare.diagnosis.hypotheses.schedules import of_schedules
from compare.diagnosis.hypotheses.update_rules import of_rules_gone_wrong
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.adaptive_optimizers import OPTIMIZERS
from compare.oracle.running_error import Bounded

EPSILONS = (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 1e-10, 1e-4)


def of_updates(c: UpdateComputation) -> list[Variant]:
    """Everything about one weight, or what is remembered of it, after one step."""
    found = of_memory(c) + [inside("update-sign", "it climbs", lambda c: c.changed(
        gradients=tuple(-g for g in c.gradients)))]
    if c.tensor == "updated":
        found.append(inside("update-missing", "the weight stays as it is", lambda c: c.changed(
            own=lambda c: c.exact(c.weights[c.position]))))
    # where two are the same in a first step, epsilon's place is the commoner mistake
    rules = of_gathering(c) + of_averages(c) + of_newer_rules(c) + of_rules_gone_wrong(c)
    found += (of_exact_constants(c) + of_epsilon(c)
              + [rule for rule in rules if rule.identifier == "epsilon"]
              + of_settings(c) + of_slots(c)
              + [rule for rule in rules if rule.identifier != "epsilon"] + of_decay(c)
              + of_clipping(c))
    found += of_schedules(c) if c.slots else []
    return found + of_rules(c) + ([] if c.slots else of_size(c))


def of_exact_constants(c) -> list[Variant]:
    """1 - beta^t of the betas as they were given, where Keras has rounded them to float32 first."""
    if "beta_2" not in c.config and c.class_name not in ("Adam", "AdamW"):
        return []

    def start(rule, _, key) -> Bounded:
        value = 1 - float(rule.config[key]) ** (rule.iteration + 1)
        return Bounded(value, rule.rounding, abs(value) * rule.rounding.unit)

    return [inside("constants-exact", "1 - beta^t", lambda c: c.hooked(start=start))]


def of_memory(c) -> list[Variant]:
    """What an optimizer should remember from step to step and does not."""
    if not c.later:
        return []
    return [inside("optimizer-state", said, lambda c, f=forgets: c.changed(forgets=f))
            for said, forgets in (
                ("its slots are cleared before each step", ("slots",)),
                ("it does not count its steps", ("iteration",)),
                ("every step is a fresh optimizer's first", ("slots", "iteration")))]


def of_size(c) -> list[Variant]:
    """A step that is too long or too short by a factor."""
    def factor(c, made) -> Factor:
        weight, right = np.asarray(c.weights[c.position], np.float64), c.evaluate()
        step = Bounded(right.value - weight, right.rounding, right.bound)
        if right.shape != made.shape or not step.value.any():
            raise ValueError("Expected a step. Received: none")
        # a weight is known to a rounding only, so the factor is known to that of the steps
        square = (step.value * step.value).sum()
        room = 2 * float(((right.bound + right.rounding.unit * np.abs(weight))
                          * np.abs(step.value)).sum() / square)
        found = measured(c, step, made - weight, max(room, CLOSE))
        if min(abs(found.value - 1), abs(found.value)) < 1e-7 or abs(found.value + 1) < 1e-4:
            raise ValueError("Expected a factor that changes something. Received: none")
        return found

    def change(c, made):
        times = factor(c, made).value
        weight = np.asarray(c.weights[c.position], np.float64)
        return c.then(lambda r: Bounded(weight + (r.value - weight) * times, r.rounding,
                                        r.bound * max(1.0, abs(times)) + 2 * r.rounding.unit
                                        * (np.abs(weight) + np.abs((r.value - weight) * times))))

    def said(steps):
        times = factor(*steps[0]).value
        return (f"the step is too {'long' if abs(times) > 1 else 'short'}, "
                + named_factor(steps, factor))

    return [Variant("scale", said, change, cheap=True,
                    agrees=lambda steps: one_factor(steps, factor))]


SHARES = (0.0, 0.5, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)  # in common use


def of_settings(c) -> list[Variant]:
    """Settings confused, ignored, or taken from another optimizer."""
    found, config = [], c.config

    def say(detail, **settings):
        found.append(inside("optimizer-setting", detail, lambda c: c.configured(**settings)))

    if c.class_name == "SGD":
        if config.get("nesterov"):
            say("plain momentum for Nesterov's", nesterov=False)
        elif config.get("momentum"):
            say("Nesterov's momentum for the plain one", nesterov=True)
    pair = ("beta_1", "beta_2")
    if all(key in config for key in pair):
        say("beta_1 and beta_2 are exchanged", beta_1=config["beta_2"], beta_2=config["beta_1"])
        for key in pair:
            say(f"{key} for 1 - {key}", **{key: 1 - config[key]})
        amsgrad = bool(config.get("amsgrad"))
        say("AMSGrad's maximum is " + ("not taken" if amsgrad else "taken"), amsgrad=not amsgrad)
    if "rho" in config:
        say("rho for 1 - rho", rho=1 - config["rho"])
        say("centered" if not config.get("centered") else "not centered",
            centered=not config.get("centered"))
    for key in ("momentum", *pair, "rho") if c.later else ():  # else what is remembered tells
        found += [inside("optimizer-setting", f"{key} of {share} in place of {config[key]}",
                         lambda c, k=key, s=share: c.configured(**{k: s}))
                  for share in SHARES if config.get(key) not in (None, share)]
    for start in (0.0, 1.0):
        if config.get("initial_accumulator_value") not in (None, start):
            say(f"the accumulator starts at {start:g}", initial_accumulator_value=start)
    rate = config.get("learning_rate")
    if isinstance(rate, dict):
        initial = rate["config"].get("initial_learning_rate")
        if initial is not None:
            found.append(inside("learning-rate-schedule", "it is ignored",
                                lambda c: c.configured(learning_rate=initial)))
    return found


def of_epsilon(c) -> list[Variant]:
    """Another epsilon, or in another place."""
    if "epsilon" not in c.config and c.class_name == "SGD":
        return []
    own = c.config.get("epsilon", 1e-7)
    return [inside("epsilon", f"{e:g} in place of {own:g}",
                   lambda c, e=e: c.configured(epsilon=e)) for e in EPSILONS if e != own]


def of_decay(c) -> list[Variant]:
    """Weight decay ignored, added to the gradient, or not times the learning rate."""
    decay = c.config.get("weight_decay")
    if decay is None:
        decay = 0.004 if c.class_name == "AdamW" else 0.0
    if not decay:
        return [_decayed("the weight", late=False), _decayed("the updated weight", late=True)]

    def coupled(c):
        gradients = tuple(np.asarray(g, np.float64) + decay * w
                          for g, w in zip(c.gradients, c.weights))
        return c.configured(weight_decay=0.0).changed(gradients=tuple(
            Bounded(g, c.rounding, 2 * c.rounding.unit * np.abs(g)) for g in gradients))

    def afterwards(oracle, right, weight, gradient, slots, rate):
        moved = right(weight, gradient, slots, rate)
        return moved - moved * float(np.float32(decay)) * rate

    rate = c.config.get("learning_rate")
    found = [inside("weight-decay", "ignored", lambda c: c.configured(weight_decay=0.0)),
             inside("weight-decay", "twice in each step", lambda c: c.hooked(
                 decayed=lambda oracle, right, weight, *rest: right(right(weight, *rest), *rest))),
             inside("weight-decay", "after the step, not before it", lambda c: c.hooked(
                 decayed=lambda oracle, right, weight, *rest: weight, rule=afterwards)),
             inside("weight-decay", "added to the gradient, not taken from the weight", coupled)]
    if isinstance(rate, float) and rate:
        found.append(inside("weight-decay", "not times the learning rate",
                            lambda c: c.configured(weight_decay=decay / rate)))
    if c.decays and not c.decays[c.position]:
        found.append(inside("weight-decay", "although this weight is excluded from it",
                            lambda c: c.changed(decays=())))
    for factor in (2.0, 0.5):
        found.append(inside("weight-decay", f"times {factor:g}",
                            lambda c, f=factor: c.configured(weight_decay=decay * f)))
    return found


def _decayed(which: str, late: bool) -> Variant:
    """A weight that shrinks although it should not, before or after its step."""
    return Variant("weight-decay",
                   lambda steps: f"{which} shrinks by {_decay(*steps[0], late):.4g} of itself",
                   lambda c, made: _shrunk(c, made, late))


def _decay(c, made, late: bool) -> float:
    """The share by which the weight, before or after its step, was made smaller."""
    right = c.evaluate().value
    w = right if late else np.asarray(c.weights[c.position], np.float64)
    if not w.any() or right.shape != made.shape:
        raise ValueError("Expected weights other than zero. Received: zeros")
    return float(((right - made) * w).sum() / (w * w).sum())


def _shrunk(c, made, late: bool):
    share = _decay(c, made, late)
    if abs(share) < 1e-9:
        raise ValueError("Expected a decay. Received: none")
    weight = np.asarray(c.weights[c.position], np.float64)
    return c.then(lambda r: Bounded(r.value - share * (r.value if late else weight), r.rounding,
                                    r.bound + 2 * r.rounding.unit * np.abs(r.value)))


def of_rules(c) -> list[Variant]:
    """The rule of another optimizer."""
    found = []
    for name, cls in OPTIMIZERS.items():
        if name != c.class_name.lower():
            def change(c, cls=cls):
                own = {k: v for k, v in c.config.items() if k in (*CLIPS, "learning_rate",
                                                                  "weight_decay")}
                return c.changed(class_name=cls.__name__, config=own)

            found.append(inside("optimizer-setting", f"{cls.__name__}'s rule", change))
    return found
