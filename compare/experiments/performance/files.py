"""The files of a measurement of speed: speed.md, speed.json and the plots."""

from pathlib import Path

from compare.document.files import write_text
from compare.document.pictures import write_pictures
from compare.experiments.performance.json_record import as_json
from compare.experiments.performance.report import markdown
from compare.experiments.performance.results import Speed


def write_directory(result: Speed, directory) -> list[Path]:
    """Writes all files into a directory that exists; returns their paths."""
    from compare.experiments.performance.figures import pictures

    directory = Path(directory)
    captions = write_pictures(pictures(result), directory)
    write_text(directory / "speed.json", as_json(result))
    write_text(directory / "speed.md", markdown(result, captions))
    return [directory / name for name in ("speed.md", "speed.json", *captions)]
