"""The files of a benchmark: report.md, report.json and the pictures."""

from pathlib import Path

from compare.document.files import replacing, write_text
from compare.experiments.benchmark.json_record import as_json
from compare.experiments.benchmark.report import markdown
from compare.experiments.benchmark.results import Benchmark
from compare.inputs import datasets


def write_directory(result: Benchmark, dataset: datasets.Dataset, directory) -> list[Path]:
    """Writes all files into a directory that exists; returns their paths.

    Pictures for which nothing was finished are left out, and an older file of that name is
    removed, so that a directory never mixes two runs.
    """
    from compare.experiments.benchmark.figures import pictures

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
    write_text(directory / "report.json", as_json(result))
    write_text(directory / "report.md", markdown(result, captions))
    return [directory / name for name in ("report.md", "report.json", *captions)]
