"""The referee for cross-entropy and for the optimizer's step, with bounds."""

import numpy as np

from compare.referee.bounded import Bounded
from compare.referee.layers import softmax

EPSILON = 1e-7


def targets_of(y, classes: int, sparse: bool) -> np.ndarray:
    """Labels as rows (samples, classes): class numbers are spread out, one-hot rows kept."""
    y = np.asarray(y)
    if sparse:
        return np.eye(classes)[y.reshape(-1).astype(int)]
    return y.reshape(-1, classes).astype(np.float64)


def cross_entropy(y, output: Bounded, from_logits: bool, sparse: bool, dtype):
    """(mean loss, its gradient with respect to output), as `Bounded`.

    From logits: log sum exp(z) - z[label]. From probabilities Keras clips to [1e-7, 1 - 1e-7]; for
    class numbers it takes logs and treats them as logits, for one-hot rows it divides by the sum
    first and takes -sum y log p.
    """
    classes = output.shape[-1]
    rows = output.reshape(-1, classes)
    targets = targets_of(y, classes, sparse)
    low, high = float(dtype.type(EPSILON)), float(dtype.type(1 - EPSILON))
    if from_logits:
        losses, gradient = _from_logits(targets, rows)
    elif sparse:
        clipped = rows.clip(low, high)
        losses, gradient = _from_logits(targets, clipped.log())
        gradient = through_clip(gradient / clipped, rows, low, high)
    else:
        losses, gradient = _from_probabilities(targets, rows, low, high)
    share = Bounded(1 / len(targets), output.rounding, output.rounding.unit / len(targets))
    return losses.sum() * share, (gradient * share).reshape(*output.shape)


def _from_logits(targets, z: Bounded):
    shift = Bounded(z.value.max(axis=1, keepdims=True), z.rounding)
    shifted = z - shift
    log_sum = shifted.exp().sum(axis=1, keepdims=True).log()
    losses = ((log_sum - shifted) * targets).sum(axis=1)
    return losses, softmax(z, 1) - targets


def _from_probabilities(targets, p: Bounded, low: float, high: float):
    sums = p.sum(axis=1, keepdims=True)
    q = p / sums
    clipped = q.clip(low, high)
    losses = -(clipped.log() * targets).sum(axis=1)
    dq = through_clip(Bounded(-targets, p.rounding) / clipped, q, low, high)
    return losses, (dq - (dq * q).sum(axis=1, keepdims=True)) / sums


def through_clip(gradient: Bounded, p: Bounded, low: float, high: float) -> Bounded:
    """The gradient where clipping leaves p as it is; open where rounding may decide on it."""
    passed = gradient.where((p.value >= low) & (p.value <= high))
    margin = np.minimum(np.abs(p.value - low), np.abs(p.value - high))
    open_ = (p.bound > 0) & (margin <= p.bound)
    if not open_.any():
        return passed
    error = np.where(open_, np.abs(gradient.value) + gradient.bound, passed.bound)
    return Bounded(passed.value, passed.rounding, error)


def sgd_step(weight: Bounded, gradient: Bounded, config: dict) -> Bounded:
    """A weight after the first step of SGD, whose momentum starts at zero.

    The config's learning rate is the number in use, rounded to the weights' precision; the momentum
    Keras casts through float32 even for float64 weights.
    """
    rate = config["learning_rate"]
    if gradient.rounding.unit > 2.0**-50:
        rate = float(np.float32(rate))
    step = gradient * rate
    if not config.get("nesterov") or not config.get("momentum"):
        return weight - step
    beta = float(np.float32(config["momentum"]))
    return weight - (step * beta + step)
