"""Optimizers and schedules with the arguments that change their mathematics, and their rules once
more, on plain numbers."""

import math

import numpy as np

CASES = [
    ("SGD", {}),
    ("SGD", dict(learning_rate=0.1, momentum=0.9)),
    ("SGD", dict(learning_rate=0.1, momentum=0.7, nesterov=True, weight_decay=0.03)),
    ("SGD", dict(learning_rate=0.3, clipnorm=0.9)),
    ("SGD", dict(learning_rate=0.3, clipvalue=0.25)),
    ("SGD", dict(learning_rate=0.3, global_clipnorm=1.5, momentum=0.5)),
    ("SGD", dict(learning_rate=0.3, global_clipnorm=1e6)),
    ("Adam", {}),
    ("Adam", dict(learning_rate=0.1, beta_1=0.7, beta_2=0.8, epsilon=1e-3)),
    ("Adam", dict(learning_rate=0.05, amsgrad=True, clipvalue=0.5, beta_2=0.5)),
    ("Adam", dict(learning_rate=0.05, weight_decay=0.2)),
    ("AdamW", {}),
    ("AdamW", dict(learning_rate=0.05, weight_decay=0.3, amsgrad=True, global_clipnorm=2.0)),
    ("RMSprop", {}),
    ("RMSprop", dict(learning_rate=0.02, rho=0.6, momentum=0.8)),
    ("RMSprop", dict(learning_rate=0.02, rho=0.6, centered=True, epsilon=1e-4)),
    ("RMSprop", dict(learning_rate=0.02, momentum=0.5, centered=True, clipnorm=1.0,
                     weight_decay=0.1)),
    ("Adagrad", {}),
    ("Adagrad", dict(learning_rate=0.5, initial_accumulator_value=0.0, epsilon=1e-3)),
    ("Adagrad", dict(learning_rate=0.5, initial_accumulator_value=0.7, clipnorm=0.5)),
    ("Adamax", {}),
    ("Adamax", dict(learning_rate=0.05, beta_1=0.7, beta_2=0.8, epsilon=1e-3, weight_decay=0.1)),
    ("Nadam", {}),
    ("Nadam", dict(learning_rate=0.05, beta_1=0.7, beta_2=0.8, epsilon=1e-3, clipvalue=0.5)),
    ("Adadelta", {}),
    ("Adadelta", dict(learning_rate=1.0, rho=0.6, epsilon=1e-3, weight_decay=0.1)),
    ("Lion", {}),
    ("Lion", dict(learning_rate=0.05, beta_1=0.6, beta_2=0.7, weight_decay=0.1)),
    ("Ftrl", {}),
    ("Ftrl", dict(learning_rate=0.5, learning_rate_power=-0.7, initial_accumulator_value=0.4,
                  l1_regularization_strength=0.3, l2_regularization_strength=0.1,
                  l2_shrinkage_regularization_strength=0.05, beta=0.2)),
    ("Lamb", {}),
    ("Lamb", dict(learning_rate=0.05, beta_1=0.7, beta_2=0.8, epsilon=1e-3, weight_decay=0.1)),
    ("Adafactor", {}),
    ("Adafactor", dict(learning_rate=0.5, beta_2_decay=-0.5, epsilon_1=1e-4, epsilon_2=0.7,
                       clip_threshold=0.4, weight_decay=0.1)),
    ("Muon", {}),
    ("Muon", dict(learning_rate=0.05, momentum=0.6, nesterov=False, rms_rate=None, ns_steps=2,
                  adam_lr_ratio=0.5, adam_beta_1=0.7, adam_beta_2=0.8, weight_decay=0.1,
                  adam_weight_decay=None)),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", dict(learning_rate=0.05, beta_1=0.7, beta_2=0.8, epsilon=1e-3,
                               warmup_steps=4, weight_decay=0.1)),
    ("SGD", dict(learning_rate=0.1, momentum=0.5, use_ema=True, ema_momentum=0.7)),
    ("Adam", dict(use_ema=True, ema_momentum=0.6, ema_overwrite_frequency=2)),
    ("SGD", dict(learning_rate=0.1, gradient_accumulation_steps=2, weight_decay=0.1,
                 clipnorm=0.9)),
    ("Nadam", dict(gradient_accumulation_steps=3, use_ema=True, ema_overwrite_frequency=2)),
]

