"""Results on disk: one JSON file per job, complete or not there at all.

A folder belongs to one set of jobs. Its `campaign.json` says what was asked for, so that results of
different questions are never mixed.
"""

import json
import re
from pathlib import Path
from typing import Any

from compare.document.files import write_text
from compare.document.plain_json import dumps

MANIFEST = "campaign.json"


class Store:
    """The results in a folder; made if it is missing.

    Args:
        directory: the folder; None keeps results in memory alone.
        asked: what all jobs of this set have in common, as plain values.
        resume: keep the results that are there already.

    Raises:
        ValueError: if the folder holds results and `resume` is False, if they answer to another
            question, or if a file in it is not what this class wrote.
        OSError: if it cannot be written to.
    """

    def __init__(self, directory=None, asked: dict | None = None, resume: bool = False):
        self.directory = None if directory is None else Path(directory)
        self.results: dict[str, Any] = {}
        if self.directory is None:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        asked = json.loads(dumps(asked or {}))  # as it reads back
        manifest = self.directory / MANIFEST
        if manifest.exists():
            self._require_same(manifest, asked, resume)
        else:
            write_text(manifest, dumps({"asked": asked}))
        for path in sorted(self.directory.glob("result-*.json")):
            result = read(path)
            if not isinstance(result, dict) or {"key", "result"} - result.keys():
                raise ValueError(f"{path}: expected a result with 'key' and 'result'. "
                                 "Received other JSON; remove the file to have it made again")
            self.results[result["key"]] = result["result"]

    def _require_same(self, manifest: Path, asked: dict, resume: bool) -> None:
        before = read(manifest)
        if not isinstance(before, dict) or not isinstance(before.get("asked"), dict):
            raise ValueError(f"{manifest}: expected what the jobs were asked for. Received other "
                             "JSON; choose another directory")
        before = before["asked"]
        if before != asked:
            differing = [f"{key}: {before.get(key)!r} there, {asked.get(key)!r} now"
                         for key in {**before, **asked} if before.get(key) != asked.get(key)]
            raise ValueError(f"{self.directory}: expected jobs with the same settings. "
                             f"Received: {'; '.join(differing)}. Choose another directory")
        if not resume and any(manifest.parent.glob("result-*.json")):
            raise ValueError(f"{self.directory}: expected an empty directory, as there is no "
                             "--resume. Received one with results: add --resume to keep them, or "
                             "choose another")

    def put(self, key: str, result) -> None:
        """Keep a result, on disk before this returns."""
        if self.directory is not None:
            write_text(self.directory / filename(key), dumps({"key": key, "result": result}))
        self.results[key] = result


def filename(key: str) -> str:
    """Of one result."""
    return f"result-{re.sub(r'[^A-Za-z0-9._-]', '_', key)}.json"


def read(path: Path) -> dict:
    """A file's JSON.

    Raises:
        ValueError: if it is none.
    """
    try:
        return json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected JSON. Received: {error}; remove the file to have it "
                         "made again") from None
