"""A campaign as a picture: every pair of runs, the means, and the margin for their difference."""

from compare.experiments.benchmark.results import NAMES, SIDES
from compare.experiments.replication.results import MEASURES, Campaign

COLOURS = {"scratch": "#0072b2", "keras": "#d55e00"}  # Okabe and Ito: told apart by everybody


def picture(result: Campaign):
    """A matplotlib figure: above, each side's figures; below, their paired differences."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots(2, len(MEASURES), sharex="col", height_ratios=(3, 2), squeeze=False)
    for column, (measure, name) in enumerate(MEASURES.items()):
        draw_figures(axes[0][column], result, measure, name)
        draw_differences(axes[1][column], result, measure)
    axes[0][0].legend(frameon=False, fontsize=8)
    axes[1][0].legend(frameon=False, fontsize=8)
    figure.suptitle(f"{len(result.runs)} pairs of runs from shared initial weights", fontsize=11)
    return figure


def draw_figures(axis, result: Campaign, measure: str, name: str) -> None:
    """A line between the two sides of each pair, the means with their intervals, published ones."""
    for number, run in enumerate(result.runs):
        values = [run.figure(side, measure) for side in SIDES]
        axis.plot([number, number], values, color="0.75", zorder=1)
    for side in SIDES:
        values, summary = result.values(side, measure), result.summary(side, measure)
        axis.scatter(range(len(values)), values, color=COLOURS[side], label=NAMES[side], zorder=2)
        axis.axhline(summary.mean, color=COLOURS[side], linewidth=1)
        if summary.low is not None:
            axis.axhspan(summary.low, summary.high, color=COLOURS[side], alpha=0.12, linewidth=0)
    if result.first["published"] and not result.differing:
        for name, figures in result.first["published"].items():
            if figures[measure] is not None:
                colour = COLOURS["scratch" if name == "NumPy" else "keras"]
                axis.axhline(figures[measure], color=colour, linestyle=":", linewidth=1.5,
                             label=f"published {name}")
    axis.set_title(f"{name} on the test images", fontsize=10)
    axis.grid(axis="y", alpha=0.25)


def draw_differences(axis, result: Campaign, measure: str) -> None:
    """Scratch minus Keras in each pair, the mean's interval, and the margin."""
    found = result.equivalence(measure)
    differences = result.values("scratch", measure) - result.values("keras", measure)
    axis.axhspan(-result.margin, result.margin, color="0.5", alpha=0.12, linewidth=0,
                 label=f"counts as small: within {result.margin:g}")
    axis.axhline(0, color="0.4", linewidth=0.8)
    axis.scatter(range(len(differences)), differences, color="0.2", zorder=2)
    if found.difference.low is not None:
        axis.axhspan(found.difference.low, found.difference.high, color="#009e73", alpha=0.3,
                     linewidth=0, label="95 % interval of the mean")
    axis.axhline(found.difference.mean, color="#009e73", linewidth=1.2)
    axis.set_title(f"scratch minus Keras: {found.verdict}", fontsize=10)
    axis.set_xticks(range(len(result.runs)), [str(run.seed) for run in result.runs])
    axis.set_xlabel("seed")
    axis.grid(axis="y", alpha=0.25)
