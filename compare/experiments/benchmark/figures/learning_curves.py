"""Both learning curves on one plot: the loss as training goes, the test accuracy per epoch."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from compare.document.figure_style import GREY, SIDE_COLOURS, new_figure, put_title
from compare.experiments.benchmark import tables
from compare.experiments.benchmark.results import Benchmark
from compare.inputs import training_protocols

LEAST_SPAN = 0.02

# The two curves often lie on each other: the first is drawn broad and pale, the second thin.
LINES = {"scratch": {"linewidth": 4.5, "alpha": 0.45}, "keras": {"linewidth": 1.2}}
MARKS = {"scratch": {"marker": "o", "markersize": 11, "alpha": 0.45, "linewidth": 4.5},
         "keras": {"marker": "x", "markersize": 8, "markeredgewidth": 2, "linewidth": 1.2}}


def learning_curves(result: Benchmark) -> Figure | None:
    """Loss above, accuracy below, over the same steps. None if nothing was trained."""
    runs = [run for run in result.runs.values() if run.curve]
    if not runs:
        return None
    figure = new_figure(9, 7)
    put_title(figure, "Learning curves", result.title)
    losses, accuracies = figure.subplots(2, 1, sharex=True)
    for run in runs:
        colour = SIDE_COLOURS[run.side]
        losses.plot(*zip(*run.curve), color=colour, label=run.name, **LINES[run.side])
        if run.epochs:
            ends = [epoch.steps * epoch.number for epoch in run.epochs]
            reached = [tables.accuracy(result, epoch) for epoch in run.epochs]
            accuracies.plot(ends, reached, color=colour, label=run.name, **MARKS[run.side])
    whole = result.data.training_images == training_protocols.TRAINING_IMAGES
    if result.last_epoch and whole and tables.has_published(result):
        draw_published(accuracies, result)
    finish(losses, "training loss\n(mean over windows of steps)", "upper right")
    finish(accuracies, "test accuracy\n(after each epoch)", "lower right")
    accuracies.set_xlabel(f"training step (batch size {result.settings.batch_size})")
    widen(accuracies)
    losses.set_xlim(left=0)
    losses.set_ylim(bottom=0)
    accuracies.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    accuracies.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    return figure


def draw_published(axes, result: Benchmark) -> None:
    """Earlier accuracies, for as many epochs as were trained here."""
    steps_per_epoch = next(run.epochs[0].steps for run in result.runs.values() if run.epochs)
    for (name, published), marker in zip(result.settings.protocol.published.items(), ("^", "v")):
        known = published.accuracy_by_epoch[:result.last_epoch]
        if not known:
            continue
        ends = [steps_per_epoch * (i + 1) for i in range(len(known))]
        axes.plot(ends, known, color=GREY, marker=marker, linestyle="none", markersize=6,
                  fillstyle="none", label=f"published, {name}")


def widen(axes) -> None:
    """Show at least LEAST_SPAN of accuracy, so that a difference of nothing looks like nothing."""
    low, high = axes.get_ylim()
    missing = max(0.0, LEAST_SPAN - (high - low))
    axes.set_ylim(low - missing / 2, high + missing / 2)


def finish(axes, label: str, place: str) -> None:
    """Label, grid and legend; an empty panel says that it is."""
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, loc=place)
    else:
        axes.text(0.5, 0.5, "no epoch was finished", transform=axes.transAxes, ha="center",
                  color=GREY)
