"""Only a verdict exits 0 or 1, whatever somebody's own code does to the process.

Most cases check against a recorded trace, for which TensorFlow need not be started.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import compare
import scratch
from tests import patience

ROOT = Path(__file__).parents[3]
MINE = """
import os, signal, sys
import numpy as np
import scratch

class Ends(scratch.ReLU):
    def forward(self, x, training=False):
        {deed}
        return super().forward(x, training)

def build():
    {factory}
    model = scratch.Sequential([scratch.Input((3,)), Ends(), scratch.Dense(2)])
    return model, scratch.Sequential([scratch.Input((3,)), scratch.ReLU(), scratch.Dense(2)])
"""


GOLDEN = ("--golden", "golden.npz", "--model", "mine:build")


def parity(tmp_path, *arguments, **options):
    return subprocess.run([sys.executable, "-m", "compare", *arguments], cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
                          text=True, timeout=patience.SECONDS, **options)


def write(tmp_path, deed="pass", factory="pass"):
    """A module whose network does the deed, or whose factory does, and a trace to check it by."""
    (tmp_path / "mine.py").write_text(MINE.format(deed=deed, factory=factory))
    right = scratch.Sequential([scratch.Input((3,)), scratch.ReLU(), scratch.Dense(2)])
    compare.record(right, np.ones((2, 3)), upstream=np.ones((2, 2))).save(tmp_path / "golden.npz")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("deed, said", [
    ("os._exit(0)", "ended with exit code 0 before there was"),
    ("os._exit(1)", "ended with exit code 1 before there was"),
    ("os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL"),
    ("os.kill(os.getpid(), signal.SIGILL)", "killed by SIGILL"),
    ("os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV")])
def test_a_process_that_ends_before_the_verdict_gave_none(tmp_path, deed, said):
    write(tmp_path, deed)
    run = parity(tmp_path, "check", *GOLDEN, "--junit", "out.xml")
    assert run.returncode == 2 and run.stdout == "", run
    last = run.stderr.splitlines()[-1]
    assert last.startswith("parity check: error: ") and said in last
    suites = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert suites.get("errors") == "1" and said in suites.find(".//error").get("message")


LIVE = ("debug", "mine:build")  # with Keras


@pytest.mark.sampled(3)
@pytest.mark.parametrize("factory, said, command", [
    ("sys.exit(0)", "SystemExit", ("check", *GOLDEN)),
    pytest.param("sys.exit(0)", "SystemExit", LIVE, marks=pytest.mark.long),
    ("raise SystemExit", "SystemExit", ("check", *GOLDEN)),
    ("raise AssertionError('no')", "AssertionError: no", ("check", *GOLDEN)),
    ("raise KeyError('mysgd')", "KeyError: 'mysgd'", ("check", *GOLDEN)),
    ("os._exit(0)", "exit code 0", ("check", *GOLDEN)), ("os._exit(0)", "exit code 0", LIVE),
    ("raise RuntimeError('two\\nlines')", "RuntimeError: two lines", ("check", *GOLDEN)),
    ("raise GeneratorExit('out')", "GeneratorExit: out", ("check", *GOLDEN))])
def test_a_factory_that_raises_or_exits_gives_no_verdict(tmp_path, factory, said, command):
    write(tmp_path, factory=factory)
    run = parity(tmp_path, *command, "--junit", "out.xml")
    assert run.returncode == 2 and run.stdout == "" and "Traceback" not in run.stderr, run
    assert said in run.stderr.splitlines()[-1], run.stderr
    assert said in ElementTree.parse(tmp_path / "out.xml").find(".//error").get("message")


def test_a_script_that_exits_when_it_is_imported_gives_no_verdict(tmp_path):
    (tmp_path / "train.py").write_text("import sys\ndef build(): raise AssertionError\nsys.exit(0)")
    run = parity(tmp_path, "check", "--model", "train:build")
    assert run.returncode == 2 and run.stdout == "" and "SystemExit" in run.stderr, run


def test_the_traceback_is_there_for_those_who_ask(tmp_path, monkeypatch):
    write(tmp_path, factory="Ends.get_config = lambda self: {}['nothing']")
    run = parity(tmp_path, "check", *GOLDEN)
    assert "PARITY_TRACEBACK=1" in run.stderr and "mine.py, line" in run.stderr
    monkeypatch.setenv("PARITY_TRACEBACK", "1")
    run = parity(tmp_path, "check", *GOLDEN)
    assert run.returncode == 2 and "Traceback" in run.stderr


def test_verdicts_go_through_and_output_is_whole(tmp_path):
    write(tmp_path)
    run = parity(tmp_path, "check", *GOLDEN)
    assert run.returncode == 1 and "Parity does not hold" in run.stdout, run  # other weights
    run = parity(tmp_path, "check", "--golden", "golden.npz")
    assert run.returncode == 0 and "Parity holds" in run.stdout, run
    run = parity(tmp_path, "check", "--golden", "nowhere.npz")
    assert run.returncode == 2 and "nowhere.npz" in run.stderr
    assert parity(tmp_path, "--version").returncode == 0
    assert parity(tmp_path, "check", "--no-such-option").returncode == 2


def test_a_closed_standard_output_is_refused(tmp_path):
    run = subprocess.run(["sh", "-c", f"{sys.executable} -m compare faults --list >&-"],
                         cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                         capture_output=True, text=True, timeout=patience.SECONDS)
    assert run.returncode == 2 and run.stderr.startswith("parity: error: expected standard output")


SLOW = "import time; open('started', 'w').close(); time.sleep(10_000)"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_as_ctrl_c_does_and_leaves_no_process_behind(tmp_path, number):
    write(tmp_path, factory=SLOW)
    program = ("import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
               "import sys; from compare.cli import command\n"
               f"sys.argv = {['parity', 'check', *GOLDEN]}; sys.exit(command())")
    run = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.PIPE,
                           env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
                           text=True, start_new_session=True)
    patience.until(lambda: (tmp_path / "started").exists() or run.poll() is not None)
    run.send_signal(number)
    _, said = run.communicate(timeout=patience.SECONDS)
    assert run.returncode == 130 and "parity check: interrupted" in said, said
    with pytest.raises(ProcessLookupError):
        os.killpg(run.pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_parent_takes_its_child_along(tmp_path):
    write(tmp_path, factory=SLOW)
    with open(tmp_path / "said", "w") as said:
        run = subprocess.Popen([sys.executable, "-m", "compare", "check", *GOLDEN],
                               cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                               stderr=said, start_new_session=True)
    patience.until(lambda: (tmp_path / "started").exists() or run.poll() is not None)
    run.kill()
    run.wait()
    patience.until(lambda: not patience.is_left(run.pid))
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said and said.endswith("interrupted\n"), said


@pytest.mark.long
def test_what_a_library_says_when_it_ends_the_process_at_its_start_is_told(tmp_path, monkeypatch):
    """TensorFlow's native half ends the process by itself if it cannot read its flags."""
    write(tmp_path, factory="import reference")
    monkeypatch.setenv("TF_XLA_FLAGS", "--bogus")
    run = parity(tmp_path, "check", "--model", "mine:build")
    assert run.returncode == 2 and not run.stdout
    assert "while it was starting" in run.stderr and "TF_XLA_FLAGS: --bogus" in run.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_is_left_behind_does_not_keep_the_command(tmp_path):
    """It holds the pipe open, in which the verdict would come."""
    write(tmp_path, factory="os.fork() or __import__('time').sleep(10_000); os._exit(0)")
    run = subprocess.Popen([sys.executable, "-m", "compare", "check", *GOLDEN],
                           cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                           stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           start_new_session=True)
    try:
        assert run.wait(timeout=patience.SECONDS) == 2
    finally:
        os.killpg(run.pid, signal.SIGKILL)
