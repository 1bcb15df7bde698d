"""Runs a command of the README as its reader would: in a folder with the files it says to write."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.readme.blocks import ROOT
from tests.readme.restoring import printed_of

PROGRAMS = {"parity": ["-c", "import sys; from compare.cli import main; sys.exit(main())"],
            "python": []}
MISMATCH = "debug"  # the one command that is shown where parity does not hold: it exits with 1
PLAIN = {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8",
         "TF_CPP_MIN_LOG_LEVEL": "3", "GITHUB_ACTIONS": "false"}


@dataclass(frozen=True)
class Output:
    """What a command left behind: text, and the JSON that it wrote, if any."""

    printed: str | None
    record: dict | None = None


def run(command: str, files: dict[str, str]) -> Output:
    """Run a command; its progress goes to standard error.

    Args:
        files: texts by name, to be written first where it runs.

    Raises:
        ValueError: for a program that is neither parity nor python.
        RuntimeError: if the command could not do its work.
    """
    program, *arguments = shlex.split(command)
    if program not in PROGRAMS:
        raise ValueError(f"Expected a command of parity or python. Received: {command}")
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            Path(place, name).write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, *PROGRAMS[program], *arguments], cwd=place,
                              env={**os.environ, **PLAIN, "PYTHONPATH": path},
                              stdout=subprocess.PIPE, encoding="utf-8")
        expected = 1 if arguments[:1] == [MISMATCH] else 0
        if done.returncode != expected or not done.stdout:
            raise RuntimeError(f"Expected {command!r} to exit with {expected}, having printed "
                               f"something. Received: {done.returncode}, {done.stdout!r}")
        return Output(done.stdout, left_behind(Path(place)))


def left_behind(place: Path) -> dict | None:
    """The first JSON file that a command wrote below its folder."""
    found = sorted(place.rglob("*.json"))
    return json.loads(found[0].read_text(encoding="utf-8")) if found else None


def read(path: Path) -> Output:
    """What an earlier run left behind: its JSON, or else a file with what it printed.

    Raises:
        ValueError: for a file that is no JSON though its name says so.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        return Output(text)
    record = json.loads(text)
    return Output(printed_of(record), record)
