"""What shows in the run itself: weights that stand still or should, and steps of another length."""

import numpy as np

from compare.diagnosis.hypotheses.training_loop.plan import Plan
from compare.diagnosis.training_run import Key, TrainingRun


def of_measured(run: TrainingRun) -> list[Plan]:
    """What is read off the run, one plan of a kind at most."""
    return [*_still(run), *_frozen(run), *_other_lengths(run)]


def _still(run: TrainingRun) -> list[Plan]:
    still = [key for key in run.trained if all(
        np.array_equal(step.before[key], step.after[key]) for step in run.steps)
        and any(_norm(step.right[key] - step.before[key]) > step.allowed[key]
                for step in run.steps)]
    if not still:
        return []

    def steps(run):
        for step in run.steps:
            yield {**step.right, **{key: step.before[key] for key in still}}

    return [Plan("update-missing", _listed(still), steps)]


def _frozen(run: TrainingRun) -> list[Plan]:
    made = run.made(0)
    moved = [key for key in run.steps[0].before if key not in run.trained and key not in made
             and any(not np.array_equal(step.before[key], step.after[key]) for step in run.steps)]
    if not moved:
        return []

    def steps(run):
        for step in run.steps:
            yield {**step.right, **{key: step.after[key] for key in moved}}

    return [Plan("frozen-weights", _listed(moved), steps)]


def _other_lengths(run: TrainingRun) -> list[Plan]:
    """Each step leads the right way, for all weights alike, but another part of it."""
    lengths = []
    for step in run.steps:
        way = np.concatenate([(step.right[k] - step.before[k]).ravel() for k in run.trained])
        gone = np.concatenate([(np.asarray(step.after[k], np.float64) - step.before[k]).ravel()
                               for k in run.trained])
        if not way.any():
            return []
        lengths.append(float(way @ gone / (way @ way)))

    def steps(run):
        for length, step in zip(lengths, run.steps):
            yield {key: step.before[key] + length * (right - step.before[key])
                   if key in run.trained else right for key, right in step.right.items()}

    same = max(lengths) - min(lengths) <= 1e-4 * max(map(abs, lengths))
    said = ", ".join(f"{length:.4g}" for length in lengths[:1 if same else None])
    return [Plan("scale" if same else "optimizer-setting",
                 f"each step is {said} times as long as it should be" if same else
                 f"the steps are {said} times as long as they should be", steps)]


def _norm(array) -> float:
    return float(np.sqrt(np.sum(np.square(array, dtype=np.float64))))


def _listed(keys: list[Key]) -> str:
    return ", ".join(f"{layer} {name}" for layer, name in keys)
