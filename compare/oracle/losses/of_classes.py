"""Oracles for losses over classes other than cross-entropy."""

import numpy as np

from compare.oracle.elementary import power
from compare.oracle.losses.base import LossOracle, opened
from compare.oracle.losses.categorical import SparseCategoricalCrossentropy
from compare.oracle.running_error import Bounded, largest


class CategoricalHinge(LossOracle):
    """max(max((1 - y) p) - sum(y p) + 1, 0), with the slope of its inside at 0 too.

    Classes that tie for the largest share the slope; where rounding leaves open which class is the
    largest, or on which side of 0 the inside lies, it may be any share.
    """

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        targets, one = Bounded(y, self.rounding), Bounded(1.0, self.rounding)
        others = (one - targets) * rows
        exact = self._exact(y, rows)
        value, error = largest(others.value, others.bound, self.rounding.tiny, 1, keepdims=True)
        most = Bounded(value, self.rounding, error)
        short = most - (targets * rows).sum(axis=1, keepdims=True) + 1.0
        won = others.value == value
        share = won / won.sum(axis=1, keepdims=True)
        doubt = np.abs(others.value - value) <= others.bound + error
        settled = (exact | ~doubt).all(axis=1, keepdims=True)  # equal numbers tie on every side
        tied = doubt & (doubt.sum(axis=1, keepdims=True) > 1) & ~settled
        share_error = np.where(tied, np.maximum(share, 1 - share), self.rounding.unit * share)
        slopes = (one - targets) * Bounded(share, self.rounding, share_error) - targets
        passed = slopes.where(short.value >= 0)
        # of exact numbers a - b + 1 is 0 in any order, if it is
        met = (short.value == 0) & exact.all(axis=1, keepdims=True) & np.isin(y, (0, 1)).all(
            axis=1, keepdims=True)
        open_ = np.broadcast_to((np.abs(short.value) <= short.bound) & ~met, rows.shape)
        losses = Bounded(np.maximum(short.value, 0.0), self.rounding, short.error)
        return losses.reshape(-1), opened(passed, slopes, open_)

    def _exact(self, y: np.ndarray, rows: Bounded) -> np.ndarray:
        """Where (1 - y) p is exact: outputs without an error, of 0 or with targets of 0 and 1."""
        size = np.abs(rows.value)
        whole = np.isin(y, (0, 1)) & (size >= self.rounding.tiny)
        return np.asarray((rows.bound == 0) & ((size == 0) | whole))


class CategoricalGeneralizedCrossEntropy(SparseCategoricalCrossentropy):
    """(1 - p[label]^q) / q."""

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        q = self.constant(self.config.get("q", 0.5))
        p = rows.where(y == 1).sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            slope = power(p, q - 1)
        # TensorFlow's is q p^(q - 1) / q
        slope = self.rounded(slope, 4)
        full = Bounded(np.broadcast_to(-slope.value, y.shape), self.rounding,
                       np.broadcast_to(slope.bound, y.shape))
        losses = (Bounded(1.0, self.rounding) - power(p, q)) / q
        return losses.reshape(-1), full.where(y == 1)
