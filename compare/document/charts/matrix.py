"""A matrix of numbers, each on a shade; its rows and cells can be read one by one."""

from collections.abc import Sequence

import numpy as np

from compare.document.charts.drawing import Drawing, length
from compare.document.markup import Html, element

WIDTH, HEIGHT = 38, 25  # of a cell
SIZE = 12  # of letters
DARKEST = 0.47  # share of the colour: so the number on it can be read, on light and on dark ground


def matrix(heading: str, label: str, numbers: np.ndarray, shades: np.ndarray, form: str,
           names: Sequence[str]) -> Drawing:
    """A picture of (n, n) numbers; a zero is left empty.

    Args:
        shades: from -1 to 1: the second colour below 0, the first above.
        form: of a number, such as '+d'.
        names: of rows and of columns.
    """
    left = max(length(name, SIZE) for name in names) + 8
    slanted = max(map(len, names)) > 3
    top = (0.72 * (left - 8) + 14) if slanted else 22
    count = len(names)
    lines = [element("g", head(name, left, top + HEIGHT * i, "row"), [
        cell(numbers[i][j], float(shades[i][j]), form, left + WIDTH * j, top + HEIGHT * i)
        for j in range(count)], role="row") for i, name in enumerate(names)]
    heads = element("g", [head(name, left + WIDTH * j, top, "slanted" if slanted else "column")
                          for j, name in enumerate(names)], role="row")
    # the last slanted name reaches over the edge
    beyond = max(0.0, 0.72 * length(names[-1], SIZE) - WIDTH / 2) if slanted else 0.0
    return Drawing(heading, label, [heads, lines], left + WIDTH * count + 1 + beyond,
                   top + HEIGHT * count + 1, "matrix", "table")


def head(name: str, x: float, y: float, how: str) -> Html:
    """A name: left of its row, or over its column."""
    if how == "row":
        return element("text", name, x=f"{x - 6:.0f}", y=f"{y + 17:.0f}", text_anchor="end",
                       class_="small", role="rowheader")
    middle = x + WIDTH / 2
    if how == "slanted":
        return element("text", name, transform=f"translate({middle - 2:.0f} {y - 6:.0f}) "
                       "rotate(-45)", class_="small", role="columnheader")
    return element("text", name, x=f"{middle:.0f}", y=f"{y - 6:.0f}", text_anchor="middle",
                   class_="small", role="columnheader")


def cell(number: float, shade: float, form: str, x: float, y: float) -> Html:
    """A number on its shade."""
    place = {"x": f"{x:.0f}", "y": f"{y:.0f}", "width": WIDTH, "height": HEIGHT}
    frame = element("rect", class_="frame", **place)
    if number == 0:
        return element("g", frame, role="cell")
    strength = f"{0.05 + (DARKEST - 0.05) * abs(shade):.2f}"
    return element("g", element("rect", class_="shade", fill_opacity=strength, **place), frame,
                   element("text", format(int(number), form), x=f"{x + WIDTH / 2:.0f}",
                           y=f"{y + 17:.0f}", text_anchor="middle", class_="small"),
                   class_="first" if shade > 0 else "second", role="cell")
