"""Mistakes in an optimizer's step: its sign, its rate, its settings, and what it remembers."""

import numpy as np

from compare.diagnosis.computation import UpdateComputation
from compare.diagnosis.hypotheses.scale import known_factors
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.optimizers import OPTIMIZERS
from compare.oracle.running_error import Bounded

EPSILONS = (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 1e-10, 1e-4)
CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


def of_updates(c: UpdateComputation) -> list[Variant]:
    """Everything about one weight after one step."""
    found = of_memory(c) + [inside("update-sign", "it climbs", lambda c: c.changed(
        gradients=tuple(-g for g in c.gradients))),
        inside("update-missing", "the weight stays as it is", lambda c: c.changed(
            own=lambda c: c.exact(c.weights[c.position])))]
    return (found + of_settings(c) + of_epsilon(c) + of_decay(c) + of_clipping(c) + of_start(c)
            + of_size(c) + of_rules(c))


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
    def factor(c, made):
        weight = np.asarray(c.weights[c.position], np.float64)
        right = c.evaluate().value - weight
        if right.shape != made.shape or not right.any():
            raise ValueError("Expected a step. Received: none")
        found = float(((made - weight) * right).sum() / (right * right).sum())
        if abs(found - 1) < 1e-7 or abs(found) < 1e-9 or abs(found + 1) < 1e-4:
            raise ValueError("Expected a factor that changes something. Received: none")
        near = [v for v in known_factors(c).values() if abs(v - found) <= 1e-3 * abs(v)]
        return near[0] if near else float(np.float32(found))

    def change(c, made):
        times = factor(c, made)
        weight = np.asarray(c.weights[c.position], np.float64)
        # the weight is known to a rounding only, so the factor is known to that of the steps
        return c.then(lambda r: Bounded(weight + (r.value - weight) * times, r.rounding,
                                        r.bound * max(1.0, abs(times)) + 2 * r.rounding.unit
                                        * (np.abs(weight) + np.abs((r.value - weight) * times))))

    def said(steps):
        times = factor(*steps[0])
        names = [n for n, v in known_factors(steps[0][0]).items() if v == times]
        return f"the step is too long by a factor of {times:.6g}" + (
            f", which is {names[0]}" if names else "")

    return [Variant("scale", said, change, cheap=True)]


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
    if "rho" in config:
        say("rho for 1 - rho", rho=1 - config["rho"])
        say("centered" if not config.get("centered") else "not centered",
            centered=not config.get("centered"))
    for start in (0.0, 1.0):
        if config.get("initial_accumulator_value") not in (None, start):
            say(f"the accumulator starts at {start:g}", initial_accumulator_value=start)
    rate = config.get("learning_rate")
    if isinstance(rate, dict):
        initial = rate["config"].get("initial_learning_rate")
        if initial is not None:
            say("the schedule is ignored", learning_rate=initial)
    return found


def of_epsilon(c) -> list[Variant]:
    """Another epsilon, or in another place."""
    if "epsilon" not in c.config and c.class_name == "SGD":
        return []
    own = c.config.get("epsilon", 1e-7)
    found = [inside("epsilon", f"{e:g} in place of {own:g}",
                    lambda c, e=e: c.configured(epsilon=e)) for e in EPSILONS if e != own]

    def rooted(c):
        """The other of sqrt(v + epsilon) and sqrt(v) + epsilon."""
        inner = c.class_name in ("RMSprop", "Adagrad")
        return c.changed(own=lambda c: _moved_epsilon(c, outside=inner))

    found.append(inside("epsilon", "on the other side of the square root", rooted))
    if c.class_name in ("Adam", "AdamW"):
        found += [inside("epsilon", said, lambda c, o=outside: c.changed(
            own=lambda c: _beside_corrected(c, o))) for said, outside in (
                ("added to the root of the corrected velocity, as in the paper and in PyTorch, not "
                 "of the velocity itself", True),
                ("inside the square root, beside the corrected velocity", False))]
    return found


