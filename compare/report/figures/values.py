"""Expected, actual and their difference of a tensor that fails, as a picture on its own."""

import numpy as np

from compare.checks.excerpt import Excerpt, close_up
from compare.checks.row import share
from compare.document.charts.drawing import Group, sheet
from compare.report.failing_tensor import FailingTensor
from compare.report.page_heatmaps import caption, drawings


def values(found: FailingTensor) -> str:
    """The panels around the worst element, which is framed, as the text of an SVG file."""
    part, index = panels(found)
    side = ", the reference's" if found.row.off == "reference" else ""
    shown = drawings(part, found.row.name)
    columns = 3 if max(drawing.width for drawing in shown) < 400 else 1
    return sheet(f"{found.row.name}{side}, on {found.about}", reading(found, part, index),
                 [Group("", shown, columns)])


def panels(found: FailingTensor) -> tuple[Excerpt, tuple]:
    """(the tensor as panels, or those around the worst element; that element's index)."""
    error = np.abs(found.difference)
    error = np.where(np.isnan(error), np.inf, error)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(error), error.shape))
    used = share(error, found.allowed)
    part = close_up(found.row.tensor, found.actual, found.expected, found.allowed, used, index)
    assert part is not None, "a tensor that fails is not empty"
    return part, index


def reading(found: FailingTensor, part: Excerpt, index: tuple) -> str:
    """What is shown, where the worst element is, and which panels there are, by the axes."""
    place = ", ".join(f"{name} {i}" for name, i in zip(found.axes, index))
    said = [caption(part), f"It is at {place}."]
    names = panel_names(found, part, index)
    if len(names) > 1:
        said.append(f"Panels, line by line: {names[0]} to {names[-1]}.")
    if not np.isfinite(part.difference).all():
        said.append("Magenta: not finite.")
    return " ".join(said)


def panel_names(found: FailingTensor, part: Excerpt, index: tuple) -> list[str]:
    """What each panel shows, by the axes that it stands for; [] for a tensor of one panel."""
    plane = ("height", "width")
    if part.panels == 1 or not set(plane) <= set(found.axes):
        return []
    kept = [i for i, name in enumerate(found.axes) if name not in (*plane, "sample")]
    sizes = [found.actual.shape[i] for i in kept]
    first = int(np.ravel_multi_index([index[i] for i in kept], sizes)) - part.mark[0]
    return [", ".join(f"{found.axes[i]} {n}" for i, n in zip(kept, np.unravel_index(k, sizes)))
            for k in range(first, first + len(part.actual))]
