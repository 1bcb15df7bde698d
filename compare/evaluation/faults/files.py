"""The files of a scoring of the checks: faults.md and faults.json."""

from pathlib import Path

from compare.document.files import write_text
from compare.document.plain_json import dumps
from compare.evaluation.faults import tables
from compare.evaluation.faults.running import Result


def as_json(result: Result) -> str:
    """Every fault's and every network's outcome."""
    return dumps(tables.as_dict(result))


def write_directory(result: Result, directory) -> list[Path]:
    """Writes both into a directory that exists; returns their paths."""
    texts = {"faults.json": as_json(result), "faults.md": tables.render(result, "github")}
    for name, text in texts.items():
        write_text(Path(directory) / name, text)
    return [Path(directory) / name for name in texts]