SCHEDULES = [
    ("ExponentialDecay", dict(initial_learning_rate=0.1, decay_steps=7, decay_rate=0.9)),
    ("ExponentialDecay", dict(initial_learning_rate=0.3, decay_steps=10, decay_rate=0.5,
                              staircase=True)),
    ("InverseTimeDecay", dict(initial_learning_rate=0.2, decay_steps=7, decay_rate=0.5)),
    ("InverseTimeDecay", dict(initial_learning_rate=0.2, decay_steps=3, decay_rate=0.7,
                              staircase=True)),
    ("PiecewiseConstantDecay", dict(boundaries=[5, 11, 30], values=[0.5, 0.1, 0.7, 0.01])),
    ("PiecewiseConstantDecay", dict(boundaries=[6], values=[0.1, 0.2])),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=21)),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=21, end_learning_rate=0.02,
                             power=0.5)),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=7, power=2.0, cycle=True)),
    ("CosineDecay", dict(initial_learning_rate=0.1, decay_steps=30)),
    ("CosineDecay", dict(initial_learning_rate=0.1, decay_steps=30, alpha=0.25)),
    ("CosineDecay", dict(initial_learning_rate=0.01, decay_steps=20, alpha=0.1, warmup_target=0.5,
                         warmup_steps=10)),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=6)),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=7, t_mul=1.0,
                                 m_mul=0.8, alpha=0.05)),
]


def cast(number):
    """A number rounded to float32, which Keras does with some settings."""
    return float(np.float32(number))


def ident(value):
    """A readable name for a test case."""
    if isinstance(value, tuple):
        return f"{value[0]}-{ident(value[1])}"
    if isinstance(value, dict):
        return ",".join(f"{key}={entry}" for key, entry in value.items()) or "defaults"
    return str(value)


