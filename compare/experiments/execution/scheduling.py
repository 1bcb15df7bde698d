"""Runs jobs until each has a result, wherever they run; what fails is tried again, to a limit."""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from compare.document import progress
from compare.document.text import visible
from compare.experiments.execution.cluster_backends import DaskJobs, RayJobs
from compare.experiments.execution.local_backend import LocalJobs
from compare.experiments.execution.result_store import Store
from compare.experiments.execution.worker_process import WorkerError

BACKENDS = ("local", "dask", "ray")
ATTEMPTS = 3  # of a job whose process vanishes: once may be an accident


@dataclass(frozen=True)
class Job:
    """`function(argument)`, both picklable, the function importable by its name.

    The result is plain values, for JSON. `key` names it, also on disk. A result that is on disk
    already is held against its job by `answered(argument, result)`, which raises a ValueError, and
    must have come of an equal `question`: the argument, unless that says where things lie today.
    On this machine a job that `shares_process` may run where others that do so have run before.
    """

    key: str
    function: Callable
    argument: object
    answered: Callable | None = None
    about: object = None
    shares_process: bool = False

    @property
    def question(self):
        """What a stored result must be the answer to, as plain values or a dataclass."""
        return self.argument if self.about is None else self.about


class JobsError(RuntimeError):
    """A job that cannot be done; the results of the others are kept."""


def run(jobs: list[Job], store: Store, parallel: int = 1, backend: str = "local",
        address: str | None = None, title: str = "Jobs", verbose: bool = True) -> dict:
    """The results of all jobs by key, those that the store has already included.

    A job whose process or worker vanishes is done again, up to `ATTEMPTS` times.

    Args:
        parallel: how many at a time, on this machine.
        backend: 'local', 'dask' or 'ray'; the last two with the scheduler's address, without
            which Ray is started on this machine.
        verbose: progress on standard error.

    Raises:
        JobsError: for a job that raised an error, or failed too often; all others are finished
            first.
        ValueError: for a backend that is not there, or a stored result that answers another job.
        KeyboardInterrupt: after Ctrl-C; finished results are in the store.
    """
    wanted = {job.key: job for job in jobs}
    if verbose and store.moved:
        print(visible(f"{store.moved}: these go into {store.directory}"), file=sys.stderr)
    store.hold_against(jobs)
    runner = runner_for(backend, parallel, address)
    done = len(wanted.keys() & store.results)
    attempts: Counter[str] = Counter()
    failed: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        stack.callback(runner.stop)
        bar = stack.enter_context(progress.Bar(len(wanted), title, verbose, done))
        while True:
            left = [job for key, job in wanted.items()
                    if key not in store.results and key not in failed]
            if not left:
                break
            attempts.update(job.key for job in left)
            lost = one_round(runner, left, store, bar, len(wanted), failed)
            for key, error in lost.items():
                if attempts[key] >= ATTEMPTS:
                    failed[key] = f"{error}, {ATTEMPTS} times"
                elif verbose:
                    progress.leave_bars()
                    print(visible(f"{title}: {key} is done again: {error}", keep="\n"),
                          file=sys.stderr)
    if failed:
        raise JobsError("; ".join(f"{key}: {error}" for key, error in failed.items()))
    return {key: store.results[key] for key in wanted}


def runner_for(backend: str, parallel: int, address: str | None):
    """Who runs the jobs.

    Raises:
        ValueError: for a backend that is not there.
    """
    if backend == "local":
        return LocalJobs(parallel)
    return DaskJobs(address) if backend == "dask" else RayJobs(address)


def chunks(things, size: int) -> list[list]:
    """The things, so many at a time."""
    return [list(things[i:i + size]) for i in range(0, len(things), size)]


def one_round(runner, jobs, store, bar, total, failed) -> dict:
    """Try each of the jobs once; returns the errors of those that vanished, by key."""
    lost = {}
    done = total - len(jobs)
    try:
        for job, result, error in runner.run(jobs):
            if error is None:
                store.put(job.key, result, job.question)
                done += 1
            elif isinstance(error, WorkerError):
                lost[job.key] = str(error)
            else:
                failed[job.key] = str(error)
            bar.update(done)
    except Exception as error:  # a cluster that lost a worker tells so by an error of its own
        if isinstance(runner, LocalJobs):
            raise
        lost.update({job.key: f"{type(error).__name__}: {error}" for job in jobs
                     if job.key not in store.results and job.key not in failed})
    return lost
