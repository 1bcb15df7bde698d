"""The oracle for the cosine similarity."""

import numpy as np

from compare.oracle.losses.base import EPSILON, LossOracle
from compare.oracle.running_error import Bounded
from compare.oracle.unit_length import UnitVectors


class CosineSimilarity(LossOracle):
    """-sum(y p), both over their length, which is taken to be 1e-7 at least."""

    def losses(self, y: np.ndarray, rows: Bounded, from_logits: bool) -> tuple[Bounded, Bounded]:
        targets = UnitVectors(Bounded(y, self.rounding), (1,), EPSILON).values
        made = UnitVectors(rows, (1,), EPSILON)
        return -(targets * made.values).sum(axis=1), made.backward(-targets)
