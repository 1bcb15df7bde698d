"""Softmax of scores of which a mask leaves some out, as attentions have it.

What is left out gets a score far below all others, of which exp makes zero: its weight, and what is
sent back to its score, are exactly 0. A row of which nothing is left is another matter:

- `Left`: all its scores are one and the same number, so all weights are 1 / K; or they are set to
  zero afterwards. No gradient passes to the scores.
- `Shifted`: 1e9 is taken off each score. That rounds to a multiple of 64 in float32, so of scores
  below 32 it makes one number, -1e9, exactly; in float64 each is off by 1e9 u at most. The gradient
  passes.
"""

import numpy as np

from compare.oracle.layers.softmax import softmax
from compare.oracle.running_error import Bounded

SHIFT = 1e9
FAR = 1e4  # exp of minus that is 0 in every precision
LOST = 32.0  # scores below it are lost in float32 when SHIFT is taken off


class Seen:
    """Nothing is left out."""

    def weights(self, scores: Bounded) -> Bounded:
        """The weights, along the last axis of the scores."""
        return softmax(scores, -1)

    def back(self, ds: Bounded) -> Bounded:
        """What is sent back to the scores, given that without masks."""
        return ds


EVERYTHING = Seen()


class Left(Seen):
    """Scores are left where `seen`, of a shape that broadcasts to theirs.

    Args:
        alike: whether rows without any left weigh all alike; else they weigh nothing.
    """

    def __init__(self, seen: np.ndarray, alike: bool = True) -> None:
        self.seen, self.alike = seen, alike
        self.any = seen.any(axis=-1, keepdims=True)

    def blind(self, scores: Bounded) -> Bounded:
        """The scores of rows of which nothing is left: one number."""
        return Bounded(np.zeros(scores.shape), scores.rounding)

    def weights(self, scores: Bounded) -> Bounded:
        seen = np.broadcast_to(self.seen, scores.shape)
        largest = np.where(seen, scores.value, -np.inf).max(axis=-1, keepdims=True)
        blind = self.blind(scores)
        value = np.where(seen, scores.value, np.where(self.any, largest - FAR, blind.value))
        bound = np.where(seen, scores.bound, np.where(self.any, 0.0, blind.bound))
        made = softmax(Bounded(value, scores.rounding, bound), -1)
        return made.where(seen | ~self.any if self.alike else seen)

    def back(self, ds: Bounded) -> Bounded:
        return ds.where(np.broadcast_to(self.seen, ds.shape))


class Shifted(Left):
    """Of scores that are left out 1e9 is taken off."""

    def blind(self, scores: Bounded) -> Bounded:
        unit, size = scores.rounding.unit, np.abs(scores.value)
        bound = scores.bound + unit * (SHIFT + size + scores.bound)
        if unit < 1e-10:
            return Bounded(scores.value, scores.rounding, bound)
        lost = (size + scores.bound < LOST).all(axis=-1, keepdims=True)
        return Bounded(np.where(lost, 0.0, scores.value), scores.rounding,
                       np.where(lost, 0.0, bound))

    def back(self, ds: Bounded) -> Bounded:
        return ds.where(np.broadcast_to(self.seen | ~self.any, ds.shape))
