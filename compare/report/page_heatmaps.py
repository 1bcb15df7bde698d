"""The excerpt of a row as three pictures: expected, actual, and their difference."""

import numpy as np

from compare.checks.excerpt import Excerpt
from compare.document.charts.drawing import Drawing
from compare.document.charts.heatmaps import extent, figure
from compare.document.markup import Html, element


def heatmaps(found: Excerpt, name: str) -> Html:
    """Expected, actual and their difference, and what they show."""
    return element("div", element("div", [drawing.svg() for drawing in drawings(found, name)],
                                  class_="pictures"),
                   element("p", caption(found), class_="quiet"))


def drawings(found: Excerpt, name: str) -> list[Drawing]:
    """Expected, actual and their difference, with a mark at the worst element."""
    both = np.concatenate([found.expected, found.actual])
    low, high = extent(both)
    most = extent(np.abs(found.difference))[1]
    scale = "diverging" if low < 0 < high else "sequential"
    if scale == "diverging":
        low, high = -max(-low, high), max(-low, high)
    return [figure(found.expected, f"expected {name}", "expected", scale, low, high, found.mark),
            figure(found.actual, f"actual {name}", "actual", scale, low, high, found.mark),
            figure(found.difference, f"difference {name}", "actual − expected", "diverging",
                   -most, most, found.mark)]


def caption(found: Excerpt) -> str:
    """What is shown, and how."""
    text = f"Shown: {found.caption}"
    if len(found.actual) < found.panels:
        text += f" ({len(found.actual)} of {found.panels} panels)"
    if found.block != (1, 1):
        down, across = found.block
        text += (f"; each point stands for {down} × {across} elements and shows the one at which "
                 "the two differ most")
    return text + ". The frame marks the worst element."
