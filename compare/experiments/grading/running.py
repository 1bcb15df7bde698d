"""All submissions as jobs; the reference is run once, and each job has its trace."""

import hashlib
import sys
import tempfile
from pathlib import Path

from compare.document.text import visible
from compare.experiments import execution
from compare.experiments.grading import submissions
from compare.experiments.grading.exercise import Exercise
from compare.experiments.grading.marking import mark
from compare.experiments.grading.results import Grades, Mark
from compare.inputs import batches, twins
from compare.tracing.layer_error import RAISED, sentence
from compare.tracing.model_kinds import require_network
from compare.tracing.recorder import record
from compare.tracing.trace import Trace

SAMPLES = 4


def run(folder, config, runs=None, resume: bool = False, parallel: int = 1, backend: str = "local",
        address: str | None = None, verbose: bool = True) -> Grades:
    """Grade all submissions in a folder.

    Args:
        folder: of the submissions.
        config: the exercise's file.
        runs: a folder to keep the marks in as they come, for `resume`; None keeps none.
        parallel, backend, address: see `compare.experiments.execution.run`.

    Raises:
        ValueError: for an exercise that cannot be run, or no submissions.
        JobsError: if a job failed that is no submission's doing.
    """
    exercise = Exercise.load(config)
    handed_in = submissions.found(folder)
    trace = recorded(exercise, config)
    hidden = of_zeros(trace)
    if hidden:
        print(visible(f"{config}: {', '.join(hidden)}: all zero in reference(), so that no forward "
                      "pass shows whether they are used. Draw them, such as by "
                      "bias_initializer=\"random_normal\""), file=sys.stderr)
    asked = {"exercise": hashlib.sha256(Path(config).read_bytes()).hexdigest()}
    with tempfile.TemporaryDirectory() as place:
        golden = Path(place) / "golden.npz"
        trace.save(golden)
        store = execution.Store(runs, asked, resume)
        jobs = [execution.Job(each.key, mark, {
            "exercise": str(Path(config).resolve()), "trace": str(golden), "name": each.name,
            "path": str(each.path.resolve()), "problem": each.problem},
            about={"name": each.name, "problem": each.problem}, shares_process=True)
            for each in handed_in]
        found = execution.run(jobs, store, parallel, backend, address, "Submissions", verbose)
    marks = [Mark.of(found[job.key]) for job in jobs]
    return Grades(exercise.title, exercise.points, marks)


def of_zeros(trace: Trace) -> list[str]:
    """The weights that are added to an output, and are all zero: 'conv/bias', 'norm/beta'."""
    return [f"{part.layer}/{name}" for part in trace.parts if part.tied_to is None
            for name, weight in part.weights.items() if name in ("bias", "beta")
            and not weight.any()]


def recorded(exercise: Exercise, config) -> Trace:
    """What the exercise's reference computes on its batch, or on one that is drawn.

    Raises:
        ValueError: if there is no such model, or it cannot be run.
    """
    try:
        made = exercise.reference()
    except RAISED as error:  # a teacher's function may raise anything
        raise ValueError(f"{config}: expected reference() to give a model. "
                         f"Received: {sentence(error)}") from error
    if isinstance(made, Trace):
        return made
    model, x, y = made if isinstance(made, tuple) and len(made) == 3 else (made, None, None)
    try:
        require_network(model)
    except TypeError as error:
        raise ValueError(f"{config}: reference(): {error}") from None
    candidate, twin = twins.twins(model)
    if x is None:
        x, y = batches.random(candidate, SAMPLES, 0)
    upstream = batches.upstream(candidate, x, 0) if y is None else None
    return record(twin, x, y, upstream=upstream)
