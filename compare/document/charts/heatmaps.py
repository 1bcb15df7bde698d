"""Tensors as pictures: panels side by side, with the range of their values and the worst place."""

import math

import numpy as np

from compare.document.charts.drawing import Drawing, length
from compare.document.charts.palettes import GAP, palette, positions
from compare.document.charts.png import data_uri, png
from compare.document.markup import Html, element

WIDE = 240  # pixels that a picture should fill
BAR, BAR_HEIGHT = 54, 11  # of a legend
TITLE = 20  # the height of a title, above the picture


def figure(panels: np.ndarray, label: str, title: str, scale: str, low: float, high: float,
           mark: tuple[int, int, int] | None = None) -> Drawing:
    """A picture of panels (count, height, width) with its title and the range of its colours.

    Args:
        label: what a screen reader says of it.
        scale: of `palettes.SCALES`.
        mark: (panel, row, column) of a point to be framed.
    """
    pixels, columns = mosaic(panels, low, high)
    height, width = pixels.shape
    zoom = max(1, min(24, WIDE // width))
    if height * zoom > 2 * WIDE:
        zoom = max(1, 2 * WIDE // height)
    across, down = width * zoom, height * zoom
    parts = [element("text", title, y=13, class_="heading"),
             element("image", href=data_uri(png(pixels, palette(scale))), y=TITLE, width=across,
                     height=down, class_="pixels", preserveAspectRatio="none")]
    if mark is not None:
        parts.append(marker(mark, panels.shape, columns, zoom))
    parts.append(legend(scale, low, high, TITLE + down + 17))
    texts = length("".join(ends(low, high))) + BAR + 16
    return Drawing("", label, parts, max(across, length(title), texts), TITLE + down + 23,
                   "heatmap")


def legend(scale: str, low: float, high: float, y: float) -> Html:
    """The colours' range in numbers, on the line `y`."""
    if low == high:
        return element("text", f"all {low:.3g}", y=y)
    least, most = ends(low, high)
    begin = length(least) + 6
    return element("g", element("text", least, x=f"{begin - 6:.0f}", y=y, text_anchor="end"),
                   element("rect", x=f"{begin:.0f}", y=y - BAR_HEIGHT, width=BAR,
                           height=BAR_HEIGHT, fill=f"url(#scale-{scale})"),
                   element("text", most, x=f"{begin + BAR + 6:.0f}", y=y))


def ends(low: float, high: float) -> tuple[str, str]:
    """Both ends of a range in as few digits, three at least, as tell them apart."""
    return next(((least, most) for digits in range(3, 10) if
                 (least := f"{low:.{digits}g}") != (most := f"{high:.{digits}g}")),
                (f"{low:.9g}", f"{high:.9g}"))


def mosaic(panels: np.ndarray, low: float, high: float) -> tuple[np.ndarray, int]:
    """(palette positions of all panels in a grid with gaps of one point, the grid's columns)."""
    count, height, width = panels.shape
    columns = max(1, min(count, round(math.sqrt(count * (height + 1) / (width + 1)))))
    rows = -(-count // columns)
    whole = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), GAP, np.uint8)
    for i, panel in enumerate(panels):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        whole[top:top + height, left:left + width] = positions(panel, low, high)
    return whole, columns


def marker(mark: tuple[int, int, int], shape: tuple[int, ...], columns: int, zoom: int) -> Html:
    """A frame around one point of a mosaic, of which each takes `zoom` pixels."""
    panel, row, column = mark
    top = (panel // columns) * (shape[1] + 1) + row
    left = (panel % columns) * (shape[2] + 1) + column
    return element("rect", class_="mark", x=left * zoom - 1, y=TITLE + top * zoom - 1,
                   width=zoom + 2, height=zoom + 2)


def extent(values: np.ndarray) -> tuple[float, float]:
    """The least and the largest finite value; (0, 0) if there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
