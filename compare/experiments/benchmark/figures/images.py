"""Test images with what either side takes them for."""

import numpy as np

from compare.document.charts.drawing import Drawing
from compare.document.charts.tile import tile
from compare.experiments.benchmark import learned_features
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs import datasets

MOST = 48


def disagreements(result: Benchmark) -> np.ndarray:
    """The test images on which the two disagree, those first of which both are most sure."""
    ours, theirs = (result.shown(side) for side in SIDES)
    if ours is None or theirs is None:
        return np.array([], int)
    found = np.flatnonzero(ours.predictions != theirs.predictions)
    sure = np.minimum(ours.confidences, theirs.confidences)[found]
    return found[np.argsort(-sure, kind="stable")]


def surest_mistakes(result: Benchmark) -> dict[str, np.ndarray]:
    """By name, what each side got wrong and was most sure of; once, for 'both', if it is the same
    for both."""
    found = {NAMES[side]: learned_features.mistakes(result, side) for side in SIDES}
    if len({tuple(images) for images in found.values()}) == 1:
        found = {"both": found[NAMES[SIDES[0]]]}
    return {name: images for name, images in found.items() if len(images)}


def tiles(result: Benchmark, dataset: datasets.Dataset, chosen) -> list[Drawing]:
    """Images: what each is, and each side's prediction with its probability.

    Args:
        dataset: the data that ran; its test images are those that were predicted.
        chosen: numbers of test images.
    """
    names, labels = result.data.class_names, result.data.test_labels
    drawn = []
    for image in map(int, chosen):
        lines = []
        for side in SIDES:
            epoch = result.shown(side)
            if epoch is not None:
                guess = epoch.predictions[image]
                sign, kind = ("✓", "good") if guess == labels[image] else ("✗", "failed")
                lines.append((f"{sign} {NAMES[side]}: {names[guess]} "
                              f"{epoch.confidences[image]:.2f}", kind))
        drawn.append(image_tile(dataset, image, names[labels[image]], lines))
    return drawn


def image_tile(dataset: datasets.Dataset, image: int, name: str,
               lines: list[tuple[str, str]]) -> Drawing:
    """A test image, the name of its class, and lines below it."""
    return tile(f"test image {image}: {name}", dataset.x_test[image, :, :, 0], dataset.scale, name,
                f"#{image}", lines)
