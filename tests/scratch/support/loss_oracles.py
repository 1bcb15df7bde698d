"""Losses by their definitions, one row at a time, and what a batch makes of them: plain loops.

Each row's function takes (targets, outputs, settings, constant), lists of floats; `constant` gives
a number as the precision at hand holds it. It returns (loss, slopes).
"""

import math

import numpy as np

from tests.scratch.support.oracles import softmax_row


def softmax_cross_entropy(y, z):
    largest = max(z)
    log_sum = math.log(math.fsum(math.exp(v - largest) for v in z))
    loss = math.fsum(t * (log_sum - (v - largest)) for t, v in zip(y, z) if t)
    return loss, [p - t for p, t in zip(softmax_row(z), y)]


def sparse(y, p, settings, constant):
    """y is one-hot. Keras clips, and then divides by the sum."""
    if settings.get("from_logits"):
        return softmax_cross_entropy(y, p)
    low, high = constant(1e-7), constant(1 - 1e-7)
    clipped = [min(max(v, low), high) for v in p]
    total, label = math.fsum(clipped), y.index(1)
    slopes = [(1 / total - (i == label) / c) * (low <= v <= high)
              for i, (v, c) in enumerate(zip(p, clipped))]
    return -math.log(clipped[label] / total), slopes


def categorical(y, p, settings, constant):
    """Keras divides by the sum, and then clips."""
    amount = settings.get("label_smoothing", 0)
    y = [t * (1 - amount) + amount / len(y) for t in y]
    if settings.get("from_logits"):
        return softmax_cross_entropy(y, p)
    low, high, total = constant(1e-7), constant(1 - 1e-7), math.fsum(p)
    q = [v / total for v in p]
    clipped = [min(max(v, low), high) for v in q]
    dq = [-t / c * (low <= v <= high) for t, c, v in zip(y, clipped, q)]
    slopes = [math.fsum(dq[j] * ((i == j) - q[j]) for j in range(len(q))) / total
              for i in range(len(q))]
    return -math.fsum(t * math.log(c) for t, c in zip(y, clipped)), slopes


def each(function):
    """The mean over a row of function(y, p, settings, constant) -> (value, slope)."""
    def row(y, p, settings, constant):
        pairs = [function(t, v, settings, constant) for t, v in zip(y, p)]
        return (math.fsum(value for value, _ in pairs) / len(pairs),
                [slope / len(pairs) for _, slope in pairs])

    return row


def binary(y, p, settings, constant):
    amount = settings.get("label_smoothing", 0)
    y = y * (1 - amount) + amount / 2
    if settings.get("from_logits"):
        sigmoid = 1 / (1 + math.exp(-p)) if p > -700 else 0.0
        return max(p, 0) - p * y + math.log1p(math.exp(-abs(p))), sigmoid - y
    low, high = constant(1e-7), constant(1 - 1e-7)
    c = min(max(p, low), high)
    return (-(y * math.log(c) + (1 - y) * math.log(1 - c)),
            ((1 - y) / (1 - c) - y / c) * (low <= p <= high))


def sign(x):
    return (x > 0) - (x < 0)


def percentage(y, p, settings, constant):
    scale = 100 / max(abs(y), constant(1e-7))
    return abs(p - y) * scale, sign(p - y) * scale


def logarithmic(y, p, settings, constant):
    least = float(np.float32(1e-7))
    error = math.log(max(p, least) + 1) - math.log(max(y, least) + 1)
    return error**2, 2 * error / (max(p, least) + 1) * (p >= least)


def huber(y, p, settings, constant):
    delta, error = settings.get("delta", 1.0), p - y
    if abs(error) <= delta:
        return error**2 / 2, error
    return delta * abs(error) - delta**2 / 2, delta * sign(error)


def log_cosh(y, p, settings, constant):
    error = p - y
    constant_error = math.log(2) - float(np.float32(math.log(2)))  # Keras has it in float32
    return math.log(math.cosh(error)) + constant_error, math.tanh(error)


