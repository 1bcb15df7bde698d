"""The oracle for the Kullback-Leibler divergence."""

import numpy as np

from compare.oracle.losses.base import EPSILON, LossOracle, through_clip
from compare.oracle.running_error import Bounded


class KLDivergence(LossOracle):
    """sum y log(y / p), y and p clipped to [1e-7, 1].

    Its slope, -y / p, comes out of TensorFlow as y / (y / p) times -(y / p) / p: 8 roundings more.
    """

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        low = self.constant(EPSILON)
        targets = Bounded(np.clip(y, low, 1.0), self.rounding)
        clipped = rows.clip(low, 1.0)
        losses = (targets * (targets / clipped).log()).sum(axis=1)
        slopes = self.rounded(-targets / clipped, 8)
        return losses, through_clip(slopes, rows, low, 1.0)
