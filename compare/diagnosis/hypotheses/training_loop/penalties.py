"""The regularizers' part of the gradients, once more or not at all."""

from compare.diagnosis.hypotheses.training_loop.plan import Plan, by_other_gradients
from compare.diagnosis.training_run import Key, TrainingRun, gradients_of
from compare.oracle.regularization import of_part
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.trace import Trace


def of_penalties(run: TrainingRun) -> list[Plan]:
    """None where the network has no regularizers."""
    if not _gradients(run.steps[0].trace):
        return []

    def counted(times: float):
        def made(run, t):
            more = _gradients(run.steps[t].trace)
            return gradients_of(run.made(t), lambda key, g: g + more[key] * times
                                if key in more else g)

        return made

    return [by_other_gradients("penalty-missing", said, counted(times)) for said, times in (
        ("its gradient is added twice", 1.0), ("it has no part in the gradients", -1.0))]


def _gradients(trace: Trace) -> dict[Key, Bounded]:
    """Of the penalties alone, by layer and name of the gradient."""
    rounding = Rounding.of(trace.dtype)
    return {(part.layer, f"{name}_gradient"): gradient for part in trace.parts
            for name, gradient in of_part(trace, part, {
                weight: Bounded(w, rounding) for weight, w in part.weights.items()}).items()}
