"""The pictures of a measurement of speed: times per sample, and how they grow.

Importing this loads matplotlib.
"""

from operator import methodcaller

import numpy as np
from matplotlib.figure import Figure

from compare.document.figure_style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    new_figure,
    put_title,
)
from compare.document.pictures import Picture
from compare.experiments.performance.cases import AXES
from compare.experiments.performance.check_figure import check_costs
from compare.experiments.performance.log_axes import log_log, plain_ticks
from compare.experiments.performance.results import BLAS, NAMES, Row, Speed
from compare.experiments.performance.robust_statistics import slope, upper_half
from compare.experiments.performance.tables import step_curve, taking_part

COLOURS = {"scratch": BLUE, "keras": ORANGE, "keras-loop": PURPLE, "torch": GREEN, BLAS: GREY}
MARKS = {"scratch": "o", "keras": "s", "keras-loop": "D", "torch": "^", BLAS: "_"}
SPAN = 0.8  # of the room for one row, taken by its competitors side by side


def pictures(result: Speed) -> dict[str, Picture]:
    """By file name: a caption and the figure."""
    return {"speed.png": Picture("Time per sample, and times as long as the first competitor",
                                 speed(result)),
            "scaling.png": Picture("Time per training step over batch size, image side and "
                                   "channels", scaling(result)),
            "check.png": Picture("The time of a check over layers, image side, channels and batch",
                                 check_costs(result))}


def speed(result: Speed) -> Figure | None:
    """Above microseconds per sample, below ratios, a group of bars for every row."""
    rows = [*result.part("training"), *result.part("predict")]
    if not rows:
        return None
    figure = new_figure(max(7.0, 1.5 * len(rows) + 1.5), 7.4)
    put_title(figure, "Medians and quartiles of turns that are interleaved", result.title)
    times, ratios = figure.subplots(2, 1, sharex=True)
    names = taking_part(rows)
    draw_times(times, rows, names)
    others = [name for name in names if name not in (result.base, BLAS)]
    draw_ratios(ratios, rows, others, result.base)
    ratios.set_xticks(range(len(rows)), [tick(row) for row in rows])
    for axes in (times, ratios):
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="x", length=0)
    handles, labels = times.get_legend_handles_labels()
    handle = dict(zip(labels, handles))
    shown = [NAMES[name] for name in names]
    figure.legend([handle[label] for label in shown], shown, loc="outside lower center",
                  frameon=False, ncols=len(names))
    return figure


def tick(row: Row) -> str:
    """'benchmark / batch 32'."""
    what = "predict, " if row.case.images else ""
    return f"{row.case.network}\n{what}batch {row.case.batch}"


