"""Many networks, in chunks that are independent jobs; failures are shrunk at the end."""

from dataclasses import asdict, dataclass, field

import numpy as np

from compare.document import progress
from compare.evaluation.fuzzing.generator import draw
from compare.evaluation.fuzzing.property_checks import Outcome, judge
from compare.evaluation.fuzzing.shrinking import shrink
from compare.evaluation.fuzzing.specification import Specification
from compare.experiments import execution

CHUNK = 25  # networks per job: TensorFlow's start is paid once for them


@dataclass
class Failure:
    """A network that failed, and the smallest one that fails alike."""

    number: int
    outcome: Outcome
    smallest: Specification
    smallest_outcome: Outcome


@dataclass
class Result:
    """A whole run.

    Attributes:
        seed: of all networks.
        numbers: of the networks that were run.
        failures: those that failed, shrunk.
        seconds: that all networks took, added up.
        interrupted: whether Ctrl-C ended it early.
        not_judged: numbers of the networks in which both sides make infinities or NaN.
    """

    seed: int
    numbers: list[int]
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False
    not_judged: list[int] = field(default_factory=list)

    def specifications(self) -> list[Specification]:
        """All networks that were run, drawn again."""
        return [draw(self.seed, number) for number in self.numbers]


def run(seed: int, numbers: list[int], store: execution.Store, parallel: int = 1,
        backend: str = "local", address: str | None = None, shrinking: bool = True,
        verbose: bool = True) -> Result:
    """Judge those networks of a seed.

    Args:
        store, parallel, backend, address: see `compare.experiments.execution.run`.
        shrinking: look for the smallest network that fails like each failure.

    Raises:
        compare.experiments.execution.JobsError: if a process died again and again.
    """
    todo = [execution.Job(f"networks-{chunk[0]}-{chunk[-1]}", judge_chunk, (seed, chunk),
                          require_outcomes)
            for chunk in execution.chunks(numbers, CHUNK)]
    result = Result(seed, [])
    try:
        execution.run(todo, store, parallel, backend, address, f"Networks (by {CHUNK})", verbose)
    except KeyboardInterrupt:
        result.interrupted = True
    for job in todo:
        for entry in store.results.get(job.key, ()):
            result.numbers.append(entry["number"])
            outcome = Outcome(**entry["outcome"])
            result.seconds += outcome.seconds
            if not outcome.judged:
                result.not_judged.append(entry["number"])
            if not outcome.passed:
                smallest = draw(seed, entry["number"])
                result.failures.append(Failure(entry["number"], outcome, smallest, outcome))
    if shrinking and not result.interrupted:
        for failure in progress.each(result.failures, "Looking for smaller networks that fail"):
            with np.errstate(all="ignore"):
                failure.smallest, failure.smallest_outcome = shrink(failure.smallest,
                                                                    failure.outcome)
    return result


def require_outcomes(task, entries: list[dict]) -> None:
    """Hold stored outcomes against the networks that were asked for.

    Raises:
        ValueError, KeyError, TypeError: for outcomes of other networks, or what is none.
    """
    received = [entry["number"] for entry in entries]
    if received != list(task[1]):
        raise ValueError(f"expected networks {task[1]}. Received: {received}")
    for entry in entries:
        Outcome(**entry["outcome"])


def judge_chunk(task) -> list[dict]:
    """The outcomes of some networks of a seed, as plain values."""
    seed, numbers = task
    found = []
    for number in numbers:
        with np.errstate(all="ignore"):
            outcome = judge(draw(seed, number))
        found.append({"number": number, "outcome": asdict(outcome)})
    return found
