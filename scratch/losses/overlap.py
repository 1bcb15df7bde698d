"""Losses of segmentation: how much of two regions they have in common."""

import numpy as np

from scratch.errors import UnsupportedError
from scratch.losses.base import EPSILON, Loss
from scratch.losses.targets import Batch, counting, factors


class Overlap(Loss):
    """Base: one loss for all numbers along some axes.

    Args:
        axis: the last axes of the targets, such as (1, 2, 3) for a loss of each image; None for all
            of them, the batch's among them: the batch then has a single loss.

    Raises:
        UnsupportedError: for other axes.
    """

    def __init__(self, axis=None, **settings):
        super().__init__(**settings)
        axes = [axis] if isinstance(axis, int) else axis
        if axes is not None:
            axes = sorted(axes, key=lambda a: (a < 0, a))
            if not axes or any(b - a != 1 for a, b in zip(axes, axes[1:])) or (
                    axes[0] < 0 and axes[-1] != -1):
                raise UnsupportedError(f"Loss {type(self).__name__} does not support axis="
                                       f"{axis!r}. Expected None, or the last axes, one after "
                                       "another.")
        self.axis = axis
        self._axes = axes

    @property
    def over_batch(self):
        return self.axis is None or 0 in self._axes

    def weigh(self, y_true, sample_weight, dtype, mask=None):
        targets = np.ascontiguousarray(y_true.view(np.ndarray))
        shape = targets.shape[:self._first(targets.ndim)]
        if shape:
            share = factors(shape, self.reduction, dtype, sample_weight,
                            counting(None, mask, shape, type(self).__name__))
        else:
            counting(None, mask, shape, type(self).__name__)  # which refuses one
            share = np.ones((), dtype)
            if sample_weight is not None:  # Keras multiplies the one loss by each of the weights
                given = np.asarray(sample_weight, dtype)
                share = factors(given.shape, self.reduction, dtype, given).sum()
        return Batch(targets, share, None, targets.size // max(1, int(np.prod(shape))))

    def _first(self, rank: int) -> int:
        """The first axis along which there is one loss."""
        if self._axes is None:
            return 0
        first = self._axes[0] % rank
        if first + len(self._axes) != rank:
            raise UnsupportedError(f"Loss {type(self).__name__} does not support axis="
                                   f"{self.axis!r} for targets of {rank} axes. Expected the last "
                                   "ones.")
        return first

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class Dice(Overlap):
    """1 - 2 sum(y p) / (sum(y) + sum(p) + 1e-7)."""

    default_name = "dice"

    def rows(self, targets, y_pred, from_logits):
        both = 2 * (targets * y_pred).sum(axis=1, keepdims=True)
        total = (targets.sum(axis=1, keepdims=True) + y_pred.sum(axis=1, keepdims=True)
                 + y_pred.dtype.type(EPSILON))
        return 1 - (both / total)[:, 0], both / total / total - 2 * targets / total


class Tversky(Overlap):
    """1 - s / (s + alpha sum(y (1 - p)) + beta sum(p (1 - y)) + 1e-7), s = sum(y p).

    Args:
        alpha: what the true that are missed count for (Keras calls them false positives).
        beta: what is found and not true counts for.
        axis: see `Overlap`.
    """

    default_name = "tversky"

    def __init__(self, alpha=0.5, beta=0.5, axis=None, **settings):
        super().__init__(axis, **settings)
        self.alpha, self.beta = alpha, beta

    def rows(self, targets, y_pred, from_logits):
        alpha, beta = y_pred.dtype.type(self.alpha), y_pred.dtype.type(self.beta)
        both = (targets * y_pred).sum(axis=1, keepdims=True)
        missed = (targets * (1 - y_pred)).sum(axis=1, keepdims=True)
        extra = (y_pred * (1 - targets)).sum(axis=1, keepdims=True)
        total = both + missed * alpha + extra * beta + y_pred.dtype.type(EPSILON)
        change = targets - targets * alpha + (1 - targets) * beta  # of the total, with p
        return 1 - (both / total)[:, 0], both / total / total * change - targets / total

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta}
