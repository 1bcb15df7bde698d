"""Jobs on a real Dask scheduler with two workers, all of them processes of their own."""

import os
import signal
import subprocess
import sys

import pytest

from compare.experiments import execution
from tests import patience
from tests.compare.support import jobs_for_tests as work

pytest.importorskip("distributed")


@pytest.fixture
def cluster(tmp_path):
    """(address, workers' processes by their pid)."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    started = []

    def start(*command):
        log = open(tmp_path / f"{len(started)}.log", "wb")
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=log, stderr=log,
                                   env=environment, start_new_session=True)
        started.append(process)
        return process

    address_file = tmp_path / "scheduler.json"
    start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
          "--no-dashboard", "--scheduler-file", str(address_file))
    for _ in range(2):
        start("distributed.cli.dask_worker", "--scheduler-file", str(address_file),
              "--nthreads", "1", "--no-nanny", "--no-dashboard",
              "--local-directory", str(tmp_path))
    try:
        yield address_of(address_file), started[1:]
    finally:
        for process in started:
            process.kill()
            process.wait()


def address_of(file) -> str:
    from distributed import Client

    patience.until(file.exists)
    with Client(scheduler_file=str(file), timeout=patience.SECONDS) as client:
        client.wait_for_workers(2, timeout=patience.SECONDS)
        return client.scheduler.address


def test_two_workers_share_the_jobs_and_one_may_die(cluster, tmp_path):
    address, workers = cluster
    todo = [execution.Job(f"job-{i}", work.square, i) for i in range(6)]
    results = execution.run(todo, execution.Store(tmp_path / "kept"), backend="dask",
                            address=address,
                            verbose=False)
    assert [results[f"job-{i}"]["square"] for i in range(6)] == [0, 1, 4, 9, 16, 25]
    processes = {result["process"] for result in results.values()}
    assert processes <= {worker.pid for worker in workers}, "a job ran elsewhere"
    assert len(list((tmp_path / "kept").glob("result-*.json"))) == 6

    todo = [execution.Job(f"job-{i}", work.die_once, (i, str(tmp_path / "marker")))
            for i in range(4)]
    results = execution.run(todo, execution.Store(), backend="dask", address=address, verbose=False)
    assert results == {f"job-{i}": i for i in range(4)}
    ended = [worker.poll() for worker in workers]
    assert sorted(ended, key=str) == [-signal.SIGKILL, None], "one worker, and only one, has died"
