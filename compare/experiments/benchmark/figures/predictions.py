"""Some test images with what either side takes them for, those first on which they disagree."""

import numpy as np
from matplotlib.figure import Figure

from compare.document.figure_style import BLUE, INK, ORANGE, new_figure, put_title
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs import datasets

COLUMNS, ROWS = 6, 4
ROW_INCHES, TITLE_INCHES = 2.75, 0.95
LEAST_AGREED = COLUMNS  # of the pictures, so many are kept for images on which both agree


def predictions(result: Benchmark, dataset: datasets.Dataset) -> Figure | None:
    """A grid of images. None if no side finished an epoch.

    Args:
        dataset: the data that ran; its test images are those that were predicted.
    """
    shown = {side: result.shown(side) for side in SIDES}
    shown = {side: epoch for side, epoch in shown.items() if epoch is not None}
    if not shown:
        return None
    chosen, differing = choose([epoch.predictions for epoch in shown.values()])
    rows = -(-len(chosen) // COLUMNS)
    height = ROW_INCHES * rows + TITLE_INCHES
    figure = new_figure(2.05 * COLUMNS, height, layout=None)
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - TITLE_INCHES / height,
                           bottom=0.62 / height, hspace=0.42, wspace=0.06)
    for ax in axes:
        ax.set_axis_off()
    for ax, image in zip(axes, chosen):
        ax.imshow(dataset.x_test[image, :, :, 0], cmap="gray_r", vmin=0, vmax=dataset.scale)
        describe(ax, image, shown, result)
    put_title(figure, heading(len(shown), differing, len(dataset.x_test)), result.title)
    return figure


def heading(sides: int, differing: int, images: int) -> str:
    """What is to be seen."""
    marks = "[+] right, [-] wrong, and the probability given to the predicted class"
    if sides < 2:
        return f"Test images and what was predicted: {marks}"
    if not differing:
        return f"The two predict the same class for all {images:,} test images\n{marks}"
    drawn = min(differing, COLUMNS * ROWS - LEAST_AGREED)
    which = "shown" if drawn == differing else f"{drawn} of them shown"
    return (f"The two disagree on {differing:,} of {images:,} test images, {which} first\n"
            f"{marks}")


def choose(predicted: list[np.ndarray]) -> tuple[np.ndarray, int]:
    """Test images to show: disagreements, then agreements, each in the data's own order.

    Returns the images' numbers, and how many disagreements there are in all.
    """
    differ = predicted[0] != predicted[-1]
    places = COLUMNS * ROWS
    disagreed = np.flatnonzero(differ)
    first = disagreed[:places - LEAST_AGREED]
    chosen = np.concatenate([first, np.flatnonzero(~differ)[:places - len(first)]])
    return chosen, len(disagreed)


def describe(axes, image: int, shown: dict, result: Benchmark) -> None:
    """Under the image: what it is, and each side's prediction in the colour of right or wrong."""
    names = result.data.class_names
    label = result.data.test_labels[image]
    axes.text(0.5, -0.03, names[label], transform=axes.transAxes, ha="center", va="top",
              fontsize=10, fontweight="bold", color=INK)
    for line, (side, epoch) in enumerate(shown.items()):
        guess = epoch.predictions[image]
        right = guess == label
        axes.text(0.5, -0.16 - 0.11 * line,
                  f"[{'+' if right else '-'}] {NAMES[side]}: {names[guess]} "
                  f"{epoch.confidences[image]:.2f}",
                  transform=axes.transAxes, ha="center", va="top", fontsize=8.5,
                  color=BLUE if right else ORANGE)
