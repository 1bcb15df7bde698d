"""Jobs on this machine, each in a process of its own.

A process that is killed, or that TensorFlow takes down with it, costs its own job alone. Each of n
jobs at a time gets its share of the processor's cores, so that their threads do not fight. Jobs
that say that they may share a process run one after another in the same one, which has started
TensorFlow once for all of them; after one that failed there is another process.
"""

import os
import threading
from collections.abc import Iterator
from queue import SimpleQueue

from compare.experiments.execution.worker_process import Worker

JOBS = 50  # that share a process, before there is another one


class LocalJobs:
    """Runs `parallel` jobs at a time.

    Iterating over `run(jobs)` gives (job, result) or (job, error), in the order in which they end.
    """

    def __init__(self, parallel: int):
        self.parallel = parallel
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._stopped = False
        self._kept: dict[int, tuple[Worker, int]] = {}  # by slot, and how many jobs it has had
        self._slots: SimpleQueue = SimpleQueue()
        for slot in range(parallel):
            self._slots.put(slot)

    def run(self, jobs) -> Iterator[tuple]:
        from joblib import Parallel, delayed

        pool = Parallel(n_jobs=self.parallel, backend="threading", return_as="generator_unordered")
        return pool(delayed(self._run_one)(job) for job in jobs)

    def _run_one(self, job) -> tuple:
        slot = self._slots.get()
        try:
            share_cores(slot, self.parallel)
            if job.shares_process:
                return job, self._shared(slot, job), None
            with Worker(job.key, as_items, (job.function, job.argument)) as worker:
                self._enter(worker)
                try:
                    return job, worker.ask(), None
                finally:
                    self._leave(worker)
        except Exception as error:  # whatever happened to this job, the others go on
            return job, None, error
        finally:
            self._slots.put(slot)

    def _shared(self, slot: int, job):
        """The job's result, from the process that this slot keeps."""
        worker, count = self._kept.pop(slot, (None, 0))
        if worker is not None and (count >= JOBS or worker.process.poll() is not None):
            self._leave(worker)
            worker.stop()
            worker = None
        task = job.function, job.argument
        if worker is None:
            worker, count = Worker(job.key, as_items, task), 0
            self._enter(worker)
        else:
            worker.take(as_items, task)
        try:
            made = worker.ask()
        except BaseException:
            self._leave(worker)
            worker.stop()
            raise
        self._kept[slot] = worker, count + 1
        return made

    def _enter(self, worker: Worker) -> None:
        with self._lock:
            self._workers.add(worker)
            if self._stopped:
                worker.process.kill()

    def _leave(self, worker: Worker) -> None:
        with self._lock:
            self._workers.discard(worker)

    def stop(self) -> None:
        """End all processes at once; their jobs fail."""
        with self._lock:
            self._stopped = True
            for worker in self._workers:
                worker.process.kill()
        for slot in list(self._kept):  # idle
            self._kept.pop(slot)[0].stop()


def as_items(task):
    """A job as the generator that a worker's process runs."""
    function, argument = task
    yield function(argument)


def share_cores(slot: int, slots: int) -> None:
    """Keep this thread, and the processes it starts from now on, to its share of the cores."""
    if slots == 1 or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(os.getpid()))
    mine = cores[slot * len(cores) // slots:(slot + 1) * len(cores) // slots]
    os.sched_setaffinity(0, mine or {cores[slot % len(cores)]})
