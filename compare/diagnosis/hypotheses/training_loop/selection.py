"""Which mistakes of a loop are tried, in the order in which they are to be named: of those that
explain a run equally well the first one is."""

from compare.diagnosis.hypotheses.training_loop.batches import of_batches, of_earlier_batches
from compare.diagnosis.hypotheses.training_loop.measured import of_measured
from compare.diagnosis.hypotheses.training_loop.parts_of_batches import of_parts
from compare.diagnosis.hypotheses.training_loop.penalties import of_penalties
from compare.diagnosis.hypotheses.training_loop.plan import Plan
from compare.diagnosis.hypotheses.training_loop.state import of_optimizer_state, of_statistics
from compare.diagnosis.hypotheses.training_loop.step_size import of_step_size
from compare.diagnosis.hypotheses.training_loop.timing import of_timing
from compare.diagnosis.hypotheses.training_loop.way_back import of_way_back
from compare.diagnosis.training_run import TrainingRun


def of_loops(run: TrainingRun) -> list[Plan]:
    """All of them, the specific ones first; what is measured in the run itself comes last."""
    return [*of_batches(), *of_earlier_batches(), *of_parts(), *of_timing(), *of_way_back(),
            *of_optimizer_state(), *of_step_size(), *of_penalties(run), *of_statistics(),
            *of_measured(run)]
