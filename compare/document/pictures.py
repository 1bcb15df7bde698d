"""The pictures of a folder: SVG as text, and what matplotlib draws."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compare.document.files import write_text
from scratch.files.atomic import replacing


@dataclass(frozen=True)
class Picture:
    """A picture with its caption.

    Attributes:
        drawn: the text of an SVG file, or a matplotlib figure; None if too little was finished.
    """

    caption: str
    drawn: Any


def write_pictures(pictures: dict[str, Picture], directory: Path) -> dict[str, str]:
    """Writes pictures, by file name, into a directory that exists; returns their captions.

    For one that could not be drawn an older file of that name is removed, so that a directory never
    mixes two runs.
    """
    captions = {}
    for name, picture in pictures.items():
        path = directory / name
        if picture.drawn is None:
            path.unlink(missing_ok=True)
            continue
        if isinstance(picture.drawn, str):
            write_text(path, picture.drawn)
        else:
            with replacing(path) as target:
                picture.drawn.savefig(target, format=path.suffix[1:])
        captions[name] = picture.caption
    return captions
