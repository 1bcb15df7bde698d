"""How far two directions are the same."""

import numpy as np

from scratch.layers.unit_length import unit, unit_backward
from scratch.losses.base import EPSILON, Loss

AXES = (1,)  # of rows


class CosineSimilarity(Loss):
    """-sum(y p) over the last axis, y and p first divided by their lengths: -1 where they point the
    same way. A row shorter than 1e-7 is divided by that number."""

    default_name = "cosine_similarity"
    neutral = {"axis": (-1,)}

    def prepared(self, targets):
        return unit(np.array(targets), (targets.ndim - 1,), EPSILON).values

    def rows(self, targets, y_pred, from_logits):
        made = unit(y_pred, AXES, EPSILON)
        return -(targets * made.values).sum(axis=1), unit_backward(-targets, made, AXES)
