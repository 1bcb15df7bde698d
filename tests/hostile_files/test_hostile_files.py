"""A short run of the fuzzer, and that it would notice."""

import pytest

from tests.hostile_files import running, watched


def test_no_spoiled_file_does_more_than_be_read_or_refused(tmp_path):
    outcome = running.run(tmp_path / "files", 60, seed=1)
    assert outcome.findings == []
    assert outcome.ended.total() == 60 and outcome.ended["refused"] > 20


ACTS = {"opens": "open('/etc/hostname').close()", "imports": "import uuid_of_nobody",
        "executes": "exec(compile('1', 'elsewhere', 'exec'))",
        "socket": "import socket; socket.socket().close()",
        "os.system": "import os; os.system('true')", "takes": "x = bytearray(150_000_000)",
        "RuntimeError": "raise RuntimeError('lost')", "ends the process": "import os; os.abort()"}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("sign", ACTS)
def test_what_a_file_must_not_do_is_noticed(sign, tmp_path, monkeypatch):
    """A reader that does it stands in for a file that would."""
    stub = tmp_path / "sitecustomize.py"
    stub.write_text(
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tests.hostile_files.samples':\n"
        "            import threading, scratch\n"
        "            before = scratch.load_model\n"
        "            def load(path):\n"
        "                if 'good' not in str(path):\n"
        "                    try:\n"
        f"                        {ACTS[sign]}\n"
        "                    except ImportError:\n"
        "                        pass\n"
        "                return before(path)\n"
        "            scratch.load_model = load\n"
        "sys.meta_path.insert(0, Finder())\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    outcome = running.run(tmp_path / "files", 1, seed=3)
    assert any(sign in what for _, what in outcome.findings), outcome.findings


def test_the_process_that_is_watched_measures_itself():
    assert 10**7 < watched.memory("VmRSS") <= watched.memory("VmHWM")
