"""The files of a benchmark: report.md, report.json and the pictures."""

from pathlib import Path

from compare.document.files import write_text
from compare.document.pictures import write_pictures
from compare.experiments.benchmark.json_record import as_json
from compare.experiments.benchmark.report import markdown
from compare.experiments.benchmark.results import Benchmark
from compare.inputs import datasets


def write_directory(result: Benchmark, dataset: datasets.Dataset, directory) -> list[Path]:
    """Writes all files into a directory that exists; returns their paths."""
    from compare.experiments.benchmark.figures import pictures

    directory = Path(directory)
    captions = write_pictures(pictures(result, dataset), directory)
    write_text(directory / "report.json", as_json(result))
    write_text(directory / "report.md", markdown(result, captions))
    return [directory / name for name in ("report.md", "report.json", *captions)]
