"""What a batch is cut into: a step for each sample, or gradients that are made in two halves."""

from collections.abc import Callable, Iterator

from compare.diagnosis.hypotheses.training_loop.batches import half, samples
from compare.diagnosis.hypotheses.training_loop.plan import Plan, Weights, by_other_gradients
from compare.diagnosis.training_run import (
    TrainingRun,
    gradients_of,
    passed,
    with_batch,
    with_weights,
)
from compare.oracle.running_error import Bounded


def of_parts() -> list[Plan]:
    return [
        Plan("update-per-sample", "each sample makes a step of its own", _sample_by_sample),
        _in_halves("mean-over-batches", "the gradients of the two halves of a batch count alike, "
                   "although one has a sample more", lambda a, b: (a + b) * 0.5),
        _in_halves("gradient-accumulated", "the gradients of the two halves of a batch, each a "
                   "mean, are added", lambda a, b: a + b)]


def _sample_by_sample(run: TrainingRun) -> Iterator[Weights]:
    optimizer = run.optimizer()
    for step in run.steps:
        weights = step.before
        for i in range(len(step.batch.x)):
            trace = with_batch(with_weights(step.trace, weights),
                               samples(step.batch, slice(i, i + 1)))
            weights = run.moved(optimizer, weights, passed(trace))
        yield weights


def _in_halves(identifier: str, said: str, join: Callable[[Bounded, Bounded], Bounded]) -> Plan:
    def made(run, t):
        batch = run.steps[t].batch
        if len(batch.x) < 2:
            return run.made(t)
        n = half(batch)
        first, second = (run.made(t, samples(batch, taken), taken.start)
                         for taken in (slice(0, n), slice(n, None)))
        return gradients_of(first, lambda key, gradient: join(gradient, second[key]))

    return by_other_gradients(identifier, said, made)
