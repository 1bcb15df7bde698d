"""Gradients of other steps than the one that they make."""

from collections.abc import Callable, Iterator

from compare.diagnosis.hypotheses.training_loop.plan import Plan, Weights
from compare.diagnosis.training_run import TrainingRun, gradients_of


def of_timing() -> list[Plan]:
    found = [Plan("gradient-accumulated", said, _cleared(every)) for said, every in (
        ("gradients are never cleared between steps", 0),
        ("gradients are cleared after every second step only", 2),
        ("gradients are cleared after every third step only", 3))]
    return found + [Plan("update-before-gradient", said, _late(first)) for said, first in (
        ("each step is made by the gradients of the step before it", False),
        ("the update comes first, by the gradients of the batch before", True))]


def _cleared(every: int) -> Callable[[TrainingRun], Iterator[Weights]]:
    """Gradients are added up, until so many steps are made; 0 for ever."""
    def steps(run):
        optimizer, total = run.optimizer(), None
        for t, step in enumerate(run.steps):
            made = run.made(t)
            fresh = total is None or (every and t % every == 0)
            total = made if fresh else gradients_of(
                made, lambda key, g, total=total: g + total[key])
            yield run.moved(optimizer, step.before, total)

    return steps


def _late(updated_first: bool) -> Callable[[TrainingRun], Iterator[Weights]]:
    """The first step may be made by anything: there is none before it."""
    def steps(run):
        optimizer = run.optimizer()
        for t, step in enumerate(run.steps):
            last = max(t - 1, 0)
            # where the update comes first, the gradients are those of the weights after it
            before = (run.made(t, run.steps[last].batch, "the batch before") if updated_first
                      else run.made(last))
            after = run.moved(optimizer, step.before, gradients_of(
                run.made(t), lambda key, g, before=before: before[key]))
            yield step.after if t == 0 else after

    return steps
