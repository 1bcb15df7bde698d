"""Why training leads elsewhere although every layer, the loss and the first update are right."""

from typing import Any

import numpy as np

from compare.diagnosis.finding import Cause, Finding
from compare.diagnosis.hypotheses.training_loop import Plan, of_loops, of_measured
from compare.diagnosis.observation import CANNOT
from compare.diagnosis.training_run import TrainingRun
from compare.tracing.layer_error import LayerError
from compare.tracing.trace import Trace


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
    found: dict[str, Plan] = {}
    with np.errstate(all="ignore"):
        for plan in [*of_loops(run), *of_measured(run)]:
            if plan.identifier not in found and _explains(run, plan):
                found[plan.identifier] = plan
    if not found:
        return None
    first, *others = [(Cause(plan.identifier, plan.said),) for plan in found.values()]
    return Finding("all layers", "weights", "candidate", first, tuple(others), same=False)


def _explains(run: TrainingRun, plan: Plan) -> bool:
    try:
        return run.explained(plan.steps)
    except CANNOT:
        return False
