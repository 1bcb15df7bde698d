"""The files of a measurement of speed: speed.md, speed.json and the plots."""

from pathlib import Path

from compare.document.files import replacing, write_text
from compare.experiments.performance.json_record import as_json
from compare.experiments.performance.report import markdown
from compare.experiments.performance.results import Speed


def write_directory(result: Speed, directory) -> list[Path]:
    """Writes all files into a directory that exists; returns their paths.

    A plot for which nothing was finished is left out, and an older file of that name is removed,
    so that a directory never mixes two runs.
    """
    from compare.experiments.performance.figures import pictures

    directory = Path(directory)
    captions = {}
    for name, (caption, figure) in pictures(result).items():
        if figure is None:
            (directory / name).unlink(missing_ok=True)
            continue
        with replacing(directory / name) as path:
            figure.savefig(path, format="png")
        captions[name] = caption
    write_text(directory / "speed.json", as_json(result))
    write_text(directory / "speed.md", markdown(result, captions))
    return [directory / name for name in ("speed.md", "speed.json", *captions)]
