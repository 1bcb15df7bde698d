"""No output destroys an input or another output, and no option is taken for left out."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import compare
import scratch
from compare import cli
from compare.cli import COMMANDS
from tests import patience

OWN = '''
import numpy as np
import scratch


def network():
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, activation="tanh")])
    model.layers[0].activation = scratch.activations.get("tanh")._replace(function=np.sin)
    return model
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)])
    compare.record(model, np.ones((2, 3)), upstream=np.ones((2, 2))).save("g.npz")
    (tmp_path / "mine.py").write_text(OWN)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "deep.py").write_text(OWN)
    (tmp_path / "helper.py").write_text("what mine.py may import")
    (tmp_path / "weights.H5").write_text("what mine.py may read")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "t10k-labels-idx1-ubyte.gz").write_text("labels")
    np.savez("batch.npz", x=np.ones((2, 3)))
    yield tmp_path
    for name in ("mine", "deep"):  # other tests have files of these names
        sys.modules.pop(name, None)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("options, said", [
    ("check --golden g.npz --json g.npz", "--json .* g.npz, which is also what --golden names"),
    ("check --golden g.npz --json ./there/../g.npz", "also what --golden names"),
    ("check --golden link.npz --html g.npz", "--html .* also what --golden names"),
    ("check --golden g.npz --junit g.npz", "also what"),
    ("check --golden g.npz --json same --html same --junit same", "--html .* also what --json"),
    ("check --model mine:network --junit mine.py", "--junit .* also what --model names"),
    ("check --model there.deep:network --json there/deep.py", "also what --model names"),
    ("check --model m.keras --html m.keras", "also what --model names"),
    ("check --input batch.npz --json batch.npz", "also what --input names"),
    ("debug mine:network --pytest mine.py", "--pytest .* also what --model names"),
    ("debug mine:network --pytest there/deep.py", "--pytest to name a new file.*deep.py"),
    ("debug mine:network --json a --out a", "--out .* also what --json names"),
    ("record --model mine:network --out mine.py", "--out .* also what --model names"),
    ("record --input batch.npz --out batch.npz", "also what --input names"),
    ("record --out a --json a", "--json .* also what --out names"),
    ("bench --seeds 2 --out a --runs a", "--runs .* also what --out names"),
    ("fuzz --keep a --runs a", "--runs .* also what --keep names"),
    ("check --model mine:network --json helper.py", "--json to name a new file.*helper.py"),
    ("check --model mine:network --junit weights.H5", "--junit to name a new file.*weights.H5"),
    ("debug mine:network --html helper.py", "--html to name a new file.*helper.py"),
    ("debug mine:network --model mine:network --junit mine.py", "the network once"),
    ("record --model mine:network --out helper.py", "--out to name a new file.*helper.py"),
    ("check --data-dir data --json data/t10k-labels-idx1-ubyte.gz", "--json to name a new file"),
    ("bench --data-dir data --html data/t10k-labels-idx1-ubyte.gz", "--html to name a new file"),
    ("record --data-dir data --out data/t10k-labels-idx1-ubyte.gz", "--out to name a new file"),
    ("grade there --config g.npz --junit there/deep.py", "--junit to name a new file"),
    ("grade there --config g.npz --resume --junit there/deep.py", "expected --runs")])
def test_an_output_that_is_an_input_or_another_output_is_refused(folder, options, said, capsys):
    os.symlink("g.npz", "link.npz")
    (folder / "m.keras").write_bytes(b"weights")
    before = contents(folder)
    assert cli.main(options.split()) == 2
    printed = capsys.readouterr()
    assert contents(folder) == before and not printed.out
    assert re.search(said, printed.err), printed.err


def test_pytest_replaces_what_it_has_written_and_keeps_its_mode(folder, keras, capsys):
    debug = ["debug", "mine:network", "--pytest", "test_it.py"]
    assert cli.main(debug) == 1
    (folder / "test_it.py").chmod(0o640)
    text = (folder / "test_it.py").read_text()
    (folder / "test_it.py").write_text(text + "# edited\n")
    assert cli.main(debug) == 1
    assert (folder / "test_it.py").read_text() == text
    assert (folder / "test_it.py").stat().st_mode & 0o777 == 0o640


def options_with_a_value():
    """(command, option) of every option that takes a text."""
    parser = cli.build_parser()
    for name in COMMANDS:
        sub = parser._subparsers._group_actions[0].choices[name]
        for action in sub._actions:
            if action.nargs in (None, "?") and action.type is None and not action.choices:
                yield name, action.option_strings[-1] if action.option_strings else None


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize("command, option", [*options_with_a_value()])
def test_an_empty_option_is_refused(command, option, empty, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    needed = {"record": {"--out": "x.npz"},
              "grade": {"--config": "x.py", None: "x"}}.get(command, {})
    others = [part for name, value in needed.items() if name != option
              for part in ([name] if name else []) + [value]]
    assert cli.main([command, *others, *([option] if option else []), empty]) == 2
    printed = capsys.readouterr()
    place = option or ("the folder" if command == "grade" else "the network")
    assert "Received an empty text" in printed.err and place in printed.err
    assert not printed.out and not os.listdir(tmp_path)


def test_every_option_for_a_path_is_among_them():
    assert {("check", "--golden"), ("check", "--input"), ("check", "--model"), ("check", "--json"),
            ("check", "--html"), ("check", "--junit"), ("check", "--data-dir"), ("debug", None),
            ("debug", "--pytest"), ("debug", "--out"), ("record", "--out"), ("bench", "--runs"),
            ("bench", "--out"), ("fuzz", "--keep"), ("fuzz", "--address"), ("faults", "--only"),
            ("check", "--dataset")} <= set(options_with_a_value())


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="needs /dev/stdout")
def test_json_on_standard_output_takes_nothing_from_what_is_printed(folder):
    def run(stdout):
        return subprocess.run(
            [sys.executable, "-m", "compare", "check", "--golden", "g.npz", "--json",
             "/dev/stdout"], stdout=stdout, stderr=subprocess.PIPE, timeout=patience.SECONDS)

    piped = run(subprocess.PIPE)
    assert piped.returncode == 0, piped.stderr
    with open("both.txt", "wb") as out:
        out.write(b"kept\n")
        out.flush()
        assert run(out).returncode == 0
    text, _, found = piped.stdout.partition(b"\n{")
    assert b"Parity holds" in text and json.loads(b"{" + found)["passed"] is True
    assert (folder / "both.txt").read_bytes() == b"kept\n" + piped.stdout


@pytest.mark.sampled(3)
@pytest.mark.parametrize("command, said", [
    ("--json /dev/full", b"/dev/full: No space left on device"),
    ("> /dev/full", b"standard output: No space left on device"),
    ("--json >(true)", b"/dev/fd/63: Broken pipe")])
@pytest.mark.skipif(not os.path.exists("/dev/full") or not os.path.exists("/bin/bash"),
                    reason="needs a device that is always full, and bash")
def test_a_full_disk_and_a_closed_pipe_are_told_by_name(folder, command, said):
    done = subprocess.run(
        ["/bin/bash", "-c", f"{sys.executable} -m compare check --golden g.npz {command}"],
        capture_output=True, timeout=patience.SECONDS)
    assert done.returncode == 2 and said in done.stderr, done.stderr


@pytest.mark.parametrize("command, code, said", [
    ("> /dev/full", 2, b"parity: error: standard output: No space left on device"),
    ("| true; exit ${PIPESTATUS[0]}", 141, b"")])
@pytest.mark.skipif(not os.path.exists("/dev/full") or not os.path.exists("/bin/bash"),
                    reason="needs a device that is always full, and bash")
def test_what_is_printed_before_any_subcommand_is_guarded_too(command, code, said):
    done = subprocess.run(
        ["/bin/bash", "-c", f"{sys.executable} -m compare --print-completion bash {command}"],
        capture_output=True, timeout=patience.SECONDS)
    assert done.returncode == code and done.stderr.startswith(said), done.stderr
    assert len(done.stderr.splitlines()) == bool(said)
