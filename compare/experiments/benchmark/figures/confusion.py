"""Both confusion matrices, and where they differ."""

import numpy as np
from matplotlib.figure import Figure

from compare.document.figure_style import new_figure, put_title
from compare.experiments.benchmark import tables
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark


def confusion(result: Benchmark) -> Figure | None:
    """A matrix for each side that finished an epoch, and scratch minus Keras if both did."""
    found = {side: tables.figures_of(result, side) for side in SIDES}
    matrices = {NAMES[side]: f.confusion for side, f in found.items() if f is not None}
    if not matrices:
        return None
    panels = len(matrices) + (len(matrices) == 2)
    figure = new_figure(6.1 * panels, 6.8)
    put_title(figure, "Test images by class: rows are labels, columns predictions", result.title)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for ax, (name, matrix) in zip(axes, matrices.items()):
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)  # of each class's images
        draw(ax, matrix, share, "Blues", 0, 1, "d", result.data.class_names)
        ax.set_title(name, fontsize=13)
    if len(matrices) == 2:
        first, second = matrices.values()
        difference = first - second
        most = max(1, np.abs(difference).max())
        draw(axes[2], difference, difference / most, "PuOr", -1, 1, "+d", result.data.class_names)
        same = "" if difference.any() else ": no difference"
        axes[2].set_title(f"{NAMES['scratch']} - {NAMES['keras']}{same}", fontsize=13)
    return figure


def draw(axes, numbers, shades, colours: str, low: float, high: float, form: str, names) -> None:
    """One matrix: each cell shaded, and its number in it unless that is 0."""
    axes.imshow(shades, cmap=colours, vmin=low, vmax=high)
    for i, j in np.argwhere(numbers != 0):
        dark = (abs(shades[i, j]) if low < 0 else shades[i, j]) > 0.55
        axes.text(j, i, format(numbers[i, j], form), ha="center", va="center", fontsize=9,
                  color="white" if dark else "black")
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), names, **(slanted if max(map(len, names)) > 3 else {}))
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#DDDDDD", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
