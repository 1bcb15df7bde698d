"""What a loss is computed against: labels that were checked once, and what each loss counts for.

A data set's labels are checked as a whole and become `Targets`. A batch of them becomes a `Batch`,
which also holds the factor that each single loss gets in the batch's loss: one over the number of
losses, times the sample's weight, or whatever the reduction asks for. A batch's loss is then a
plain sum of factor times loss, and may be computed block by block.
"""

import math

import numpy as np

from scratch.errors import UnsupportedError


class Targets(np.ndarray):
    """Labels or targets that a loss has checked; so are slices of them, which share this type."""


class Batch:
    """One batch's targets and factors; indexed by samples, as an array is.

    Attributes:
        targets: (batch, ...) class numbers or (batch, ..., width) rows, a plain array.
        factors: of each loss, a scalar or an array of the losses' shape (batch, ...).
        valid: which losses count at all, boolean of the losses' shape; None for all.
        width: how many numbers of `targets` belong to one loss; None for class numbers.
    """

    __slots__ = ("targets", "factors", "valid", "width")

    def __init__(self, targets: np.ndarray, factors, valid: np.ndarray | None = None,
                 width: int | None = None):
        self.targets = targets
        self.factors = factors
        self.valid = valid
        self.width = width

    @property
    def losses(self) -> int:
        """How many losses there are."""
        return self.targets.size // (self.width or 1)

    def rows(self) -> np.ndarray:
        """The targets, loss by loss: (losses,) class numbers or (losses, width)."""
        return self.targets.reshape(-1) if self.width is None else \
            self.targets.reshape(-1, self.width)

    @property
    def ndim(self) -> int:
        return self.targets.ndim

    def output_rows(self, y_pred: np.ndarray) -> np.ndarray:
        """The outputs, loss by loss, (losses, width); zeros where a loss does not count."""
        rows = y_pred.reshape(self.losses, -1)
        if self.valid is not None:  # there the outputs may be anything, NaN included
            rows = np.where(self.valid.reshape(-1, 1), rows, rows.dtype.type(0))
        return rows

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, samples) -> "Batch":
        """These samples alone, each counting for what it does in the whole batch."""
        factors = self.factors[samples] if np.ndim(self.factors) else self.factors
        valid = None if self.valid is None else self.valid[samples]
        return Batch(self.targets[samples], factors, valid, self.width)


def same_rank(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with as many axes, if they differ by one of length 1 at the end.

    The longer one loses it, unless the other has a single axis, which then gets a second one: the
    rule of Keras's `squeeze_or_expand_to_same_rank`.
    """
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[:, np.newaxis]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return (a[:, np.newaxis], b) if a.ndim == 1 else (a, b[..., 0])
    return a, b


def fitted(y_true, shape: tuple, dtype, name: str) -> np.ndarray:
    """Targets for outputs of that shape: one for each output, in their precision.

    Ranks are brought together by `same_rank`, so that targets (batch, rows) for outputs
    (batch, rows, 1) stay as they are. Axes of length 1 are stretched, except the batch's.

    Raises:
        ValueError: for targets of another shape.
    """
    given = np.asarray(y_true)
    targets, outputs = same_rank(given, np.broadcast_to(np.float32(0), shape))
    fits = (targets.ndim == outputs.ndim and len(targets) == len(outputs)
            and all(ours in (1, size) for ours, size in zip(targets.shape, outputs.shape)))
    if not fits:
        raise ValueError(f"{name}: expected targets of the outputs' shape {tuple(shape)}. "
                         f"Received: {given.shape}")
    return np.broadcast_to(targets.astype(dtype, copy=False), outputs.shape)


def counting(valid: np.ndarray | None, mask, shape: tuple, name: str) -> np.ndarray | None:
    """Which of the losses, of that shape, count: those that are valid and not masked; None for all.

    Raises:
        UnsupportedError: for a mask of another shape than the losses'.
    """
    if mask is None:
        return valid
    if tuple(np.shape(mask)) != tuple(shape):
        raise UnsupportedError(f"{name} does not support a mask of shape {np.shape(mask)} for "
                               f"losses of shape {tuple(shape)}. Expected: one loss for each step.")
    return mask if valid is None else mask & valid


def factors(shape: tuple, reduction: str, dtype, sample_weight=None, valid=None):
    """What each of the losses, of that shape, counts for in the batch's loss.

    Follows Keras's `reduce_weighted_values`: 'sum_over_batch_size' and 'mean' divide by the number
    of losses, weighted or not, though only by that of the valid ones; 'mean_with_sample_weight'
    divides by the sum of the weights as they were given; 'sum' does not divide. What would be
    divided by 0 counts for 0.

    Returns:
        A scalar if all count the same, else an array of that shape; in that precision.

    Raises:
        ValueError: for sample weights that do not stretch to the losses' shape.
    """
    dtype = np.dtype(dtype)
    if sample_weight is None and valid is None:
        return dtype.type(1 if reduction == "sum" else 1 / math.prod(shape))
    given = np.asarray(1 if sample_weight is None else sample_weight, dtype)
    try:
        weights = given
        if valid is not None:
            mask, weights = same_rank(valid, given) if given.ndim else (valid, given)
            weights = mask * weights
        each, weights = same_rank(np.broadcast_to(np.float32(0), shape), weights)
        stretched = np.broadcast_to(weights, each.shape).reshape(shape)
    except ValueError:
        example = shape[:1] if valid is None or len(shape) < 2 else (shape[0], 1)
        raise ValueError(f"Expected sample weights that stretch to the losses' shape {shape}, "
                         f"such as {example}. Received: {given.shape}") from None
    if reduction == "sum":
        return np.array(stretched)
    if reduction == "mean_with_sample_weight":
        divisor = weights.sum()
    else:
        divisor = dtype.type(math.prod(shape) if valid is None else np.count_nonzero(valid))
    return stretched / divisor if divisor else np.zeros(shape, dtype)
