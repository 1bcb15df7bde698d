"""The picture of what a check costs: a panel for each way in which a network grows.

Importing this loads matplotlib.
"""

import numpy as np
from matplotlib.figure import Figure

from compare.document.figure_style import BLUE, GREY, INK, ORANGE, new_figure, put_title
from compare.experiments.performance.check_cost import CHECK_AXES, CheckCase, CheckCost
from compare.experiments.performance.log_axes import log_log, plain_ticks
from compare.experiments.performance.results import Speed
from compare.experiments.performance.tables import check_slope


def check_costs(result: Speed) -> Figure | None:
    """Seconds of the clock and of the processors on log-log paper; dotted is what grows in
    proportion to the axis."""
    shown = [axis for axis in CHECK_AXES if result.check_curve(axis)]
    if not shown:
        return None
    figure = new_figure(3.3 * len(shown) + 0.8, 4.6)
    held = CheckCase()
    put_title(figure, f"The time of a check: {held.layers} layers, {held.side}x{held.side} pixels, "
              f"{held.channels} channels, batch {held.batch}, and one of them varied",
              "Convolution 3x3, batch normalization and ReLU, repeated")
    panels = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for panel, axis in zip(panels, shown):
        draw_costs(panel, axis, result.check_curve(axis), check_slope(result, axis))
    panels[0].set_ylabel("seconds (less is better)")
    plain_ticks(panels[0].yaxis)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", frameon=False, ncols=len(labels))
    return figure


def draw_costs(axes, axis: str, costs: list[CheckCost], power: float | None) -> None:
    """One panel; the steepness of the upper half of the axis stands in its corner."""
    sizes = [getattr(cost.case, axis) for cost in costs]
    seconds, work = ([getattr(cost, name) for cost in costs] for name in ("seconds", "work"))
    axes.plot(sizes, seconds, "o-", color=BLUE, markersize=6, linewidth=1.8, label="of the clock")
    axes.plot(sizes, work, "s--", color=ORANGE, markersize=5, linewidth=1.5,
              label="of the processors")
    axes.plot(sizes, work[-1] * np.array(sizes, float) / sizes[-1], ":", color=GREY, linewidth=1.5,
              label="in proportion")
    log_log(axes, sizes, CHECK_AXES[axis])
    if power is not None:
        axes.text(0.04, 0.96, f"slope {power:.2f}, upper half", transform=axes.transAxes, va="top",
                  color=INK, fontsize=9)
