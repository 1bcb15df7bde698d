"""Confusion matrices as tables whose cells are shaded, and where the two sides differ."""

import numpy as np

from compare.document.html.markup import Html, element
from compare.experiments.benchmark.results import NAMES


def matrices(found: dict[str, np.ndarray], names) -> list[Html]:
    """A matrix for each side, and scratch minus Keras if there are both.

    Args:
        found: by side, (classes, classes) counts of test images.
        names: of the classes.
    """
    content = [element("p", "Rows are labels, columns predictions; shaded by the share of the "
                       "class's images.", class_="quiet")]
    drawn = []
    for side, matrix in found.items():
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        drawn.append(matrix_table(NAMES[side], matrix, share, "d", names))
    if len(found) == 2:
        difference = found["scratch"] - found["keras"]
        most = max(1, int(np.abs(difference).max()))
        same = "" if difference.any() else ": no difference"
        drawn.append(matrix_table(f"scratch − Keras{same}", difference, difference / most, "+d",
                                  names))
    return [content, element("div", drawn, class_="matrices")]


def matrix_table(title: str, numbers, shades, form: str, names) -> Html:
    """One matrix; a zero is left empty.

    Args:
        shades: from -1 to 1: the second colour below 0, the first above.
    """
    kind = "matrix long" if max(map(len, names)) > 3 else "matrix"
    head = element("tr", element("td", "label", class_="quiet"),
                   [element("th", name, scope="col") for name in names])
    lines = [element("tr", element("th", name, scope="row"),
                     [cell(numbers[i, j], shades[i, j], form) for j in range(len(names))])
             for i, name in enumerate(names)]
    return element("div", element("table", element("caption", title), element("thead", head),
                                  element("tbody", lines), class_=kind),
                   class_="scroll", role="region", aria_label=f"Confusion matrix: {title}",
                   tabindex="0")


def cell(number, shade: float, form: str) -> Html:
    """A number on its shade; never so dark that it could not be read."""
    if number == 0:
        return element("td", "")
    colour = "first" if shade > 0 else "second"
    return element("td", format(int(number), form),
                   style=f"background:color-mix(in srgb,var(--{colour}) "
                         f"{5 + 42 * abs(float(shade)):.0f}%,transparent)")
