"""What the networks learned, as pictures: filters, feature maps, classes, surest mistakes."""

import numpy as np
from matplotlib.figure import Figure

from compare.document.figure_style import GREY, SIDE_COLOURS, new_figure, put_title
from compare.experiments.benchmark import learned_features
from compare.experiments.benchmark.figures.learning_curves import MARKS
from compare.experiments.benchmark.figures.predictions import COLUMNS, describe
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs import datasets

PANELS = 12  # of filters or maps in a row


def filters(result: Benchmark) -> Figure | None:
    """The first layer's filters: a row for each side, and one for their difference."""
    found = learned_features.filters(result)
    return None if found is None else panels([("", found)], result, "Filters of the first layer")


def feature_maps(result: Benchmark) -> Figure | None:
    """What the first layer makes of some test images: three rows for each."""
    found = learned_features.feature_maps(result)
    names, labels = result.data.class_names, result.data.test_labels
    return panels([(f"{names[labels[image]]}\n", pair) for image, pair in found], result,
                  "What the first layer makes of test images") if found else None


def panels(groups: list[tuple[str, learned_features.Pair]], result: Benchmark, heading: str) -> Figure:
    """Rows of panels, both sides on one scale; differences on one of their own, which is said."""
    columns = min(PANELS, max(len(pair.scratch) for _, pair in groups))
    figure = new_figure(max(6.5, 1.5 + 1.15 * columns), 1.2 + 3.75 * len(groups))
    put_title(figure, heading, result.title)
    axes = figure.subplots(3 * len(groups), columns, squeeze=False)
    for ax in axes.ravel():
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_frame_on(False)
    for number, (name, pair) in enumerate(groups):
        most = max(np.abs(pair.scratch).max(), np.abs(pair.keras).max())
        apart = np.abs(pair.difference).max()
        rows = ((f"{name}scratch\n+-{most:.2g}", pair.scratch, most),
                (f"{name}Keras\n+-{most:.2g}", pair.keras, most),
                (f"{name}difference\n+-{apart:.2g}", pair.difference, apart))
        for i, (title, arrays, limit) in enumerate(rows):
            line = axes[3 * number + i]
            line[0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9)
            for ax, panel in zip(line, arrays):
                ax.imshow(panel, cmap="PuOr_r", vmin=-(limit or 1), vmax=limit or 1)
    return figure


def classes(result: Benchmark) -> Figure | None:
    """F1 of every class after every epoch: a small plot for each class."""
    curves = learned_features.class_curves(result)
    if not any(points for sides in curves.values() for points in sides.values()):
        return None
    columns = min(5, len(curves))
    rows = -(-len(curves) // columns)
    figure = new_figure(2.6 * columns + 0.4, 2.2 * rows + 0.9)
    put_title(figure, "F1 of each class on the test images, after each epoch", result.title)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for ax in axes[len(curves):]:
        ax.set_axis_off()
    for ax, (name, sides) in zip(axes, curves.items()):
        for side in SIDES:
            if sides[side]:
                ax.plot(*zip(*sides[side]), color=SIDE_COLOURS[side], label=NAMES[side],
                        **{**MARKS[side], "markersize": 6})
        ax.set_title(name, fontsize=10)
        ax.grid(alpha=0.3)
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=8, colors=GREY)
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def mistakes(result: Benchmark, dataset: datasets.Dataset) -> Figure | None:
    """What each side got wrong and was most sure of: a row of images for each."""
    shown = {side: result.shown(side) for side in SIDES}
    shown = {side: epoch for side, epoch in shown.items() if epoch is not None}
    found = {side: learned_features.mistakes(result, side)[:COLUMNS] for side in shown}
    if not any(map(len, found.values())):
        return None
    figure = new_figure(2.05 * COLUMNS, 2.75 * len(found) + 1.15, layout=None)
    axes = figure.subplots(len(found), COLUMNS, squeeze=False)
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - 1.1 / height, bottom=0.62 / height,
                           hspace=0.55, wspace=0.06)
    for ax in axes.ravel():
        ax.set_axis_off()
    for line, (side, images) in zip(axes, found.items()):
        line[0].set_title(f"{NAMES[side]} was most sure of these", loc="left", fontsize=10)
        for ax, image in zip(line, images):
            ax.imshow(dataset.x_test[image, :, :, 0], cmap="gray_r", vmin=0, vmax=dataset.scale)
            describe(ax, image, shown, result)
    put_title(figure, "Mistakes: [+] right, [-] wrong, and the probability given", result.title)
    return figure
