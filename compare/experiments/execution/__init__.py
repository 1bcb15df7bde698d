"""Independent jobs: on one machine or many, each result on disk as soon as it is there.

    from compare.experiments import execution
    todo = [execution.Job("seed-0", function, argument), ...]   # function(argument) -> plain values
    results = execution.run(todo, execution.Store("runs", {"epochs": 3}), parallel=2)

Reading order: result_store.py (results on disk, and what may be resumed), worker_process.py (a
generator in a process of its own), local_backend.py (each job in such a process),
cluster_backends.py (Dask through joblib, Ray), scheduling.py (what is done when one fails);
environment.py and peak_memory.py (where it ran, and how much it took).
"""

from compare.experiments.execution.result_store import Store
from compare.experiments.execution.scheduling import BACKENDS, Job, JobsError, chunks, run

__all__ = ["BACKENDS", "Job", "JobsError", "Store", "chunks", "run"]
