"""Writes the pictures of a tensor that fails: its values, and where the difference lies.

Importing this loads matplotlib.
"""

import re
from pathlib import Path

from compare.document import files
from compare.report.failing_tensor import FailingTensor
from compare.report.figures.error_profile import patterns
from compare.report.figures.values import values


def write(found: FailingTensor, directory) -> list[Path]:
    """Two PNG files in a directory that exists; their paths."""
    name = re.sub(r"\W+", "-", found.row.name).strip("-")
    written = []
    for what, draw in (("values", values), ("pattern", patterns)):
        path = Path(directory) / f"{name}-{what}.png"
        figure = draw(found)
        with files.replacing(path) as target:
            figure.savefig(target, format="png")
        written.append(path)
    return written
