"""Rules of Adamax, Nadam, Adadelta, Ftrl, Lion, Lamb, Adafactor, Muon and ScheduleFreeAdamW as
people get them wrong, from any state."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.elementary import power
from compare.oracle.optimizers import larger, norm
from compare.oracle.running_error import Bounded

ROOTS = "epsilon stands outside the roots"


def of_newer_rules(c) -> list[Variant]:
    """Those that suit the optimizer: other methods of the oracle's, then other settings."""
    found = [inside(name, said, lambda c, h=hooks: c.hooked(**h))
             for name, said, hooks in HOOKS.get(c.class_name, ())]
    return found + [inside(name, said, lambda c, s=settings: c.configured(**s))
                    for name, said, settings in _settings(c)]


def _settings(c):
    """(identifier, sentence, other settings)."""
    config = c.config
    if c.class_name == "Adamax":
        yield "optimizer-setting", "the largest gradient so far does not fade", {"beta_2": 1.0}
    if c.class_name == "Lion":
        yield "optimizer-setting", "the sign of the gradient alone", {"beta_1": 0.0}
    if c.class_name == "Ftrl":
        for key, said in (("l1_regularization_strength", "l1"),
                          ("l2_regularization_strength", "l2"),
                          ("l2_shrinkage_regularization_strength", "the shrinkage")):
            if config.get(key):
                yield "optimizer-setting", f"{said} is ignored", {key: 0.0}
                yield "optimizer-setting", f"{said} counts half", {key: config[key] / 2}
    if c.class_name == "Muon":
        yield ("optimizer-setting", "the momentum is not made orthogonal, only divided by its norm",
               {"ns_steps": 0})
        for steps in (config["ns_steps"] - 1, config["ns_steps"] + 1):
            yield "optimizer-setting", f"{steps} iterations", {"ns_steps": steps}
        nesterov = bool(config.get("nesterov", True))
        yield ("nesterov", "it does not look ahead" if nesterov else "it looks ahead",
               {"nesterov": not nesterov})
    if c.class_name == "ScheduleFreeAdamW" and config.get("warmup_steps"):
        yield "learning-rate-schedule", "the rate does not rise at first", {"warmup_steps": 0}


def _one(oracle, right, *rest):
    return Bounded(1.0, oracle.rounding)


def _uncorrected(key):
    """The start at zero of one mean is not made up for."""
    def start(oracle, right, of):
        return Bounded(1.0, oracle.rounding) if of == key else right(of)

    return start


def _epsilon_in_maximum(oracle, right, w, g, slots, rate):
    slots["momentum"] = m = slots["momentum"] + (g - slots["momentum"]) * oracle.number(
        1 - oracle.config["beta_1"])
    size = Bounded(np.abs(g.value), g.rounding, g.error) + oracle.number(oracle.config["epsilon"])
    slots["norm"] = u = larger(slots["norm"] * oracle.number(oracle.config["beta_2"]), size)
    return w - m * rate / (oracle.start("beta_1") * u)


def _nadam(ahead):
    """Nadam with ahead(oracle, m, g) in place of its look-ahead."""
    def rule(oracle, right, w, g, slots, rate):
        right(w, g, slots, rate)
        root = ((slots["velocity"] / oracle.start("beta_2")).sqrt()
                + oracle.number(oracle.config["epsilon"]))
        return w - ahead(oracle, slots["momentum"], g) * rate / root

    return rule


def _not_ahead(oracle, m, g):
    return m / (Bounded(1.0, oracle.rounding) - oracle.product(oracle.steps + 1))


def _gradient_ahead(oracle, m, g):
    """Only the gradient, without the momentum that is looked along."""
    one = Bounded(1.0, oracle.rounding)
    t = oracle.steps + 1
    return (one - oracle.share(t)) * g / (one - oracle.product(t))


def _adadelta(step, kept=lambda step, rate: step):
    """Adadelta with step(oracle, g, squares before, squares, steps), of which `kept` is kept."""
    def rule(oracle, right, w, g, slots, rate):
        old, new = (oracle.number(share) for share in (oracle.config["rho"],
                                                       1 - oracle.config["rho"]))
        before, steps = slots["accumulated_grad"], slots["accumulated_delta_var"]
        squares = before * old + g * g * new
        made = step(oracle.number(oracle.config["epsilon"]), g, before, squares, steps)
        remembered = kept(made, rate)
        slots.update(accumulated_grad=squares,
                     accumulated_delta_var=steps * old + remembered * remembered * new)
        return w - made * rate

    return rule


def _adadelta_step(epsilon, g, before, squares, steps):
    return (steps + epsilon).sqrt() * g / (squares + epsilon).sqrt()


def _ftrl_without_weight(oracle, right, w, g, slots, rate):
    """z grows by the gradient alone."""
    l1 = float(oracle.config["l1_regularization_strength"])
    after = slots["accumulator"] + g * g
    z = slots["linear"] + g
    slots.update(accumulator=after, linear=z)
    grown = power(after, -oracle.config["learning_rate_power"])
    l2 = (oracle.number(oracle.config["l2_regularization_strength"])
          + oracle.number(oracle.config["beta"]) / (rate * 2.0))
    left = Bounded(np.clip(z.value, -l1, l1) - z.value, z.rounding, z.bound * 2)
    return left / (grown / rate + l2 * 2.0)


