"""One change at a time is made to a copy of the project, and the tests that are to notice are run.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("compare", "scratch", "reference", "tests", "pyproject.toml", "README.md")
SECONDS = 3600  # for the tests of one mutation


@dataclass(frozen=True)
class Mutation:
    """A change that the tests should notice.

    Attributes:
        name: what is changed, in a few words.
        file: which file, from the project's root.
        old, new: a text that occurs there once, and what takes its place.
        tests: what should fail, as pytest takes it, from the folder tests.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file's text, changed.

        Raises:
            ValueError: if the old text does not occur exactly once.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: expected {self.old!r} once in {self.file}. Received: "
                             f"{text.count(self.old)} times")
        return text.replace(self.old, self.new)


def copied(folder: Path) -> Path:
    """A copy of the project in that folder."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def noticed(mutation: Mutation, project: Path) -> bool:
    """Whether a test fails on a copy of the project with this change, which is undone afterwards.

    Raises:
        RuntimeError: if the tests could not be run, or did not end.
    """
    path = project / mutation.file
    before = path.read_text()
    path.write_text(mutation.applied(before))
    try:
        tests = [f"tests/{test}" for test in mutation.tests]
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider",
             "-m", "long or not long", *tests],
            cwd=project, env={**os.environ, "PYTHONPATH": str(project),
                              "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{mutation.name}: expected its tests to end within {SECONDS} s"
                           ) from None
    finally:
        path.write_text(before)
    # 1: tests failed; 2 and 4: the changed code does not even import
    if run.returncode not in (0, 1, 2, 4):
        raise RuntimeError(f"{mutation.name}: expected pytest to run. Received:\n"
                           f"{run.stdout[-2000:]}{run.stderr[-2000:]}")
    return run.returncode != 0
