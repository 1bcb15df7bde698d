"""How far a step goes: made twice, or by gradients that are divided by another batch size."""

from collections.abc import Iterator

from compare.diagnosis.hypotheses.training_loop.plan import Plan, Weights, by_other_gradients
from compare.diagnosis.training_run import Made, TrainingRun, gradients_of


def of_step_size() -> list[Plan]:
    return [Plan("scale", "each step is made twice", _twice),
            by_other_gradients("last-batch", "a shorter batch is divided by the size of a full one",
                               _as_of_a_full_batch)]


def _twice(run: TrainingRun) -> Iterator[Weights]:
    optimizer = run.optimizer()
    for t, step in enumerate(run.steps):
        yield run.moved(optimizer, step.before, run.made(t), times=2)


def _as_of_a_full_batch(run: TrainingRun, t: int) -> Made:
    full = max(len(step.batch.x) for step in run.steps[:t + 1])
    share = len(run.steps[t].batch.x) / full
    return gradients_of(run.made(t), lambda key, gradient: gradient * share)
