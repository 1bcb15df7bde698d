"""Jobs on other machines: Dask through joblib's own backend, Ray through its tasks.

The scheduler decides who runs what. The data and this package must be installed wherever a job may
land; results come back over the network and are written here.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from compare.experiments.execution.worker_process import WorkerError


class DaskJobs:
    """Runs jobs on the Dask cluster at `address`; see `LocalJobs` for what `run` gives.

    Args:
        address: of the scheduler, such as 'tcp://127.0.0.1:8786'.

    Raises:
        ValueError: if the library is not installed, or nobody answers at the address.
    """

    def __init__(self, address: str | None):
        with told("dask", "distributed", address):
            from distributed import Client

            self._client = Client(address, timeout="10s")

    def run(self, jobs) -> Iterator[tuple]:
        from joblib import Parallel, delayed, parallel_config

        with parallel_config(backend="dask", client=self._client):
            pool = Parallel(n_jobs=-1, return_as="generator_unordered")
            yield from pool(delayed(run_here)(job) for job in jobs)

    def stop(self) -> None:
        """Leave the cluster; what it still runs is lost."""
        self._client.close()


class RayJobs:
    """Runs jobs on Ray; see `LocalJobs` for what `run` gives.

    joblib's backend for Ray gives results only once all are there, and one worker that dies takes
    all of them along; tasks of Ray's own come one by one, and die alone.

    Args:
        address: such as '127.0.0.1:6379'; None starts Ray on this machine, for these jobs alone.

    Raises:
        ValueError: if the library is not installed, or nobody answers at the address.
    """

    def __init__(self, address: str | None = None):
        with told("ray", "ray", address):
            import ray

            if address:
                require_answer(address)
            self._ray = ray
            ray.init(address or "local", log_to_driver=False, logging_level="error")

    def run(self, jobs) -> Iterator[tuple]:
        ray = self._ray
        task = ray.remote(num_cpus=1, max_retries=0)(run_here)  # who retries is `running.py`
        waiting = {task.remote(job): job for job in jobs}
        while waiting:
            done, _ = ray.wait(list(waiting), num_returns=1)
            for reference in done:
                job = waiting.pop(reference)
                try:
                    yield ray.get(reference)
                except ray.exceptions.RayError as error:
                    said = str(error).strip().rpartition("\n")[2]  # the end of a traceback
                    yield job, None, WorkerError(f"{type(error).__name__}: {said}")

    def stop(self) -> None:
        """Leave the cluster; what it still runs is lost."""
        self._ray.shutdown()


def require_answer(address: str) -> None:
    """Raises an OSError if nobody listens there: Ray itself would go on trying for minutes.

    Args:
        address: 'host:port' or 'ray://host:port'; words of Ray's own, such as 'auto', pass.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


@contextmanager
def told(backend: str, library: str, address: str | None):
    """What goes wrong on the way to a cluster as a ValueError that says what was expected."""
    try:
        yield
    except ImportError as error:
        raise ValueError(f"Expected the library {library!r} for --backend {backend}. "
                         f"Received: {error}. Install it with: pip install {library}") from None
    except (OSError, TimeoutError, ConnectionError, RuntimeError, OverflowError) as error:
        raise ValueError(f"Expected a {backend} scheduler at {address or 'this machine'}. "
                         f"Received: {error}") from None


def run_here(job) -> tuple:
    """A job in the process of the cluster's that got it."""
    try:
        return job, job.function(job.argument), None
    except Exception as error:
        return job, None, f"{type(error).__name__}: {error}"