def kl(y, p, settings, constant):
    low = constant(1e-7)
    y = [min(max(t, low), 1) for t in y]
    c = [min(max(v, low), 1) for v in p]
    return (math.fsum(t * math.log(t / v) for t, v in zip(y, c)),
            [-t / v * (low <= raw <= 1) for t, v, raw in zip(y, c, p)])


def poisson(y, p, settings, constant):
    raised = p + constant(1e-7)
    return p - y * math.log(raised), 1 - y / raised


def hinge(y, p, settings, constant):
    return max(1 - y * p, 0), -y * (1 - y * p >= 0)


def squared_hinge(y, p, settings, constant):
    return max(1 - y * p, 0)**2, -2 * y * max(1 - y * p, 0)


def focal_binary(y, p, settings, constant):
    gamma, alpha = settings.get("gamma", 2.0), settings.get("alpha", 0.25)
    entropy, slope = binary(y, p, settings, constant)
    amount = settings.get("label_smoothing", 0)
    y = y * (1 - amount) + amount / 2
    s = (1 / (1 + math.exp(-p)) if p > -700 else 0.0) if settings.get("from_logits") else p
    rest = 1 - (y * s + (1 - y) * (1 - s))
    change = -gamma * rest**(gamma - 1) * (2 * y - 1)
    if settings.get("from_logits"):
        change *= s * (1 - s)
    balance = 1
    if settings.get("apply_class_balancing"):
        balance = y * constant(alpha) + (1 - y) * constant(1 - alpha)
    return balance * rest**gamma * entropy, balance * (rest**gamma * slope + change * entropy)


def focal_categorical(y, p, settings, constant):
    gamma, alpha = settings.get("gamma", 2.0), settings.get("alpha", 0.25)
    if settings.get("from_logits"):
        s = softmax_row(p)
        loss, ds = focal_categorical(y, s, {**settings, "from_logits": False}, constant)
        along = math.fsum(a * b for a, b in zip(ds, s))
        return loss, [v * (d - along) for v, d in zip(s, ds)]
    amount = settings.get("label_smoothing", 0)
    y = [t * (1 - amount) + amount / len(y) for t in y]
    low, high, total = constant(1e-7), constant(1 - 1e-7), math.fsum(p)
    q = [v / total for v in p]
    c = [min(max(v, low), high) for v in q]
    dq = [alpha * (-t / v * (1 - v)**gamma + t * math.log(v) * gamma * (1 - v)**(gamma - 1))
          * (low <= raw <= high) for t, v, raw in zip(y, c, q)]
    slopes = [math.fsum(dq[j] * ((i == j) - q[j]) for j in range(len(q))) / total
              for i in range(len(q))]
    return -math.fsum(alpha * (1 - v)**gamma * t * math.log(v) for t, v in zip(y, c)), slopes


def categorical_hinge(y, p, settings, constant):
    others = [(1 - t) * v for t, v in zip(y, p)]
    short = max(others) - math.fsum(t * v for t, v in zip(y, p)) + 1
    ties = others.count(max(others))
    return max(short, 0), [((1 - t) * (o == max(others)) / ties - t) * (short >= 0)
                           for t, o in zip(y, others)]


def generalized(y, p, settings, constant):
    """y is one-hot."""
    q, label = constant(settings.get("q", 0.5)), y.index(1)
    slope = -p[label]**(q - 1) if p[label] else -math.inf
    return (1 - p[label]**q) / q, [slope * (i == label) for i in range(len(p))]


def cosine(y, p, settings, constant):
    def over_length(row):
        length = math.sqrt(math.fsum(v * v for v in row))
        return [v / max(length, 1e-7) for v in row], length

    (a, _), (b, length) = over_length(y), over_length(p)
    along = math.fsum(s * t for s, t in zip(a, b))
    if length < 1e-7:
        return -along, [-s / 1e-7 for s in a]
    return -along, [-(s - t * along) / length for s, t in zip(a, b)]


def tversky(y, p, settings, constant):
    alpha, beta = (constant(settings.get(key, 0.5)) for key in ("alpha", "beta"))
    both = math.fsum(t * v for t, v in zip(y, p))
    total = math.fsum([both, alpha * math.fsum(t * (1 - v) for t, v in zip(y, p)),
                       beta * math.fsum(v * (1 - t) for t, v in zip(y, p)), constant(1e-7)])
    return 1 - both / total, [both / total**2 * (t - alpha * t + beta * (1 - t)) - t / total
                              for t in y]