def _momentum_first(oracle, right, w, g, slots, rate):
    """The momentum moves on before the step is made of it."""
    right(w, g, slots, rate)
    return right(w, g, dict(slots), rate)


def _unsigned(oracle, right, w, g, slots, rate):
    mixed = oracle.mixed(slots["momentum"], g, "beta_1")
    right(w, g, slots, rate)
    return w - mixed * rate


def _by_gradient_norm(oracle, right, w, g, slots, rate):
    direction = oracle.direction(g, slots)
    return w - norm([w]) / norm([g]) * rate * direction


def _unfactored(oracle, right, g, slots):
    squares = g * g + oracle.number(oracle.config["epsilon_1"])
    old = oracle.share_of_old()
    slots["velocity"] = old * slots["velocity"] + (Bounded(1.0, g.rounding) - old) * squares


def _by_sum(oracle, right, row, column):
    """Divided by the sum of the rows, not by their mean."""
    return right(row, column) / float(row.shape[-1])


def _by_shape(oracle, right, step):
    rows, columns = step.shape
    return step * float(np.sqrt(max(1.0, rows / columns)))


def _unadjusted(oracle, right, step):
    return step


HOOKS: dict[str, list[tuple[str, str, dict]]] = {
    "Adamax": [("bias-correction", "that of the mean is left out", {"start": _one}),
               ("epsilon", "inside the maximum, as in PyTorch", {"rule": _epsilon_in_maximum})],
    "Nadam": [("nesterov", "it does not look ahead", {"rule": _nadam(_not_ahead)}),
              ("nesterov", "the momentum is left out", {"rule": _nadam(_gradient_ahead)}),
              ("optimizer-setting", "the momentum's share does not grow: it is beta_1", {
                  "share": lambda oracle, right, t: oracle.number(oracle.config["beta_1"]),
                  "product": lambda oracle, right, t: Bounded(
                      oracle.config["beta_1"] ** t, oracle.rounding,
                      oracle.rounding.gamma(40) * oracle.config["beta_1"] ** t
                      + t * oracle.rounding.unit * oracle.config["beta_1"] ** t)}),
              ("bias-correction", "that of the second mean is left out",
               {"start": _uncorrected("beta_2")})],
    "Adadelta": [
        ("optimizer-state", "divided by the mean of squares before this step", {
            "rule": _adadelta(lambda epsilon, g, before, squares, steps: (
                steps + epsilon).sqrt() * g / (before + epsilon).sqrt())}),
        ("epsilon", ROOTS, {"rule": _adadelta(lambda epsilon, g, before, squares, steps: (
            steps.sqrt() + epsilon) * g / (squares.sqrt() + epsilon))}),
        ("optimizer-state", "steps are remembered times the rate", {
            "rule": _adadelta(_adadelta_step, lambda step, rate: step * rate)})],
    "Ftrl": [("optimizer-setting", "z grows by the gradient alone",
              {"rule": _ftrl_without_weight})],
    "Lion": [("optimizer-state", "the momentum moves on before the step is made of it",
              {"rule": _momentum_first}),
             ("optimizer-setting", "no sign is taken", {"rule": _unsigned})],
    "Lamb": [("step-size", "the ratio of the norms is left out", {"ratio": _one}),
             ("step-size", "the gradient's norm in place of the step's",
              {"rule": _by_gradient_norm}),
             ("bias-correction", "that of both means is left out", {"start": _one}),
             ("bias-correction", "that of the first mean is left out",
              {"start": _uncorrected("beta_1")}),
             ("bias-correction", "that of the second mean is left out",
              {"start": _uncorrected("beta_2")})],
    "Adafactor": [("step-size", "the update is not clipped", {"excess": _one}),
                  ("step-size", "the weight's own size does not count", {"size": _one}),
                  ("step-size", "the rate is not limited by 1 / sqrt(t)",
                   {"limited": lambda oracle, right, rate: rate}),
                  ("optimizer-setting", "mean squares are kept whole, not by rows and columns",
                   {"means": _unfactored}),
                  ("optimizer-setting", "divided by the sum of the rows, not by their mean",
                   {"product": _by_sum})],
    "Muon": [("step-size", "by sqrt(max(1, rows / columns)), as the first implementation has it",
              {"adjusted": _by_shape}),
             ("step-size", "the sides of the matrix and rms_rate do not count",
              {"adjusted": _unadjusted})],
    "ScheduleFreeAdamW": [
        ("optimizer-state", "x is worked out of z before the step, as in the paper; Keras on "
         "TensorFlow takes z after it",
         {"recovered_by": lambda oracle, right, before, after: before}),
        ("optimizer-setting", "a step counts for 1 / (t + 1) in the mean",
         {"share_of_new": lambda oracle, right, t: right(t + 1.0)}),
        ("bias-correction", "that of the mean of squares is left out",
         {"start": _one})],
}