def _beside_corrected(c, outside: bool) -> Bounded:
    """Adam's first step, rate m' / (sqrt(v') + epsilon) or rate m' / sqrt(v' + epsilon): once they
    are corrected, m' is the gradient and v' its square."""
    right = c.changed(own=None).evaluate()
    g = np.asarray(c.gradients[c.position], np.float64)
    w = np.asarray(c.weights[c.position], np.float64)
    rate, epsilon = float(c.config["learning_rate"]), c.config.get("epsilon", 1e-7)
    w = w * (1 - (c.config.get("weight_decay") or 0.0) * rate)
    step = rate * g / (np.abs(g) + epsilon if outside else np.sqrt(g * g + epsilon))
    slack = right.rounding.gamma(24) * np.abs(step) + right.rounding.gamma(2) * np.abs(w)
    return Bounded(w - step, right.rounding, right.bound + slack)


def _moved_epsilon(c, outside: bool) -> Bounded:
    """The first step with epsilon added outside the root, or inside it."""
    right = c.changed(own=None).evaluate()
    g = np.asarray(c.gradients[c.position], np.float64)
    w = np.asarray(c.weights[c.position], np.float64)
    rate, epsilon = float(c.config["learning_rate"]), c.config.get("epsilon", 1e-7)
    if c.class_name in ("Adam", "AdamW"):
        one, two = c.config.get("beta_1", 0.9), c.config.get("beta_2", 0.999)
        decay = c.config.get("weight_decay") or 0.0
        w = w * (1 - decay * rate)
        alpha = rate * np.sqrt(1 - two) / (1 - one)
        step = (1 - one) * g * alpha / np.sqrt((1 - two) * g * g + epsilon)
        slots = 1 - two
    else:
        slots = 1 - c.config.get("rho", 0.9)
        square = slots * g * g
        if c.class_name == "Adagrad":
            square = c.config.get("initial_accumulator_value", 0.1) + g * g
        step = rate * g / ((np.sqrt(square) + epsilon) if outside else np.sqrt(square + epsilon))
    value = w - step
    slack = right.rounding.gamma(24) * np.abs(step) + right.rounding.gamma(2) * np.abs(w)
    return Bounded(value, right.rounding, right.bound + slack)


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

    rate = c.config.get("learning_rate")
    found = [inside("weight-decay", "ignored", lambda c: c.configured(weight_decay=0.0)),
             inside("weight-decay", "added to the gradient, not taken from the weight", coupled)]
    if isinstance(rate, float) and rate:
        found.append(inside("weight-decay", "not times the learning rate",
                            lambda c: c.configured(weight_decay=decay / rate)))
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


def of_clipping(c) -> list[Variant]:
    """Gradients that are not clipped, or clipped in another way."""
    found = []
    limits = {key: c.config[key] for key in CLIPS if c.config.get(key)}
    for key, limit in limits.items():
        found.append(inside("clipping", f"{key} is ignored",
                            lambda c, k=key: c.configured(**{k: None})))
        for other in CLIPS:
            if other != key:
                found.append(inside("clipping", f"{other} in place of {key}",
                                    lambda c, k=key, o=other, v=limit: c.configured(
                                        **{k: None, o: v})))
    return found


def of_start(c) -> list[Variant]:
    """Adam's running means not made up for their start at zero."""
    if c.class_name not in ("Adam", "AdamW"):
        return []
    one, two = (float(np.float32(c.config.get(key, plain)))  # as powers of them are computed
                for key, plain in (("beta_1", 0.9), ("beta_2", 0.999)))
    factors = {"of both means": (1 - one) / np.sqrt(1 - two), "of the first mean": 1 - one,
               "of the second mean": 1 / np.sqrt(1 - two)}
    return [inside("bias-correction", f"that {said} is left out",
                   lambda c, f=factor: c.configured(learning_rate=c.config["learning_rate"] * f))
            for said, factor in factors.items()]


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
