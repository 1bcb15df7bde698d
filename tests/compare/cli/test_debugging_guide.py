"""The guide to debugging is run from top to bottom: its file is written, its commands are run, and
what it shows of their output must come."""

import re
import shlex
import sys
from pathlib import Path

import pytest

import compare
from compare.cli import main
from compare.diagnosis.catalogue import CATALOGUE

GUIDE = Path(compare.__file__).parent / "guides" / "DEBUGGING.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
CODE = "\n\n".join(text for kind, text in BLOCKS if kind == "python")
CONSOLE = [text for kind, text in BLOCKS if kind == "console"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, keras):
    path = tmp_path_factory.mktemp("guide")
    (path / "mine.py").write_text(CODE, encoding="utf-8")
    yield path
    sys.modules.pop("mine", None)


def run(command: str, folder, capsys, monkeypatch) -> tuple[str, int]:
    """(what a command of the guide prints, its exit code)."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    program, *arguments = shlex.split(command)
    if program == "parity":
        code = main(arguments)
        return capsys.readouterr().out, code
    assert program == "pytest"
    # in this process, where Keras is running already
    code = pytest.main(["-p", "no:cacheprovider", "--rootdir", str(folder), *arguments])
    return capsys.readouterr().out, code


@pytest.mark.parametrize("text", CONSOLE, ids=lambda text: text.splitlines()[0][2:])
def test_a_command_does_what_the_guide_says(folder, capsys, monkeypatch, text):
    first, *expected = text.splitlines()
    assert first.startswith("$ ") and expected
    printed, code = run(first[2:], folder, capsys, monkeypatch)
    rest = printed
    for line in expected:  # in this order
        assert line in rest, f"{line!r} is missing in:\n{printed}"
        rest = rest[rest.index(line):]
    assert code == (0 if "repaired" in first or "pytest -q mine.py" in first else 1)


def test_the_guide_ends_in_a_minimal_failing_case_and_runs_enough():
    commands = [text.splitlines()[0] for text in CONSOLE]
    assert len(commands) >= 7
    assert any("--pytest" in command for command in commands)
    assert any("--out" in command for command in commands)


def test_causes_that_the_guide_names_are_in_the_catalogue():
    named = {name for line in GUIDE.read_text(encoding="utf-8").splitlines()
             if line.startswith("| ") for name in re.findall(r"`([a-z]+(?:-[a-z]+)*)`", line)
             if "=" not in line}
    assert {"kernel-flipped", "overlap-overwritten", "scale", "sign"} <= named
    assert named <= set(CATALOGUE), named - set(CATALOGUE)
