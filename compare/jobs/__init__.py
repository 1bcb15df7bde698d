"""Independent jobs: on one machine or many, each result on disk as soon as it is there.

    from compare import jobs
    todo = [jobs.Job("seed-0", function, argument), ...]       # function(argument) -> plain values
    results = jobs.run(todo, jobs.Store("campaign", {"epochs": 3}), parallel=2)

Reading order: store.py (results on disk, and what may be resumed), local.py (each job in a process
of its own), cluster.py (Dask through joblib, Ray), running.py (what is done when one fails).
"""

from compare.jobs.running import BACKENDS, Job, JobsError, chunks, run
from compare.jobs.store import Store

__all__ = ["BACKENDS", "Job", "JobsError", "Store", "chunks", "run"]
