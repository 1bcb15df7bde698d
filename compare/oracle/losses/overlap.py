"""Oracles for losses of segmentation: one loss for all numbers along some axes."""

import numpy as np

from compare.oracle.losses.base import EPSILON, LossOracle
from compare.oracle.running_error import Bounded


class Overlap(LossOracle):
    """Base: a share of two regions that they have in common, taken from 1.

    The loss is 1 - n / d, n and d being sums over a region that are linear in each output p. Its
    slope is n' (-1 / d) + d' n / d^2, in which the factors may be multiplied in any order.
    """

    def paired(self, y: np.ndarray, shape: tuple[int, ...]
               ) -> tuple[np.ndarray, np.ndarray | None, tuple[int, ...]]:
        y, _, _ = super().paired(y, shape)
        rank, axis = y.ndim, self.config.get("axis")
        first = 0 if axis is None else min(a % rank for a in np.atleast_1d(axis))
        return y, None, y.shape[:first]

    def factors(self, shape: tuple[int, ...], sample_weight: np.ndarray | None = None,
                mask: np.ndarray | None = None) -> Bounded:
        if shape or sample_weight is None:
            return super().factors(shape, sample_weight, mask)
        # Keras multiplies the one loss by each of the weights
        given = self.cast(sample_weight)
        each = super().factors(given.shape, sample_weight, mask)
        return each.sum().reshape(1)

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        targets, p = Bounded(y, self.rounding), rows.flushed()
        share, size, share_slope, size_slope = self.parts(targets, p)
        size = size + self.constant(EPSILON)
        losses = Bounded(1.0, self.rounding) - share / size
        # the quotient's slope comes in once more where d has n in it, as a term of its own
        slopes = size_slope * (share / size / size) - share_slope / size
        return losses.reshape(-1), slopes

    def parts(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded, Bounded, Bounded]:
        """(n, d, slopes of n, slopes of d); the sums (losses, 1), the slopes (losses, width)."""
        raise NotImplementedError

    def ones(self, like: Bounded) -> Bounded:
        return Bounded(np.ones(like.shape), self.rounding)


class Dice(Overlap):
    """1 - 2 sum(y p) / (sum(y) + sum(p) + 1e-7)."""

    def parts(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded, Bounded, Bounded]:
        size = y.sum(axis=1, keepdims=True) + p.sum(axis=1, keepdims=True)
        return (y * p).sum(axis=1, keepdims=True) * 2.0, size, y * 2.0, self.ones(p)


class Tversky(Overlap):
    """1 - s / (s + alpha sum(y (1 - p)) + beta sum(p (1 - y)) + 1e-7), s = sum(y p).

    TensorFlow adds up the slopes that come in by s, by either sum and by the quotient one after the
    other, each rounded: the size of every one of them counts.
    """

    def parts(self, y: Bounded, p: Bounded) -> tuple[Bounded, Bounded, Bounded, Bounded]:
        alpha = self.constant(self.config.get("alpha", 0.5))
        beta = self.constant(self.config.get("beta", 0.5))
        one = self.ones(p)
        both = (y * p).sum(axis=1, keepdims=True)
        missed = (y * (one - p)).sum(axis=1, keepdims=True) * alpha
        extra = (p * (one - y)).sum(axis=1, keepdims=True) * beta
        slope = y - y * alpha + (one - y) * beta
        size = both + missed + extra
        scale = self.rounding.gamma(4) * (np.abs(y.value) * (1 + abs(alpha))
                                          + np.abs(1 - y.value) * abs(beta))
        return both, size, y, Bounded(slope.value, self.rounding, slope.bound + scale)
