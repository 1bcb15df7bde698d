"""Spoils good files, has them read by a watched process, and says what should not have happened."""

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.hostile_files import mutations, samples

AT_ONCE = 100  # files that one process reads
SECONDS = 5.0  # of computing for one file
BYTES = 100_000_000  # beyond what the process held, and what the file honestly holds


@dataclass
class Outcome:
    """What became of the files.

    Attributes:
        ended: how many were read, and how many refused.
        seconds, bytes: the most that any took.
        findings: (file, what it did that it should not have done).
    """

    ended: Counter = field(default_factory=Counter)
    seconds: float = 0.0
    bytes: int = 0
    findings: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: Path, result: dict) -> None:
        self.ended[result["ended"] if result["ended"] in ("read", "refused") else "other"] += 1
        self.seconds = max(self.seconds, result["seconds"])
        self.bytes = max(self.bytes, result["bytes"])
        wrong = list(result["seen"])
        if result["ended"] not in ("read", "refused"):
            wrong.append(result["ended"])
        if result["seconds"] > SECONDS:
            wrong.append(f"takes {result['seconds']:.1f} s")
        if result["bytes"] > BYTES + 3 * path.stat().st_size:
            wrong.append(f"takes {result['bytes'] / 1e6:.0f} MB")
        self.findings += [(path.name, each) for each in wrong]


def run(folder: Path, count: int, seed: int, told=lambda done: None) -> Outcome:
    """Make `count` files in a folder and have them read. Files that gave findings stay there.

    Args:
        told: is called with the number of files done so far.
    """
    good = folder / "good"
    good.mkdir(parents=True)
    sources = samples.write(good)
    canary = folder / "canary"
    canary.write_bytes(bytes(100_000))
    outcome = Outcome()
    for first in range(0, count, AT_ONCE):
        paths = []
        for number in range(first, min(first + AT_ONCE, count)):
            rng = random.Random(f"{seed} {number}")
            source = sources[number % len(sources)]
            paths.append(folder / f"{number:05}-{source.name}")
            paths[-1].write_bytes(mutations.spoiled(source, rng, canary))
        read(paths, canary, outcome)
        guilty = {name for name, _ in outcome.findings}
        for path in paths:
            if path.name not in guilty:
                path.unlink()
        told(first + len(paths))
    return outcome


def read(paths: list[Path], canary: Path, outcome: Outcome) -> None:
    """Have files read; if one ends the process, the next process goes on behind it."""
    while paths:
        done = subprocess.run([sys.executable, "-m", "tests.hostile_files.watched", str(canary),
                               *map(str, paths)], capture_output=True, text=True)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        results = lines[1::2]
        for path, result in zip(paths, results):
            outcome.add(path, result)
        paths = paths[len(results):]
        if done.returncode == 0:
            return
        if len(lines) == 2 * len(results):  # it did not begin with a file
            raise RuntimeError(f"the watched process ended with {done.returncode}: {done.stderr}")
        outcome.ended["other"] += 1
        outcome.findings.append((paths[0].name, f"ends the process with {done.returncode}: "
                                 f"{done.stderr[-500:]}"))
        paths = paths[1:]
