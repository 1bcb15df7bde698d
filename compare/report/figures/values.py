"""Expected, actual and their difference, as pictures one below the other."""

import textwrap

import numpy as np
from matplotlib.colors import Normalize, SymLogNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from compare.checks.excerpt import Excerpt, close_up
from compare.checks.row import share
from compare.document.figure_style import INK, new_figure
from compare.report.failing_tensor import FailingTensor

COLUMNS = 6  # panels beside one another
DECADES = 6  # of the difference that the colours tell apart, below which it fades into zero
NOT_FINITE = "#CC79A7"
INCHES = 0.078  # that a character of a heading takes
TITLES = ("expected", "actual", "actual − expected")


def values(found: FailingTensor) -> Figure:
    """Three rows of panels around the worst element, which is framed."""
    part, index = panels(found)
    shown = chosen(part)
    names = panel_names(found, part, index)
    height, width = part.actual.shape[1:]
    across = 1.9 if len(shown) > 1 else 3.6  # inches of one panel
    down = float(np.clip(across * height / width, 0.45, 2.0))
    figure = new_figure(1.5 + (across + 0.1) * len(shown), 1.0 + 3 * (down + 0.3))
    figure.suptitle(heading(found, part, len(shown), figure.get_figwidth()), fontsize=10, color=INK)
    grid = figure.subplots(3, len(shown), squeeze=False)
    for row, (title, arrays, (norm, colours)) in enumerate(zip(
            TITLES, (part.expected, part.actual, part.difference), scales(found, part))):
        for axes, panel in zip(grid[row], shown):
            image = draw(axes, arrays[panel], norm, colours)
            if panel == part.mark[0]:
                frame(axes, part.mark[1:])
            if row == 0 and names:
                axes.set_title(names[panel], fontsize=8, color=INK)
        grid[row][0].set_ylabel(title, fontsize=9, color=INK)
        bar = figure.colorbar(image, ax=list(grid[row]), fraction=0.05, pad=0.02)
        bar.ax.tick_params(labelsize=7)
        if isinstance(norm, SymLogNorm):
            bar.set_ticks(signed_ticks(norm.vmax, norm.linthresh))
            bar.ax.minorticks_off()
    return figure


def panels(found: FailingTensor) -> tuple[Excerpt, tuple]:
    """(the tensor as panels, or those around the worst element; that element's index)."""
    error = np.abs(found.difference)
    error = np.where(np.isnan(error), np.inf, error)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(error), error.shape))
    used = share(error, found.allowed)
    return close_up(found.row.tensor, found.actual, found.expected, found.allowed, used,
                    index), index


def chosen(part: Excerpt) -> list[int]:
    """Which panels to draw, among them the one with the worst element."""
    count = min(COLUMNS, len(part.actual))
    start = min(max(0, part.mark[0] - count // 2), len(part.actual) - count)
    return list(range(start, start + count))


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


def scales(found: FailingTensor, part: Excerpt) -> list[tuple]:
    """(scale, colours) of expected, actual and difference; the first two share theirs.

    What rounding can explain is pale in the difference.
    """
    both = np.concatenate([part.expected, part.actual])
    low, high = finite_range(both)
    if low < 0 < high:
        most = max(-low, high)
        scale = TwoSlopeNorm(0, -most, most), "PuOr"
    else:
        scale = Normalize(low, high if high > low else low + 1), "viridis"
    most, pale = reach(found, part.difference)
    signed = SymLogNorm(pale, vmin=-most, vmax=most, linscale=0.3)
    return [scale, scale, (signed, "RdBu_r")]


def reach(found: FailingTensor, difference: np.ndarray) -> tuple[float, float]:
    """(the largest difference that a scale has to show, below which one it is to be pale)."""
    allowed = float(found.allowed[np.isfinite(found.allowed)].max(initial=0))
    most = max(*np.abs(finite_range(difference)), 10 * allowed, np.finfo(np.float32).tiny)
    return float(most), float(np.clip(allowed, most / 10**DECADES, most / 10))


def finite_range(array: np.ndarray) -> tuple[float, float]:
    """The least and the largest finite number, (0, 0) for none."""
    finite = array[np.isfinite(array)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def draw(axes, panel: np.ndarray, norm, colours):
    """One panel; what is not finite is drawn in a colour of its own."""
    axes.set_facecolor(NOT_FINITE)
    masked = np.ma.masked_invalid(panel)
    image = axes.imshow(masked, norm=norm, cmap=colours, interpolation="nearest", aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])
    return image


def frame(axes, place: tuple[int, int]) -> None:
    """A frame around one element."""
    row, column = place
    axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#009E73",
                             linewidth=1.8))


def signed_ticks(most: float, least: float) -> list[float]:
    """Zero, and powers of ten on both sides of it, three at most, from `least` to `most`."""
    highest, lowest = int(np.floor(np.log10(most))), int(np.ceil(np.log10(least)))
    step = max(1, -(-(highest - lowest) // 3))
    powers = [10.0**power for power in range(highest, lowest - 1, -step)]
    return [*(-p for p in powers), 0.0, *reversed(powers)]


def heading(found: FailingTensor, part: Excerpt, shown: int, width: float) -> str:
    """What is drawn, in lines that fit a figure of that many inches."""
    where = part.caption
    if found.actual.ndim == 2:
        where = f"{found.axes[0]}s downwards, {found.axes[1]}s across"
    if shown < part.panels:
        where += f", {shown} of {part.panels} panels"
    if part.block != (1, 1):
        where += (f"; a point stands for {part.block[0]} x {part.block[1]} elements and shows "
                  "the one that differs most")
    where += "; framed: the worst element"
    if not np.isfinite(part.difference).all():
        where += "; pink: not finite"
    side = ", the reference's" if found.row.off == "reference" else ""
    return "\n".join([f"{found.row.name}{side}, on {found.about}",
                      *textwrap.wrap(where, int(width / INCHES))])
