"""The runs of a replication: one job for each seed, both sides trained from that seed's weights."""

import math
import numbers
from dataclasses import asdict, dataclass, field, replace

from compare.experiments import benchmark, execution
from compare.experiments.benchmark.json_record import as_dict
from compare.experiments.benchmark.settings import Settings as RunSettings
from compare.experiments.replication.results import Replication, Run
from compare.experiments.replication.statistics import MARGIN
from compare.experiments.replication.stored_runs import require_run


@dataclass(frozen=True)
class Settings:
    """What may be chosen about a replication.

    Attributes:
        seeds: how many pairs of runs; the seeds are the first one's and those that follow.
        run: of every run; its seed is the first.
        margin: what difference of accuracy or F1 counts as small.

    Raises:
        ValueError: for numbers out of range.
    """

    seeds: int = 5
    run: RunSettings = field(default_factory=RunSettings)
    margin: float = MARGIN

    def __post_init__(self):
        if not isinstance(self.seeds, numbers.Integral) or self.seeds < 1:
            raise ValueError(f"expected seeds to be a positive integer. Received: {self.seeds!r}")
        if not math.isfinite(self.margin) or self.margin <= 0:
            raise ValueError("expected margin to be a finite number above 0. "
                             f"Received: {self.margin!r}")

    def each(self) -> list[RunSettings]:
        """The settings of every run."""
        return [replace(self.run, seed=self.run.seed + i) for i in range(self.seeds)]


def run(settings: Settings, directory=None, resume: bool = False, parallel: int = 1,
        backend: str = "local", address: str | None = None, verbose: bool = True) -> Replication:
    """Train all pairs of runs, several at a time if asked, and keep each as soon as it is done.

    Args:
        directory: where the results go; None keeps them in memory alone.
        resume: keep what an earlier replication with the same settings has finished there. More
            seeds than before are fine.
        parallel, backend, address: see `compare.experiments.execution.run`.

    Raises:
        ValueError, OSError: for data or a directory that cannot be used.
        compare.experiments.execution.JobsError: for a run that failed, after all others are done.
        KeyboardInterrupt: after Ctrl-C; finished runs are in `directory`.
    """
    common = asdict(settings.run)
    store = execution.Store(directory, {"kind": "benchmark", **common}, resume)
    todo = [execution.Job(f"seed-{one.seed}", run_one, one, require_run)
            for one in settings.each()]
    records = execution.run(todo, store, parallel, backend, address, "Pairs of runs", verbose)
    runs = [Run(one.seed, records[f"seed-{one.seed}"]) for one in settings.each()]
    return Replication(runs, settings.margin, parallel if backend == "local" else 2)


def run_one(settings: RunSettings) -> dict:
    """One pair of runs, wherever this is called, as plain values.

    Raises:
        ValueError: if it did not come to its end.
    """
    result = benchmark.run(settings, verbose=False)
    if result.partial:
        raise ValueError(f"the run of seed {settings.seed} ended early: {result.stopped}")
    return as_dict(result)
