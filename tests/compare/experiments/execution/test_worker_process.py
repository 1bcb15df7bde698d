"""The worker: a generator in a process of its own, which ends when it should."""

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import scratch
from compare.experiments.benchmark.results import Progress
from compare.experiments.execution.worker_process import Worker, WorkerError
from tests import patience

evaluate = functools.partial(map, eval)  # a generator that pickles: one item per expression
RAISING = "(_ for _ in ()).throw({})"


def test_items_come_one_at_a_time_and_progress_in_between():
    progress = [Progress(1, i, 3, 0.5, [(i, 0.25)]) for i in (1, 2, 3)]
    seen = []
    with Worker("it", iter, [progress[0], progress[1], "first", progress[2], "second"]) as worker:
        assert worker.ask(seen.append) == "first"
        assert seen == progress[:2]
        assert worker.ask(seen.append) == "second"
        assert worker.ask() is None
    assert seen == progress


def test_the_process_is_another_and_rests_until_asked(tmp_path):
    mark = tmp_path / "mark"
    touch = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    with Worker("it", evaluate, ["__import__('os').getpid()", touch]) as worker:
        assert worker.ask() == worker.process.pid != os.getpid()
        time.sleep(0.3)
        assert not mark.exists()
        worker.ask()
        assert mark.exists()


def test_what_is_printed_does_not_disturb(capfd):
    with Worker("it", evaluate, ["print('hello')", "__import__('os').write(1, b'raw')"]) as worker:
        assert worker.ask() is None
        assert worker.ask() == 3
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "hello" in captured.err and "raw" in captured.err


def test_expected_errors_arrive_as_themselves():
    program = "__import__('scratch').NonFiniteLossError('at step 3')"
    with Worker("it", evaluate, [RAISING.format(program)]) as worker:
        with pytest.raises(scratch.NonFiniteLossError, match="at step 3"):
            worker.ask()


def test_unexpected_errors_bring_their_traceback():
    with Worker("the worker", evaluate, [RAISING.format("KeyError('oops')")]) as worker:
        with pytest.raises(WorkerError, match="the worker: KeyError: 'oops'") as caught:
            worker.ask()
    assert "Traceback" in caught.value.details


@pytest.mark.parametrize("expression, how", [("__import__('os')._exit(3)", "exit code 3"),
                                             ("__import__('os').abort()", "signal 6")])
def test_a_process_that_dies_is_noticed(expression, how):
    if os.name == "nt" and "signal" in how:
        pytest.skip("processes on Windows do not die of signals")
    with Worker("the worker", evaluate, ["1", expression]) as worker:
        assert worker.ask() == 1
        with pytest.raises(WorkerError, match=f"the process of the worker .*{how}"):
            worker.ask()


@pytest.mark.skipif(os.name == "nt", reason="Windows hands over no open files")
def test_what_a_library_says_when_it_ends_the_process_at_its_start_is_told(monkeypatch):
    """TensorFlow's native half ends the process by itself if it cannot read its flags."""
    monkeypatch.setenv("TF_XLA_FLAGS", "--bogus")
    with Worker("the check", evaluate, ["1", "__import__('reference')"]) as worker:
        assert worker.ask() == 1
        with pytest.raises(WorkerError, match="exit code 1 .* said: .*TF_XLA_FLAGS: --bogus"):
            worker.ask()


def test_stopping_ends_it_in_the_middle_of_its_work():
    worker = Worker("it", evaluate, ["1", "__import__('time').sleep(10_000)"])
    worker.ask()
    worker.process.stdin.write(b"g")
    worker.process.stdin.flush()
    worker.stop()
    assert worker.process.returncode is not None
    worker.stop()  # twice is no error


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_worker_does_not_outlive_a_parent_that_was_killed():
    program = (
        "import functools\n"
        "from compare.experiments.benchmark.results import Progress\n"
        "from compare.experiments.execution.worker_process import Worker\n"
        "steps = ['__import__(\"time\").sleep(0.05) or '\n"
        "         '__import__(\"compare.experiments.benchmark.results\", fromlist=[\"x\"])'\n"
        "         '.Progress(1, 1, 1, 0.0, [])'] * 10000\n"
        "worker = Worker('it', functools.partial(map, eval), steps)\n"
        "worker.ask(lambda progress: print(worker.process.pid, flush=True))\n")
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
                              cwd=Path(__file__).parents[4])
    worker = int(parent.stdout.readline())
    assert alive(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    patience.until(lambda: not alive(worker))
    parent.stdout.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_worker_that_computes_ends_with_a_parent_that_was_killed():
    """It writes nothing meanwhile, and so meets no broken pipe."""
    program = (
        "import functools\n"
        "from compare.experiments.execution.worker_process import Worker\n"
        "worker = Worker('it', functools.partial(map, eval),\n"
        "                ['1', '__import__(\"time\").sleep(10_000)'])\n"
        "worker.ask()\n"
        "print(worker.process.pid, flush=True)\n"
        "worker.ask()\n")
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True,
                              cwd=Path(__file__).parents[4])
    worker = int(parent.stdout.readline())
    time.sleep(0.2)  # into its sleep
    parent.kill()
    parent.wait()
    patience.until(lambda: not alive(worker))
    parent.stdout.close()


def alive(pid: int) -> bool:
    """Whether the process exists and is more than a dead entry that nobody has collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