def draw_times(axes, rows: list[Row], names: list[str]) -> None:
    """Medians as bars, quartiles as whiskers; what BLAS alone needs as a line across its group."""
    shown = [name for name in names if name != BLAS]
    for i, name in enumerate(shown):
        places, found = spreads(rows, name, i, len(shown), methodcaller("time", name))
        medians = [1e6 * s.median for s in found]
        axes.bar(places, medians, SPAN / len(shown), color=COLOURS[name], label=NAMES[name],
                 alpha=0.85)
        whiskers = [[1e6 * (s.median - s.low) for s in found],
                    [1e6 * (s.high - s.median) for s in found]]
        axes.errorbar(places, medians, whiskers, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    if BLAS in names:
        timed = [(i, 1e6 * row.time(BLAS).median) for i, row in enumerate(rows)
                 if BLAS in row.turns]
        axes.hlines([time for _, time in timed], [i - SPAN / 2 for i, _ in timed],
                    [i + SPAN / 2 for i, _ in timed], color=INK, linestyle="--", linewidth=1.2,
                    label=NAMES[BLAS])
    axes.set_yscale("log")
    axes.set_ylabel("microseconds per sample\n(less is better)")
    plain_ticks(axes.yaxis)


def draw_ratios(axes, rows: list[Row], names: list[str], base: str) -> None:
    """Medians of pairs, written above their bars; a line where both are equally fast."""
    tallest = 1.0
    for i, name in enumerate(names):
        places, found = spreads(rows, name, i, len(names), methodcaller("ratio", name, base))
        medians = [s.median for s in found]
        axes.bar(places, medians, SPAN / max(len(names), 2), color=COLOURS[name], alpha=0.85)
        whiskers = [[s.median - s.low for s in found], [s.high - s.median for s in found]]
        axes.errorbar(places, medians, whiskers, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
        for place, s in zip(places, found):
            axes.annotate(f"{s.median:.2f}", (place, max(s.high, s.median)), (0, 3), ha="center",
                          textcoords="offset points", fontsize=8, color=INK)
            tallest = max(tallest, s.high)
    axes.axhline(1, color=COLOURS[base], linewidth=1.5)
    axes.set_ylim(0, 1.12 * tallest)
    axes.set_ylabel(f"times as long as {NAMES[base]}\n(above 1: {NAMES[base]} is faster)")
    if not names:
        axes.text(0.5, 0.5, "nobody to compare with", transform=axes.transAxes, ha="center",
                  color=GREY)


def spreads(rows, name, number, count, of):
    """(places on the axis, spreads) of one competitor, next to `count - 1` others."""
    there = [(i, row) for i, row in enumerate(rows) if name in row.turns]
    width = SPAN / max(count, 2)
    places = [i + (number - (count - 1) / 2) * width for i, _ in there]
    return places, [of(row) for _, row in there]


def scaling(result: Speed) -> Figure | None:
    """A log-log panel for each axis: medians, the line fitted to the upper half of the axis, where
    a step's fixed cost weighs least, and how the arithmetic grows."""
    axes_shown = [axis for axis in AXES if result.part("scaling", axis)]
    if not axes_shown:
        return None
    figure = new_figure(5.0 * len(axes_shown) + 0.6, 5.6)
    put_title(figure, "Time per training step of the benchmark network; lines are fitted to the "
              "upper half of each axis, dotted is how the arithmetic alone grows", result.title)
    panels = figure.subplots(1, len(axes_shown), squeeze=False)[0]
    for panel, axis in zip(panels, axes_shown):
        draw_curve(panel, result.part("scaling", axis), AXES[axis])
    panels[0].set_ylabel("milliseconds per step")
    return figure


def draw_curve(axes, rows: list[Row], label: str) -> None:
    """One panel; a legend with the slopes, which are those of the upper half of the axis."""
    names = taking_part(rows)
    values = step_curve(rows, names[0])[0]
    for name in names:
        _, work, seconds = step_curve(rows, name)
        milliseconds = np.multiply(1e3, seconds)
        fitted = draw_fit(axes, values, milliseconds, COLOURS[name])
        axes.plot(values, milliseconds, MARKS[name], color=COLOURS[name], markersize=7, alpha=0.85,
                  label=f"{NAMES[name]}{fitted}")
        # the arithmetic alone, through the largest step
        axes.plot(values, milliseconds[-1] * np.array(work) / work[-1], ":", color=COLOURS[name],
                  linewidth=1.2)
    steepness = slope(*([numbers[i] for i in upper_half(values)] for numbers in (values, work)))
    axes.plot([], [], ":", color=INK, label="multiply-adds" + slope_text(steepness))
    log_log(axes, values, label)
    plain_ticks(axes.yaxis)
    axes.legend(frameon=False, loc="upper left", fontsize=9)


def draw_fit(axes, values: list, times: np.ndarray, colour: str) -> str:
    """The line through the upper half of some points; returns a text with its slope."""
    upper = upper_half(values)
    x, y = np.array(values, float)[upper], times[upper]
    power = slope(x, y)
    if power is not None:
        middle = np.exp(np.mean(np.log(y)) - power * np.mean(np.log(x)))
        axes.plot(x, middle * x ** power, color=colour, linewidth=1.8)
    return slope_text(power)


def slope_text(power: float | None) -> str:
    return "" if power is None else f": slope {power:.2f}"
