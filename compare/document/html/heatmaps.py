"""Tensors as pictures: panels side by side, with the range of their values and the worst place."""

import math

import numpy as np

from compare.document.html.markup import Html, element
from compare.document.html.palettes import GAP, palette, positions
from compare.document.html.png import data_uri, png

WIDE = 240  # pixels of the page that a picture should fill


def figure(panels: np.ndarray, alt: str, title: str, scale: str, low: float, high: float,
           mark=None) -> Html:
    """A picture of panels (count, height, width) with its title and the range of its colours."""
    pixels, columns = mosaic(panels, low, high)
    height, width = pixels.shape
    zoom = max(1, min(24, WIDE // width))
    if height * zoom > 2 * WIDE:
        zoom = max(1, 2 * WIDE // height)
    picture = element("img", src=data_uri(png(pixels, palette(scale))), alt=alt,
                      width=width * zoom, height=height * zoom)
    frame = None
    if mark is not None:
        frame = marker(mark, panels.shape, columns, height, width)
    return element("figure",
                   element("div", picture, frame, class_="picture",
                           style=f"width:{width * zoom}px"),
                   element("figcaption", element("b", title), " ",
                           legend(scale, low, high)), class_="heatmap")


def legend(scale: str, low: float, high: float) -> Html:
    """The colours' range in numbers."""
    if low == high:
        return element("span", f"all {low:.3g}")
    return element("span", f"{low:.3g}", element("span", class_=f"scale {scale}",
                                                aria_hidden="true"),
                   f"{high:.3g}", class_="range")


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


def marker(mark, shape, columns: int, height: int, width: int) -> Html:
    """A frame around one point of a mosaic, in per cent, so that it scales with the picture."""
    panel, row, column = mark
    top = (panel // columns) * (shape[1] + 1) + row
    left = (panel % columns) * (shape[2] + 1) + column
    place = {"left": left / width, "top": top / height, "width": 1 / width, "height": 1 / height}
    return element("span", class_="mark", aria_hidden="true",
                   style=";".join(f"{key}:{100 * value:.3f}%" for key, value in place.items()))


def extent(values: np.ndarray) -> tuple[float, float]:
    """The least and the largest finite value; (0, 0) if there is none."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