def by_hand(name, config, weights, steps):
    """The weights after each call, in float64: the papers' rules, one number after the other.

    Args:
        config: the optimizer's full config, its learning rate a number.
        steps: for each step the gradients of all weights.
    """
    calls = config["gradient_accumulation_steps"] or 1
    now = [np.array(weight, np.float64) for weight in weights]
    rule = (WholeWeights if name in WHOLE else OneByOne)(name, config, now)
    averages = None
    sums = [np.zeros(weight.shape) for weight in now]
    for call, gradients in enumerate(steps):
        sums = [total + gradient for total, gradient in zip(sums, gradients)]
        if call % calls == calls - 1:
            now = rule.step(now, [total / calls for total in sums], call // calls + 1)
            sums = [np.zeros(weight.shape) for weight in now]
        if config["use_ema"]:
            b = config["ema_momentum"]
            averages = [w.copy() if call < calls else b * a + (1 - b) * w
                        for a, w in zip(averages or now, now)]
            if (call // calls + 1) % (config["ema_overwrite_frequency"] or 1e9) == 0:
                now = [average.copy() for average in averages]
        yield now


class OneByOne:
    """Rules of which each number of a weight is moved by itself."""

    def __init__(self, name, config, weights):
        self.name, self.config = name, config
        self.slots = [[{"m": 0.0, "v": 0.0, "top": 0.0, "mean": 0.0, "z": float(number),
                        "sum": cast(config.get("initial_accumulator_value", 0))}
                       for number in weight.reshape(-1)] for weight in weights]

    def step(self, weights, gradients, t):
        config, rate, after = self.config, self.config["learning_rate"], []
        rows = clipped(config, [[float(g) for g in each.reshape(-1)] for each in gradients])
        for weight, row, slots in zip(weights, rows, self.slots):
            moved = []
            for w, g, s in zip(weight.reshape(-1), row, slots):
                w = float(w)
                if config["weight_decay"]:
                    w -= w * cast(config["weight_decay"]) * rate
                moved.append(RULES[self.name](config, w, g, s, rate, t))
            after.append(np.array(moved).reshape(weight.shape))
        return after


class WholeWeights:
    """Rules that look at a weight as a whole."""

    def __init__(self, name, config, weights):
        self.name, self.config = name, config
        self.slots = [{"m": np.zeros(w.shape), "v": np.zeros(w.shape), "r": 0.0, "c": 0.0}
                      for w in weights]

    def step(self, weights, gradients, t):
        return [WHOLE[self.name](self.config, w, g, s, self.config["learning_rate"], t)
                for w, g, s in zip(weights, gradients, self.slots)]


def clipped(config, rows):
    norms = [math.sqrt(math.fsum(g * g for g in row)) for row in rows]
    if config["clipnorm"]:
        return [[g * config["clipnorm"] / max(norm, config["clipnorm"]) for g in row]
                for row, norm in zip(rows, norms)]
    if config["global_clipnorm"]:
        norm = math.sqrt(math.fsum(norm * norm for norm in norms))
        return [[g * min(1, config["global_clipnorm"] / norm) for g in row] for row in rows]
    if config["clipvalue"]:
        return [[max(-config["clipvalue"], min(g, config["clipvalue"])) for g in row]
                for row in rows]
    return rows


def sgd(config, w, g, s, rate, t):
    b = cast(config["momentum"])
    s["m"] = b * s["m"] - rate * g
    return w + (b * s["m"] - rate * g if config["nesterov"] else s["m"])


def adam(config, w, g, s, rate, t):
    s["m"] = config["beta_1"] * s["m"] + (1 - config["beta_1"]) * g
    s["v"] = config["beta_2"] * s["v"] + (1 - config["beta_2"]) * g * g
    s["top"] = max(s["top"], s["v"])
    v = s["top"] if config["amsgrad"] else s["v"]
    alpha = rate * math.sqrt(1 - cast(config["beta_2"]) ** t) / (1 - cast(config["beta_1"]) ** t)
    return w - alpha * s["m"] / (math.sqrt(v) + config["epsilon"])


def rmsprop(config, w, g, s, rate, t):
    s["v"] = config["rho"] * s["v"] + (1 - config["rho"]) * g * g
    s["mean"] = config["rho"] * s["mean"] + (1 - config["rho"]) * g
    variance = s["v"] - s["mean"] ** 2 if config["centered"] else s["v"]
    s["m"] = config["momentum"] * s["m"] + rate * g / math.sqrt(variance + config["epsilon"])
    return w - s["m"]


def adagrad(config, w, g, s, rate, t):
    s["sum"] += g * g
    return w - rate * g / math.sqrt(s["sum"] + config["epsilon"])


def adamax(config, w, g, s, rate, t):
    s["m"] = config["beta_1"] * s["m"] + (1 - config["beta_1"]) * g
    s["top"] = max(config["beta_2"] * s["top"], abs(g))
    return w - rate * s["m"] / ((1 - cast(config["beta_1"]) ** t) * (s["top"] + config["epsilon"]))


def nadam(config, w, g, s, rate, t):
    b, b_2 = cast(config["beta_1"]), cast(config["beta_2"])

    def share(beta, decay, step):
        return beta * (1 - decay ** step / 2)

    now, after = share(b, cast(0.96), t), share(b, cast(0.96), t + 1)
    product = math.prod(share(config["beta_1"], 0.96, i) for i in range(1, t + 1))
    s["m"] = b * s["m"] + (1 - b) * g
    s["v"] = b_2 * s["v"] + (1 - b_2) * g * g
    ahead = after * s["m"] / (1 - product * after) + (1 - now) * g / (1 - product)
    return w - rate * ahead / (math.sqrt(s["v"] / (1 - b_2 ** t)) + config["epsilon"])


def adadelta(config, w, g, s, rate, t):
    rho = config["rho"]
    s["v"] = rho * s["v"] + (1 - rho) * g * g
    step = g * math.sqrt(s["m"] + config["epsilon"]) / math.sqrt(s["v"] + config["epsilon"])
    s["m"] = rho * s["m"] + (1 - rho) * step * step
    return w - rate * step


def lion(config, w, g, s, rate, t):
    b, b_2 = cast(config["beta_1"]), cast(config["beta_2"])
    mixed = b * s["m"] + (1 - b) * g
    s["m"] = b_2 * s["m"] + (1 - b_2) * g
    return w - rate * ((mixed > 0) - (mixed < 0))


def ftrl(config, w, g, s, rate, t):
    p, l1 = -config["learning_rate_power"], config["l1_regularization_strength"]
    before = s["sum"]
    s["sum"] += g * g
    s["m"] += (g + 2 * config["l2_shrinkage_regularization_strength"] * w
               - (s["sum"] ** p - before ** p) / rate * w)
    if abs(s["m"]) <= l1:
        return 0.0
    clip = math.copysign(l1, s["m"])
    return (clip - s["m"]) / (s["sum"] ** p / rate + 2 * (
        config["l2_regularization_strength"] + config["beta"] / (2 * rate)))


def schedule_free(config, w, g, s, rate, t):
    b, b_2 = cast(config["beta_1"]), cast(config["beta_2"])
    if config["warmup_steps"]:
        rate *= min(t / config["warmup_steps"], 1)
    s["v"] = b_2 * s["v"] + (1 - b_2) * g * g
    s["z"] -= rate * g / (math.sqrt(s["v"] / (1 - b_2 ** t)) + cast(config["epsilon"]))
    x = (w - (1 - b) * s["z"]) / b
    x += (s["z"] - x) / t
    return b * x + (1 - b) * s["z"]


def decayed(config, w, rate, key="weight_decay"):
    return w - w * cast(config[key] or 0) * rate


def length(array):
    return math.sqrt(math.fsum(float(number) ** 2 for number in array.reshape(-1)))


def lamb(config, w, g, s, rate, t):
    w = decayed(config, w, rate)
    d = np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        s["m"][i] = config["beta_1"] * s["m"][i] + (1 - config["beta_1"]) * g[i]
        s["v"][i] = config["beta_2"] * s["v"][i] + (1 - config["beta_2"]) * g[i] ** 2
        d[i] = s["m"][i] / (1 - cast(config["beta_1"]) ** t) / (
            math.sqrt(s["v"][i] / (1 - cast(config["beta_2"]) ** t)) + config["epsilon"])
    ratio = length(w) / length(d) if length(w) > 0 and length(d) > 0 else 1
    return w - rate * ratio * d


def adafactor(config, w, g, s, rate, t):
    w = decayed(config, w, rate)
    old, squares = 1 - t ** config["beta_2_decay"], g * g + config["epsilon_1"]
    if w.ndim < 2:
        s["v"] = old * s["v"] + (1 - old) * squares
    else:
        rows = np.array([sum(row) / len(row) for row in squares.reshape(-1, w.shape[-1])])
        columns = np.array([[sum(block[:, k]) / len(block) for k in range(w.shape[-1])]
                            for block in squares.reshape(-1, *w.shape[-2:])])
        s["r"] = old * s["r"] + (1 - old) * rows.reshape(w.shape[:-1])
        s["c"] = old * s["c"] + (1 - old) * columns.reshape(*w.shape[:-2], w.shape[-1])
        s["v"] = np.zeros(w.shape)
        for i in np.ndindex(w.shape):
            mean = sum(s["r"][i[:-2]]) / w.shape[-2]
            s["v"][i] = s["r"][i[:-1]] * s["c"][(*i[:-2], i[-1])] / mean
    u = g / np.sqrt(s["v"])
    u /= max(1.0, length(u) / math.sqrt(u.size) / config["clip_threshold"])
    size = max(cast(config["epsilon_2"]), length(w) / math.sqrt(w.size))
    return w - size * min(rate, 1 / math.sqrt(t)) * u


def muon(config, w, g, s, rate, t):
    if w.ndim != 2:
        w = decayed(config, w, rate, "adam_weight_decay")
        b, b_2 = config["adam_beta_1"], config["adam_beta_2"]
        s["m"], s["v"] = b * s["m"] + (1 - b) * g, b_2 * s["v"] + (1 - b_2) * g * g
        alpha = (rate * config["adam_lr_ratio"] * math.sqrt(1 - cast(b_2) ** t)
                 / (1 - cast(b) ** t))
        return w - alpha * s["m"] / (np.sqrt(s["v"]) + config["epsilon"])
    w = decayed(config, w, rate)
    s["m"] = config["momentum"] * s["m"] + g
    x = g + config["momentum"] * s["m"] if config["nesterov"] else s["m"]
    left, sizes, right = np.linalg.svd(x / (length(x) + 1e-7), full_matrices=False)
    for _ in range(config["ns_steps"]):  # the iteration is one of the singular values
        sizes = (config["muon_a"] * sizes + config["muon_b"] * sizes ** 3
                 + config["muon_c"] * sizes ** 5)
    step = rate * left @ np.diag(sizes) @ right
    if config["rms_rate"] is not None:
        step = step * math.sqrt(max(w.shape)) * config["rms_rate"]
    return w - step


WHOLE = {"Lamb": lamb, "Adafactor": adafactor, "Muon": muon}
RULES = {"Adamax": adamax, "Nadam": nadam, "Adadelta": adadelta, "Lion": lion, "Ftrl": ftrl,
         "ScheduleFreeAdamW": schedule_free,
         "SGD": sgd, "Adam": adam, "AdamW": adam, "RMSprop": rmsprop, "Adagrad": adagrad}
