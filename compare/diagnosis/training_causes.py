"""Why training leads elsewhere although every layer, the loss and the first update are right."""

from typing import Any

import numpy as np

from compare.diagnosis.finding import Cause, Finding
from compare.diagnosis.hypotheses.training_loop.plan import Plan
from compare.diagnosis.hypotheses.training_loop.selection import of_loops
from compare.diagnosis.observation import CANNOT
from compare.diagnosis.training_run import TrainingRun, passed, with_weights
from compare.tracing.layer_error import LayerError
from compare.tracing.trace import Trace

CLOSE = 1e-5  # relative, of two losses that are one


def diagnose_training(model: Any, reference: Trace) -> Finding | None:
    """The mistake of the loop that explains some steps of the candidate; None if none does.

    Args:
        model: the candidate, compiled.
        reference: a trace of the reference, whose settings count.
    """
    try:
        run = TrainingRun(model, reference)
    except (LayerError, *CANNOT):
        return None
    if not run.steps:
        return None
    if all(step.holds for step in run.steps):
        return _of_figures(run)
    found: dict[str, Plan] = {}
    with np.errstate(all="ignore"):
        for plan in of_loops(run):
            if plan.identifier not in found and _explains(run, plan):
                found[plan.identifier] = plan
    if not found:
        return None
    first, *others = [(Cause(plan.identifier, plan.said),) for plan in found.values()]
    return Finding("all layers", "weights", "candidate", first, tuple(others), same=False)


def _of_figures(run: TrainingRun) -> Finding | None:
    """Steps that are right, of which another loss is reported."""
    said = np.array([step.loss for step in run.steps])
    own, after = (np.array([float(passed(trace)["loss", "value"].value) for trace in traces])
                  for traces in ([step.trace for step in run.steps],
                                 [with_weights(step.trace, step.after) for step in run.steps]))
    if np.allclose(said, own, rtol=CLOSE, atol=0):
        return None
    if np.allclose(said, after, rtol=CLOSE, atol=0):
        cause = Cause("metrics-after-update", "the loss is that of the weights after each step")
    elif len(said) > 2 and np.allclose(said[1:], own[:-1], rtol=CLOSE, atol=0):
        cause = Cause("state-leak", "the loss is that of the step before")
    else:
        return None
    return Finding("all layers", "weights", "candidate", (cause,))


def _explains(run: TrainingRun, plan: Plan) -> bool:
    try:
        return run.explained(plan.steps)
    except CANNOT:
        return False
