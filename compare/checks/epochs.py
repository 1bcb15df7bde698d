"""Whole epochs of the candidate: `fit` and `evaluate` in several batches, the last one shorter.

What single steps do is judged elsewhere. Here it is seen whether `fit` makes those very steps, bit
for bit, and whether `evaluate` weights each batch by its size.
"""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from compare.checks.gate import Gate
from compare.checks.row import Row, bitwise, judge, raised
from compare.checks.training_trajectory import with_fresh_optimizer
from compare.oracle.running_error import Bounded
from compare.tracing import execution
from compare.tracing.layer_error import RAISED, of_model
from compare.tracing.trace import Trace
from compare.tracing.types import Network
from scratch.losses import JointLoss
from scratch.several import mapped

FIT, EVALUATE, SHUFFLED = "fit", "evaluate loss in batches", "fit shuffled"
EPOCHS = 2  # the second one begins where the first has led
TRIES = 20  # epochs of `LEAST` samples; by chance all come in order once in 10^31 times
LEAST = 3  # samples; fewer make no two batches of unequal size
ROUNDINGS = 8  # in putting two batches' means together, beyond those of one batch
# Each of these errs by no more than the unit times the mean of the absolute losses, of which the
# bound of the whole batch's mean holds at least LEAST / ROUNDINGS.
SHARE = 4


class Epoch(NamedTuple):
    """What `fit` and `evaluate` are given."""

    x: Any
    y: Any
    sample_weight: Any
    size: int

    def of(self, rows: np.ndarray) -> "Epoch":
        """These samples alone, one in each batch."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return Epoch(self.x[rows], self.y[rows], weight, 1)

    def batches(self) -> Iterator[tuple[Any, Any, Any]]:
        """Those that an epoch is made of, in the samples' order."""
        for start in range(0, len(self.x), self.size):
            rows = slice(start, start + self.size)
            yield (self.x[rows], self.y[rows],
                   None if self.sample_weight is None else self.sample_weight[rows])


def epoch_of(reference: Trace) -> Epoch | None:
    """The trace's batch, to be run in two batches of unequal size; None if it is too small, has no
    labels, or a network draws numbers, which no two runs have in common."""
    if reference.y is None or len(reference.x) < LEAST or any(
            part.noise is not None for part in reference.parts):
        return None
    size = len(reference.x) - max(1, len(reference.x) // 3)
    return Epoch(mapped(np.array, reference.x), reference.y, reference.sample_weight, size)


def rows(model: Network, reference: Trace, whole_loss: Bounded) -> list[Row]:
    """Rows for `fit` and `evaluate` of the candidate; none where no epoch can be run. That `fit`
    shuffles has a row only where it does not.

    Args:
        model: the candidate, compiled.
        reference: the trace whose batch is run.
        whole_loss: what `evaluate` gives for all samples in one batch.
    """
    epoch = epoch_of(reference)
    if epoch is None:
        return []
    found = []
    if is_mean_over_samples(model):
        found.append(_evaluated(model, epoch, whole_loss))
    return found + [row for row in (_fitted(model, epoch), _unshuffled(model, epoch)) if row]


def is_mean_over_samples(model: Network) -> bool:
    """Whether a batch's loss is a mean of as many numbers from each sample, and nothing else. It is
    not where some are left out, by a mask or as those of a class that is ignored, and the others
    divided by their own number."""
    losses = [term.loss for term in model.loss.terms] if isinstance(model.loss, JointLoss) else \
        [model.loss]
    return (all(getattr(loss, "reduction", "") in ("sum_over_batch_size", "mean")
                and not getattr(loss, "over_batch", False)
                and getattr(loss, "ignore_class", None) is None for loss in losses)
            and not any(getattr(model, "end_masks", ()))
            and not any(layer.activity_regularizer for layer in model.layers))


def _evaluated(model: Network, epoch: Epoch, whole_loss: Bounded) -> Row:
    copied = with_fresh_optimizer(model)
    try:
        made = np.asarray(copied.evaluate(epoch.x, epoch.y, batch_size=epoch.size, verbose=0,
                                          return_dict=True,
                                          **execution.weighted(epoch.sample_weight))["loss"])
    except RAISED as error:  # somebody's own method may raise anything
        return raised(Gate.WHOLE_NETWORK, "network", EVALUATE,
                      f"not run: {of_model(copied, error)}")
    bound = (SHARE * whole_loss.bound
             + whole_loss.rounding.gamma(ROUNDINGS) * np.abs(whole_loss.value))
    right = Bounded(whole_loss.value, whole_loss.rounding, bound)
    return judge(Gate.WHOLE_NETWORK, "network", EVALUATE, made, right.value.astype(model.dtype),
                 right)


def _fitted(model: Network, epoch: Epoch) -> Row | None:
    if not model.trainable_variables:
        return None
    try:
        right = in_single_steps(with_fresh_optimizer(model), epoch)
    except RAISED:  # a step that cannot be made is told by the gate 'lockstep'
        return None
    try:
        made = by_fit(model, epoch)
    except RAISED as error:
        return raised(Gate.WHOLE_NETWORK, "network", FIT, f"not run: {of_model(model, error)}")
    return bitwise(Gate.WHOLE_NETWORK, "network", FIT, made, right)


def _unshuffled(model: Network, epoch: Epoch) -> Row | None:
    """The row for a `fit` that takes samples as they come where it is asked to shuffle them."""
    if not model.trainable_variables:
        return None
    try:
        first = epoch.of(np.arange(LEAST))
        as_they_come = by_fit(model, first)
        if any(not np.array_equal(by_fit(model, first, shuffle=True), as_they_come, equal_nan=True)
               for _ in range(TRIES)):
            return None
        backwards = by_fit(model, epoch.of(np.arange(LEAST)[::-1]))
    except RAISED:  # what cannot be run at all is told by the gate 'lockstep' and by `_fitted`
        return None
    if np.array_equal(backwards, as_they_come, equal_nan=True):
        return None  # the order makes no difference
    return Row(Gate.WHOLE_NETWORK, "network", SHUFFLED, passed=False, used=np.inf, error=np.inf,
               max_abs=np.inf, max_rel=np.inf, off="candidate", kind="exact",
               note=f"with shuffle=True {LEAST} samples came in their own order {TRIES} times")


def by_fit(model: Network, epoch: Epoch, shuffle: bool = False) -> np.ndarray:
    """All weights, one after another, after `fit` on the epoch in the samples' order, or in another
    each time."""
    copied = with_fresh_optimizer(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is not computed in training, the report says itself
        copied.fit(epoch.x, epoch.y, batch_size=epoch.size, epochs=EPOCHS, shuffle=shuffle,
                   verbose=0, **execution.weighted(epoch.sample_weight))
    return flat(copied)


def in_single_steps(model: Network, epoch: Epoch) -> np.ndarray:
    """The same after one `train_on_batch` for each batch; the model itself is trained."""
    for _ in range(EPOCHS):
        one_epoch(model, epoch)
    return finished(model)


def finished(model: Network) -> np.ndarray:
    """All weights in one vector, moving averages in the places of those that have one."""
    for weight, average in zip(model.trainable_variables,
                               getattr(model.optimizer, "averages", ())):
        weight[...] = average
    return flat(model)


def one_epoch(model: Network, epoch: Epoch) -> None:
    """One `train_on_batch` for each batch."""
    for x, y, weight in epoch.batches():
        model.train_on_batch(x, y, **execution.weighted(weight))


def flat(model: Network) -> np.ndarray:
    """All weights in one vector."""
    return np.concatenate([np.ravel(weight) for weight in model.get_weights()])
