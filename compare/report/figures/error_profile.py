"""Where a difference lies: over height and width, over channels, over the batch.

Each axis is looked at by itself: for each of its places the largest difference at that place, over
all others. A mistake at the border, in one channel, or in the last sample is seen at once.
"""

import textwrap

import numpy as np
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from compare.document.figure_style import BLUE, INK, ORANGE, new_figure
from compare.document.text import unhidden
from compare.report.failing_tensor import FailingTensor
from scratch.errors import shortened

IMAGE = ("height", "width")
MOST_BARS = 64
DECADES = 6  # of the difference that the colours tell apart, below which it fades into zero
INCHES = 0.078  # that a character of a heading takes
LONGEST = 200  # characters of a tensor's name


def patterns(found: FailingTensor) -> Figure:
    """A picture of the plane of height and width, if there is one, and bars for other axes."""
    error = np.abs(found.difference)
    error = np.where(np.isnan(error), np.inf, error)
    plane = all(name in found.axes for name in IMAGE)
    lines = [i for i, name in enumerate(found.axes) if not (plane and name in IMAGE)]
    widths = [1.25] * plane + [1.0] * len(lines)
    figure = new_figure(max(7.5, 3.3 * sum(widths)), 3.4)
    line = "; dashed: what rounding can explain" if found.allowed.any() else ""
    # a name may hold letters that no font has, and '$', which begins a formula
    name = shortened(unhidden(found.row.name), LONGEST)
    heading = f"{name}: the largest difference at each place, on {found.about}{line}"
    figure.suptitle("\n".join(textwrap.wrap(heading, int(figure.get_figwidth() / INCHES))),
                    fontsize=9, color=INK, parse_math=False)
    grid = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    most, pale = reach(found, np.where(np.isinf(error), 0, error))
    if plane:
        draw_plane(figure, grid[0], along(error, [found.axes.index(name) for name in IMAGE]), most,
                   pale)
    for axes, axis in zip(grid[plane:], lines):
        draw_bars(axes, along(error, [axis]), along(found.allowed, [axis]), found.axes[axis], most)
    return figure


def along(array: np.ndarray, kept: list[int]) -> np.ndarray:
    """The largest number at each place of some axes, over all others."""
    others = tuple(i for i in range(array.ndim) if i not in kept)
    return array.max(axis=others) if others else array


def draw_plane(figure, axes, error: np.ndarray, most: float, pale: float) -> None:
    """The largest difference at each place of the image, over all samples and channels."""
    shown = np.where(np.isfinite(error), error, most)
    scale = SymLogNorm(pale, vmin=0, vmax=most, linscale=0.3)
    image = axes.imshow(shown, norm=scale, cmap="magma_r", interpolation="nearest")
    axes.set_xlabel("width", fontsize=9)
    axes.set_ylabel("height", fontsize=9)
    axes.set_title("over height and width", fontsize=9, color=INK)
    axes.tick_params(labelsize=7)
    whole_ticks(axes.xaxis, error.shape[1])
    whole_ticks(axes.yaxis, error.shape[0])
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.ax.tick_params(labelsize=7)
    bar.set_ticks([tick for tick in signed_ticks(most, pale) if tick >= 0])
    bar.ax.minorticks_off()


def draw_bars(axes, error: np.ndarray, allowed: np.ndarray, name: str, most: float) -> None:
    """A bar for each place of one axis; the dashed line is what rounding can explain."""
    error, allowed, width = grouped(error, allowed)
    finite = np.where(np.isfinite(error), error, most)
    places = np.arange(len(error)) * width
    wrong = ~(error <= allowed)
    colours = np.where(wrong, ORANGE, BLUE)
    axes.bar(places, finite, 0.85 * width, color=list(colours))
    if allowed.any():
        edges = np.append(places - width / 2, places[-1] + width / 2)
        axes.stairs(allowed, edges, color=INK, linestyle="--", baseline=None)
    axes.set_yscale("symlog", linthresh=most / 10**DECADES, linscale=0.3)
    axes.set_ylim(0, 2.5 * max(most, float(allowed.max(initial=0))))
    axes.set_yticks([t for t in signed_ticks(most, most / 10**DECADES) if t >= 0])
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(name, fontsize=9)
    axes.set_title(f"over {plural(name)}", fontsize=9, color=INK)
    axes.tick_params(labelsize=7)
    whole_ticks(axes.xaxis, len(error) * width)
    axes.spines[["top", "right"]].set_visible(False)


def grouped(error: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Both thinned out to bars that can be told apart, and how many places a bar stands for."""
    width = -(-len(error) // MOST_BARS)
    starts = np.arange(0, len(error), width)
    return np.maximum.reduceat(error, starts), np.maximum.reduceat(allowed, starts), width


def whole_ticks(axis, count: int) -> None:
    """Ticks at whole numbers, at most six."""
    step = max(1, -(-count // 6))
    axis.set_ticks(range(0, count, step))


def plural(name: str) -> str:
    """As in 'over channels'; 'the batch' for samples."""
    return "the batch" if name == "sample" else f"{name}s" if " " not in name else name


def reach(found: FailingTensor, difference: np.ndarray) -> tuple[float, float]:
    """(the largest difference that a scale has to show, below which one it is to be pale)."""
    allowed = float(found.allowed[np.isfinite(found.allowed)].max(initial=0))
    largest = np.abs(difference[np.isfinite(difference)]).max(initial=0)
    most = max(largest, 10 * allowed, np.finfo(np.float32).tiny)
    return float(most), float(np.clip(allowed, most / 10**DECADES, most / 10))


def signed_ticks(most: float, least: float) -> list[float]:
    """Zero, and powers of ten on both sides of it, three at most, from `least` to `most`."""
    highest, lowest = int(np.floor(np.log10(most))), int(np.ceil(np.log10(least)))
    step = max(1, -(-(highest - lowest) // 3))
    powers = [10.0**power for power in range(highest, lowest - 1, -step)]
    return [*(-p for p in powers), 0.0, *reversed(powers)]
