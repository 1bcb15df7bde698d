"""What `fit` and `evaluate` make of an epoch, beside what usual mistakes would make of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from compare.checks.counted_metrics import EVALUATE as METRIC
from compare.checks.epochs import (
    EPOCHS,
    FIT,
    Epoch,
    by_fit,
    epoch_of,
    finished,
    flat,
    one_epoch,
)
from compare.checks.epochs import EVALUATE as LOSS
from compare.checks.row import Row
from compare.checks.training_trajectory import with_fresh_optimizer
from compare.diagnosis.finding import Cause
from compare.tracing import execution
from compare.tracing.layer_error import RAISED
from compare.tracing.optimizer_steps import restart
from compare.tracing.trace import Trace

CLOSE = 1e-5  # two losses nearer than this, relative to the larger, are one


def cause_of_epoch(row: Row, model: Any, reference: Trace) -> Cause | None:
    """The mistake that gives just what a row of `compare.checks.epochs` shows; None for others.

    Args:
        model: the candidate, compiled.
        reference: the trace whose batch is run.
    """
    epoch = epoch_of(reference)
    if epoch is None:
        return None
    try:
        if row.tensor != FIT:
            return _of_evaluate(row, model, epoch)
        made = by_fit(model, epoch)
        return next((cause for cause, weights in _trained_otherwise(model, epoch)
                     if np.array_equal(made, weights)), None)
    except RAISED:  # somebody's own method may raise anything
        return None


def _of_evaluate(row: Row, model: Any, epoch: Epoch) -> Cause | None:
    if row.actual is None or row.expected is None:
        return None

    figure = "loss" if row.tensor == LOSS else row.tensor.removeprefix(METRIC)

    def loss(x, y, weight) -> float:
        made = with_fresh_optimizer(model).test_on_batch(x, y, return_dict=True,
                                                         **execution.weighted(weight))
        return float(made[figure])

    losses = [loss(*batch) for batch in epoch.batches()]
    others = {("mean-over-batches", "the mean of each batch counts alike"): np.mean(losses),
              ("mean-over-batches", "the last batch's stands for all"): losses[-1],
              ("mean-over-batches", "those of the batches are added up"): np.sum(losses),
              ("last-batch", "it is left out"): losses[0],
              ("last-batch", "it is filled up with the first samples"): np.mean(
                  [loss(*batch) for batch in filled_up(epoch).batches()])}
    for (identifier, said), other in others.items():
        near = CLOSE * max(abs(other), abs(row.expected))
        if abs(row.actual - other) <= near < abs(row.actual - row.expected):
            return Cause(identifier, said)
    return None


def _trained_otherwise(model: Any, epoch: Epoch) -> Iterator[tuple[Cause, np.ndarray]]:
    """Mistakes, and the weights that training with each of them leads to."""
    if getattr(model.optimizer, "averages", None) is not None and model.optimizer.use_ema:
        trained = with_fresh_optimizer(model)
        for _ in range(EPOCHS):
            one_epoch(trained, epoch)
        yield Cause("moving-average", "it does not take the weights' places at the end of fit"), \
            flat(trained)
    whole = len(epoch.x) // epoch.size * epoch.size
    weight = epoch.sample_weight
    for identifier, said, other in [
            ("last-batch", "it is left out", epoch._replace(
                x=epoch.x[:whole], y=epoch.y[:whole],
                sample_weight=None if weight is None else weight[:whole])),
            ("last-batch", "it is filled up with the first samples", filled_up(epoch)),
            ("batch-order", "the samples come in reverse", epoch._replace(
                x=epoch.x[::-1], y=epoch.y[::-1],
                sample_weight=None if weight is None else weight[::-1]))]:
        trained = with_fresh_optimizer(model)
        for _ in range(EPOCHS):
            one_epoch(trained, other)
        yield Cause(identifier, said), finished(trained)
    trained = with_fresh_optimizer(model)
    for _ in range(EPOCHS):
        restart(trained)
        one_epoch(trained, epoch)
    yield Cause("optimizer-state", "each epoch begins with a fresh optimizer"), finished(trained)
    for steps, said in ((0, "each epoch begins its schedule anew"),
                        (1, "it counts epochs, not steps"), (10, "each epoch counts for 10 steps"),
                        (100, "each epoch counts for 100 steps")):
        trained = with_fresh_optimizer(model)
        for number in range(EPOCHS):
            trained.optimizer.iterations = steps * number
            one_epoch(trained, epoch)
        yield Cause("learning-rate-schedule", said), finished(trained)


def filled_up(epoch: Epoch) -> Epoch:
    """The last batch filled up with the first samples."""
    missing = -len(epoch.x) % epoch.size

    def more(a: np.ndarray) -> np.ndarray:
        return np.concatenate([a, a[:missing]])

    weight = epoch.sample_weight
    return epoch._replace(x=more(epoch.x), y=more(epoch.y),
                          sample_weight=None if weight is None else more(weight))
