"""What every loss's oracle is, and how single losses become one: weights, masks, the mean.

A loss computes one number for each row of outputs. Independently of how many passes it takes,
an implementation multiplies each by a factor and adds them up: the factor has the exact value
weight / divisor here, and room for the roundings of a weight, a mask's total / valid, the division
of either the sum or each term, and, going back, of their products in any order.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.types import Config

EPSILON = 1e-7
FACTOR_ROUNDINGS = 6


class LossOracle:
    """Base of the oracles of losses.

    Args:
        config: the loss's Keras config.
        dtype: the audited precision.
    """

    def __init__(self, config: Config, dtype: DTypeLike) -> None:
        self.config = config
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.rounding = Rounding.of(dtype)

    def __call__(self, y: np.ndarray, output: Bounded, fused: bool,
                 sample_weight: np.ndarray | None = None, steps: np.ndarray | None = None
                 ) -> tuple[Bounded, Bounded]:
        """(the batch's loss, its gradient with respect to output), as `Bounded`; of the losses,
        one for each step, that a mask `steps` does not leave out."""
        y, mask, shape = self.paired(np.asarray(y), output.shape)
        rows = output.reshape(math.prod(shape), -1)  # (losses, width)
        if mask is not None:
            rows = rows.where(mask.reshape(-1, 1))
        if steps is not None:
            mask = steps if mask is None else mask & steps
        from_logits = bool(fused or self.config.get("from_logits"))
        losses, slopes = self.losses(y.reshape(len(rows.value), -1), rows, from_logits)
        factor = self.factors(shape, sample_weight, mask)  # (losses,)
        gradient = slopes * factor.reshape(-1, 1)
        return (losses * factor).sum(), gradient.reshape(*output.shape)

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        """(losses (n,), slopes (n, width)) of outputs (n, width)."""
        raise NotImplementedError

    def paired(self, y: np.ndarray, shape: tuple[int, ...]
               ) -> tuple[np.ndarray, np.ndarray | None, tuple[int, ...]]:
        """(targets as the losses' rows need them, what counts or None, the losses' shape).

        Targets and outputs whose ranks differ by a last axis of length 1 are brought together: the
        outputs lose it, unless there is one target for each sample.
        """
        if y.ndim == len(shape) + 1 and y.shape[-1] == 1:
            y = y[..., 0]
        elif y.ndim == len(shape) - 1 and shape[-1] == 1:
            y, shape = (y[:, None], shape) if y.ndim == 1 else (y, shape[:-1])
        return np.broadcast_to(self.cast(y), shape), None, shape[:-1]

    def cast(self, array: ArrayLike) -> np.ndarray:
        """Numbers as the audited precision holds them, in float64."""
        return np.asarray(array, self.dtype).astype(np.float64)

    def constant(self, number: float) -> float:
        """A constant as the audited precision holds it."""
        return float(self.dtype.type(number))

    def factors(self, shape: tuple[int, ...], sample_weight: np.ndarray | None = None,
                mask: np.ndarray | None = None) -> Bounded:
        """What each loss counts for in the batch's, (losses,)."""
        reduction = self.config.get("reduction", "sum_over_batch_size")
        count = math.prod(shape)
        if sample_weight is None and mask is None and reduction == "sum":
            return Bounded(np.ones(count), self.rounding)
        weights = np.ones(shape) if mask is None else mask.astype(np.float64)
        if sample_weight is not None:
            given = self.cast(sample_weight)
            if mask is None:
                weights = stretched(given, shape)
            else:
                weights = weights * stretched(given, shape)
        divisor, own = float(count if mask is None else mask.sum()), 0.0
        if reduction == "sum":
            divisor = 1.0
        elif reduction == "mean_with_sample_weight" and (sample_weight is not None
                                                         or mask is not None):
            divisor, own = self._sum_of_weights(weights, sample_weight, mask)
        each = np.broadcast_to(weights, shape).reshape(-1)
        value = each / divisor if divisor else np.zeros(count)
        relative = self.rounding.gamma(FACTOR_ROUNDINGS) + own
        return Bounded(value, self.rounding, np.abs(value) * relative)

    def _sum_of_weights(self, weights: np.ndarray, sample_weight: np.ndarray | None,
                        mask: np.ndarray | None) -> Any:
        """(the sum of the weights as they were given, the relative error it may have)."""
        total = float(weights.sum())
        magnitude = float(np.abs(weights).sum())
        gamma = self.rounding.gamma(weights.size) * magnitude
        if abs(total) <= gamma:
            return total, (0.0 if magnitude == 0 else np.inf)
        return total, gamma / (abs(total) - gamma)

    def rounded(self, bounded: Bounded, roundings: int) -> Bounded:
        """With room for so many roundings more, relative to the value."""
        gamma = self.rounding.gamma(roundings)
        error = bounded.bound + gamma * (np.abs(bounded.value) + bounded.bound)
        return Bounded(bounded.value, self.rounding, error)

    def mean(self, values: Bounded) -> Bounded:
        """The mean over the last axis."""
        return values.sum(axis=-1) * self.share(values)

    def share(self, values: Bounded) -> Bounded:
        """1 / (length of the last axis)."""
        share = 1 / values.shape[-1]
        exact = share == self.constant(share)  # a power of 2
        return Bounded(share, self.rounding, None if exact else self.rounding.unit * share)


def stretched(weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Weights that stretch to the losses' shape, an axis of length 1 at the end taken off or on."""
    if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
        return weights[..., 0]
    if weights.ndim == len(shape) - 1 and shape[-1] == 1:
        return weights[..., None]
    return weights


def through_clip(gradient: Bounded, p: Bounded, low: float, high: float) -> Bounded:
    """The gradient where clipping leaves p as it is; open where rounding may decide on it."""
    passed = gradient.where((p.value >= low) & (p.value <= high))
    margin = np.minimum(np.abs(p.value - low), np.abs(p.value - high))
    return opened(passed, gradient, (p.bound > 0) & (margin <= p.bound))


def opened(passed: Bounded, whole: Bounded, open_: np.ndarray) -> Bounded:
    """`passed`, but where it is open whether anything is passed, with room for all or nothing."""
    if not open_.any():
        return passed
    error = np.where(open_, np.abs(whole.value) + whole.bound, passed.bound)
    return Bounded(passed.value, passed.rounding, error)
