"""Results on disk: one JSON file per job, complete or not there at all.

A folder belongs to one set of jobs. Its `campaign.json` says what was asked for, so that results of
different questions are never mixed: jobs with other settings get a folder inside it, `set-2` and so
on. Each result holds its job's key and argument besides, and the
SHA-256 of them all and of what was asked for: an altered result, a copy under another name and one
from another folder are noticed when it is read.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from compare.document.files import write_text
from compare.document.plain_json import dumps

MANIFEST = "campaign.json"
SCHEMA = "keras-parity result 1"
ENTRIES = ("schema", "key", "argument", "result", "seal")
AGAIN = "remove the file to have it made again"


class Store:
    """The results in a folder; made if it is missing.

    Args:
        directory: the folder; None keeps results in memory alone. If it belongs to jobs with
            other settings, the first inside it that does not: see `directory` for which.
        asked: what all jobs of this set have in common, as plain values.
        resume: keep the results that are there already.

    Raises:
        ValueError: if the folder holds results and `resume` is False, if nothing says which
            question they answer, or if a file in it is not what this class wrote.
        OSError: if it cannot be written to.
    """

    def __init__(self, directory=None, asked: dict | None = None, resume: bool = False):
        self.directory = None if directory is None else Path(directory)
        self.results: dict[str, Any] = {}
        self._arguments: dict[str, Any] = {}  # of the jobs that the folder's results came from
        self._asked = read_back(asked or {})
        self.moved = ""  # why the results are in a folder inside the one that was named
        if self.directory is None:
            return
        self.directory = self._own_folder(self.directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        manifest = self.directory / MANIFEST
        stored = sorted(self.directory.glob("result-*.json"))
        if stored and not manifest.exists():
            raise ValueError(f"{self.directory}: expected {MANIFEST} beside the results, which "
                             f"says what they answer. Received {len(stored)} without it. Choose "
                             "another directory")
        if stored and not resume:
            raise ValueError(f"{self.directory}: expected an empty directory, as there is no "
                             "--resume. Received one with results: add --resume to keep them, or "
                             "choose another")
        if not manifest.exists():
            write_text(manifest, dumps({"asked": self._asked}))
        for path in stored:
            self._take(path)

    def _own_folder(self, directory: Path) -> Path:
        """The folder itself, or the first set inside it that nobody has or that has these settings.
        """
        whole, number = directory, 1
        while (manifest := directory / MANIFEST).exists():
            before = asked_of(manifest)
            if before == self._asked:
                break
            if not self.moved:
                differing = ", ".join(sorted(key for key in {**before, **self._asked}
                                             if before.get(key) != self._asked.get(key)))
                self.moved = f"{whole} has results of other settings ({differing})"
            number += 1
            directory = whole / f"set-{number}"
        return directory

    def _take(self, path: Path) -> None:
        """Read one result, once it is sure that it is what was written under this name."""
        kept = read(path, AGAIN)
        if not isinstance(kept, dict) or set(kept) != set(ENTRIES) or kept["schema"] != SCHEMA:
            raise ValueError(f"{path}: expected a result with {', '.join(map(repr, ENTRIES))}, "
                             f"schema {SCHEMA!r}. Received other JSON; {AGAIN}")
        if kept["seal"] != self._seal(kept) or path.name != filename(kept["key"]):
            raise ValueError(f"{path}: expected a result as it was written, in its own file of its "
                             "own folder. Received one that was altered or copied there; "
                             f"{AGAIN}")
        self.results[kept["key"]] = kept["result"]
        self._arguments[kept["key"]] = kept["argument"]

    def put(self, key: str, result, argument=None) -> None:
        """Keep a result, on disk before this returns.

        Args:
            argument: of the job that it came from.
        """
        if self.directory is not None:
            kept = read_back({"schema": SCHEMA, "key": key, "argument": plain_argument(argument),
                              "result": result})
            write_text(self.directory / filename(key),
                       dumps({**kept, "seal": self._seal(kept)}))
        self.results[key] = result

    def hold_against(self, jobs: Iterable) -> None:
        """Hold the folder's results against the jobs that are to be answered by them.

        Raises:
            ValueError: for a result of another argument, or one that is no answer to its job.
        """
        for job in jobs:
            if job.key not in self._arguments:
                continue
            try:
                now, before = read_back(plain_argument(job.question)), self._arguments[job.key]
                if before != now:
                    raise ValueError(f"expected an answer to {now!r:.300}. Received one to "
                                     f"{before!r:.300}")
                if job.answered is not None:
                    job.answered(job.argument, self.results[job.key])
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                said = error if type(error) is ValueError else f"expected a whole result. " \
                    f"Received one that lacks or mistakes something: {error!r}"
                path = self.directory and self.directory / filename(job.key)
                raise ValueError(f"{path}: {said}; {AGAIN}") from None

    def _seal(self, kept: dict) -> str:
        """The SHA-256 of a result, of whose it is, and of what the folder's jobs were asked."""
        sealed = {**{name: kept[name] for name in ENTRIES if name != "seal"}, "asked": self._asked}
        return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()


def asked_of(manifest: Path) -> dict:
    """What a folder's jobs were asked for.

    Raises:
        ValueError: if the file does not say.
    """
    before = read(manifest, "Choose another directory")
    if not isinstance(before, dict) or not isinstance(before.get("asked"), dict):
        raise ValueError(f"{manifest}: expected what the jobs were asked for. Received other "
                         "JSON; choose another directory")
    return before["asked"]


def filename(key: str) -> str:
    """Of one result."""
    return f"result-{re.sub(r'[^A-Za-z0-9._-]', '_', str(key))}.json"


def plain_argument(argument):
    """A job's argument as plain values, so far as JSON knows them."""
    if is_dataclass(argument) and not isinstance(argument, type):
        return asdict(argument)
    if isinstance(argument, range):
        return list(argument)
    if isinstance(argument, (list, tuple)):
        return [plain_argument(each) for each in argument]
    return argument


def read_back(value):
    """A value as it is after it has been written to a file and read again."""
    return json.loads(dumps(value))


def read(path: Path, advice: str) -> dict:
    """A file's JSON.

    Raises:
        ValueError: if it is none, ending in what to do.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON. Received: {error}; {advice}") from None
