"""Writes the pictures of a tensor that fails: its values, and where the difference lies.

Importing this loads matplotlib.
"""

import re
from pathlib import Path

from compare.document.pictures import Picture, write_pictures
from compare.report.failing_tensor import FailingTensor
from compare.report.figures.error_profile import patterns
from compare.report.figures.values import values

LONGEST = 150  # bytes of a file's name; systems take 255, with what stands before and after it


def write(found: FailingTensor, directory) -> list[Path]:
    """Two files in a directory that exists; their paths."""
    name = re.sub(r"\W+", "-", found.row.name).strip("-")
    name = name.encode()[:LONGEST].decode(errors="ignore")
    drawn = {f"{name}-values.svg": Picture("", values(found)),
             f"{name}-pattern.png": Picture("", patterns(found))}
    return [Path(directory) / path for path in write_pictures(drawn, Path(directory))]
