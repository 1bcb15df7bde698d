"""A small image in grey with a few lines of text below it."""

import textwrap

import numpy as np

from compare.document.charts.drawing import Drawing
from compare.document.charts.palettes import palette, positions
from compare.document.charts.png import data_uri, png
from compare.document.markup import Html, element

WIDTH, SIDE = 176, 112  # of a tile, and of its image
LETTERS = 26  # of a line
LINE = 16


def tile(label: str, image: np.ndarray, scale: float, name: str, number: str,
         lines: list[tuple[str, str]]) -> Drawing:
    """A tile.

    Args:
        label: what a screen reader says of the image.
        image: (height, width), from 0, white, to `scale`, black.
        name, number: what it is, and which.
        lines: (a text, a class of the style sheet: 'good', 'failed' or '').
    """
    height = SIDE * image.shape[0] / image.shape[1]
    size = {"width": SIDE, "height": f"{height:.0f}"}
    pixels = png(positions(image.astype(float), 0, scale), palette("grey"))
    y = height + LINE + 2
    parts = [element("image", href=data_uri(pixels), class_="pixels",
                     preserveAspectRatio="none", **size),
             element("rect", class_="frame", **size),
             element("text", element("tspan", name, class_="heading"), " ",
                     element("tspan", number, class_="quiet"), y=f"{y:.0f}", class_="small")]
    for text, kind in lines:
        for i, piece in enumerate(textwrap.wrap(text, LETTERS)):
            y += LINE
            parts.append(written(piece, kind, 14 if i else 0, y))
    said = ". ".join([label, *(text for text, _ in lines)])
    return Drawing("", said, parts, WIDTH, y + 6, "tile")


def written(text: str, kind: str, x: float, y: float) -> Html:
    """A line, whose sign has the colour of its kind."""
    sign, _, rest = text.partition(" ") if kind and not x else ("", "", text)
    return element("text", element("tspan", f"{sign} ", class_=kind) if sign else None, rest,
                   x=f"{x:.0f}", y=f"{y:.0f}", class_="small")
