"""The files of a benchmark: report.md, report.json and the pictures."""

from pathlib import Path

from compare import data
from compare.benchmark.record import as_json
from compare.benchmark.report import markdown
from compare.benchmark.results import Benchmark
from compare.files import replacing, write_text


def write_json(result: Benchmark, path) -> None:
    """Everything, as JSON."""
    write_text(path, as_json(result))


def write_directory(result: Benchmark, dataset: data.Dataset, directory) -> list[Path]:
    """Writes all files into a directory that exists; returns their paths.

    Pictures for which nothing was finished are left out, and an older file of that name is
    removed, so that a directory never mixes two runs.
    """
    from compare.benchmark.pictures import pictures

    directory = Path(directory)
    drawn = pictures(result, dataset)
    captions = {}
    for name, (caption, figure) in drawn.items():
        if figure is None:
            (directory / name).unlink(missing_ok=True)
            continue
        with replacing(directory / name) as path:
            figure.savefig(path, format="png")
        captions[name] = caption
    write_json(result, directory / "report.json")
    write_text(directory / "report.md", markdown(result, captions))
    return [directory / name for name in ("report.md", "report.json", *captions)]