def dice(y, p, settings, constant):
    both = math.fsum(2 * t * v for t, v in zip(y, p))
    total = math.fsum([*y, *p, constant(1e-7)])
    return 1 - both / total, [both / total**2 - 2 * t / total for t in y]


ROWS = {
    "SparseCategoricalCrossentropy": sparse, "CategoricalCrossentropy": categorical,
    "BinaryCrossentropy": each(binary),
    "MeanSquaredError": each(lambda y, p, *_: ((p - y)**2, 2 * (p - y))),
    "MeanAbsoluteError": each(lambda y, p, *_: (abs(p - y), sign(p - y))),
    "MeanAbsolutePercentageError": each(percentage),
    "MeanSquaredLogarithmicError": each(logarithmic), "Huber": each(huber),
    "LogCosh": each(log_cosh), "KLDivergence": kl, "Poisson": each(poisson),
    "Hinge": each(hinge), "SquaredHinge": each(squared_hinge),
    "BinaryFocalCrossentropy": each(focal_binary),
    "CategoricalFocalCrossentropy": focal_categorical, "CategoricalHinge": categorical_hinge,
    "CategoricalGeneralizedCrossEntropy": generalized, "CosineSimilarity": cosine, "Dice": dice,
    "Tversky": tversky,
}
OVERLAPS = ("Dice", "Tversky")
LABELLED = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy")


def batch_loss(name, settings, reduction, y_true, y_pred, weights=None, constant=float):
    """(loss, its gradient) for outputs (batch, ..., classes) and weights of the losses' shape.

    Weights stretch to the losses' shape, (batch,) or (batch, 1, ...); they are added up as given.
    """
    first = y_pred.ndim - 1
    if name in OVERLAPS:  # one loss for all numbers along some of the last axes
        axis = settings.get("axis")
        first = 0 if axis is None else min(a % y_pred.ndim for a in np.atleast_1d(axis))
    losses, slopes = np.empty(y_pred.shape[:first]), np.zeros(y_pred.shape)
    valid = np.ones(losses.shape, bool)
    y_true = np.asarray(y_true)
    if name in OVERLAPS and not first and weights is not None:
        given = np.asarray(weights, float)  # the one loss is multiplied by each of the weights
        shared = math.fsum(given.flat) / {
            "sum": 1, "mean_with_sample_weight": math.fsum(given.flat)}.get(reduction, given.size)
        value, slopes = batch_loss(name, settings, "sum", y_true, y_pred, None, constant)
        return shared * value, shared * slopes
    if name in ("Hinge", "SquaredHinge") and all(v in (0, 1) for v in y_true.flat):
        y_true = 2 * y_true - 1
    for at in np.ndindex(losses.shape):
        y, p = y_true[at], list(map(float, np.ravel(y_pred[at])))
        if name in LABELLED:
            valid[at] = y != settings.get("ignore_class")
            y = [float(i == y) for i in range(len(p))]
        losses[at], found = (ROWS[name](list(map(float, np.ravel(y))), p, settings, constant)
                             if valid[at] else (0.0, [0.0] * len(p)))
        slopes[at] = np.reshape(found, slopes[at].shape)
    given = np.ones(()) if weights is None else np.asarray(weights, float)
    each_weight = np.broadcast_to(given, losses.shape) * valid
    count = np.count_nonzero(valid)
    divisor = {"sum": 1, "mean_with_sample_weight": count}.get(reduction, count)
    if reduction == "mean_with_sample_weight" and weights is not None:
        divisor = math.fsum((given if valid.all() and "ignore_class" not in settings
                             else each_weight).flat)
    share = each_weight / divisor if divisor else 0 * each_weight
    share = np.reshape(share, share.shape + (1,) * (y_pred.ndim - share.ndim))
    return math.fsum((losses * share.reshape(losses.shape)).flat), slopes * share
