"""The circle loss of embeddings: pairs of one class are to be near, pairs of two classes far."""

import numpy as np

from scratch.activations.smooth import sigmoid_function, softplus_function
from scratch.losses.base import Loss, floating
from scratch.losses.targets import Batch, counting, factors

LARGEST_LABEL = 2**24  # up to there float32, in which Keras compares labels, holds whole numbers


class Circle(Loss):
    """softplus(log sum exp(gamma max(d + m, 0) (d - m)) + log sum exp(gamma max(1 + m - d, 0)
    (1 - m - d))) for each sample e, d = max(1 - e f, 0) its distances: in the first sum to the
    samples f of its own class, in the second to all others (Sun et al., Circle Loss, 2020, equation
    6; the factors max(...) take part in the gradient, as in Keras and unlike in the paper).

    Outputs are (batch, width), of length 1 to make sense, labels whole numbers (batch,) or
    (batch, 1). A sample without a partner in one of the sums has the loss 0. The mean is that of
    the losses above 0; one below the smallest normal number is 0, as in TensorFlow.

    Args:
        gamma: what the sums' exponents are multiplied by.
        margin: m.
        remove_diagonal: whether a sample is no partner of its own.

    Raises:
        ValueError: for labels or outputs of another shape, and labels that are no whole numbers.
    """

    default_name = "circle"
    over_batch = True

    def __init__(self, gamma=80.0, margin=0.4, remove_diagonal=True, **settings):
        super().__init__(**settings)
        self.gamma, self.margin, self.remove_diagonal = gamma, margin, remove_diagonal

    def forward(self, y_true, y_pred, from_logits=None, sample_weight=None, mask=None):
        embeddings = floating(y_pred)
        batch = y_true
        if not isinstance(batch, Batch):
            checked = self.checked(y_true, embeddings.shape, embeddings.dtype)
            batch = self.weigh(checked, sample_weight, embeddings.dtype, mask)
        losses, slopes = self.pairs(batch.targets, embeddings)
        share = self.shares(losses, batch)
        slopes *= share[:, np.newaxis]  # of the sum of all, by each distance
        self._gradient = -(slopes @ embeddings + slopes.T @ embeddings)
        return (losses * share).sum()

    def each(self, y_true, y_pred):
        embeddings = floating(y_pred)
        targets = self.checked(np.asarray(y_true), embeddings.shape, embeddings.dtype)
        losses, _ = self.pairs(targets.view(np.ndarray), embeddings)
        counts = above_zero(losses)
        return losses * counts, counts

    def targets(self, y_true, shape, dtype):
        labels = np.asarray(y_true)
        if len(shape) != 2 or labels.shape not in (shape[:1], (shape[0], 1)):
            raise ValueError(f"Circle: expected labels of shape (batch,) or (batch, 1) for outputs "
                             f"of shape (batch, width). Received: labels of shape {labels.shape}, "
                             f"outputs of shape {shape}")
        labels = labels.reshape(-1)
        with np.errstate(invalid="ignore"):
            wrong = np.flatnonzero(~((labels % 1 == 0) & (abs(labels) <= LARGEST_LABEL)))
        if len(wrong):
            raise ValueError(f"Circle: expected labels to be whole numbers of at most "
                             f"{LARGEST_LABEL} in size. Received: {labels[wrong[0]]} (label number "
                             f"{wrong[0]} of {len(labels)})")
        return labels.astype(np.int64)

    def weigh(self, y_true, sample_weight, dtype, mask=None):
        """One batch, with the weights of its losses: by what they are divided, the losses tell."""
        labels = y_true.view(np.ndarray)
        counted = counting(None, mask, labels.shape, type(self).__name__)
        return Batch(labels, factors(labels.shape, "sum", dtype, sample_weight, counted), counted)

    def shares(self, losses: np.ndarray, batch: Batch) -> np.ndarray:
        """What each of the losses (n,) counts for in the batch's."""
        counts = above_zero(losses) if batch.valid is None else above_zero(losses) & batch.valid
        weights = batch.factors * counts.astype(losses.dtype)
        if self.reduction == "sum":
            return weights
        divisor = (weights.sum() if self.reduction == "mean_with_sample_weight"
                   else losses.dtype.type(np.count_nonzero(counts)))
        return weights / divisor if divisor else np.zeros_like(weights)

    def pairs(self, labels: np.ndarray, embeddings: np.ndarray):
        """(losses (n,), their slopes by 1 - e f (n, n)), new arrays, for embeddings (n, width)."""
        number = embeddings.dtype.type
        gamma, m = number(self.gamma), number(self.margin)
        alike = labels[:, np.newaxis] == labels
        near = alike & ~np.eye(len(labels), dtype=bool) if self.remove_diagonal else alike
        apart = 1 - embeddings @ embeddings.T
        d = np.maximum(apart, 0)
        near_by, far_off = d + m, number(1 + self.margin) - d
        pull, push = np.maximum(near_by, 0), np.maximum(far_off, 0)
        short, beyond = m - d, number(1 - self.margin) - d
        attraction, pulled = log_sum_exp(-gamma * pull * short, near)
        repulsion, pushed = log_sum_exp(gamma * push * beyond, ~alike)
        total = attraction + repulsion
        # both factors move with d, but a weight only where it is not cut off
        slopes = gamma * (pulled * (pull - short * (near_by >= 0))
                          - pushed * (push + beyond * (far_off >= 0)))
        slopes *= sigmoid_function(total)[:, np.newaxis] * (apart >= 0)
        return softplus_function(total), slopes

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma, "margin": self.margin,
                "remove_diagonal": self.remove_diagonal}


def above_zero(losses: np.ndarray) -> np.ndarray:
    """Which losses count; what is below the smallest normal number TensorFlow has made 0."""
    return losses >= np.finfo(losses.dtype).tiny


def log_sum_exp(z: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(log sum exp of each row (n,), -inf of none; each number's share in it (n, n))."""
    z = np.where(among, z, z.dtype.type(-np.inf))
    largest = z.max(axis=1, keepdims=True)
    largest[~among.any(axis=1)] = 0
    powers = np.exp(z - largest)
    sums = powers.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        logs = np.log(sums)
    return (logs + largest)[:, 0], powers / np.where(sums > 0, sums, 1)
