"""Test images with what either side takes them for."""

import numpy as np

from compare.document.html.markup import Html, element
from compare.document.html.palettes import palette, positions
from compare.document.html.png import data_uri, png
from compare.experiments.benchmark.report import agreement_sentences
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs import datasets

MOST = 48


def disagreements(result: Benchmark, dataset: datasets.Dataset) -> list[Html]:
    """Those on which the two disagree, the surest first."""
    epochs = [result.shown(side) for side in SIDES]
    if None in epochs:
        return [element("p", "Only one side finished an epoch.")]
    ours, theirs = epochs
    found = np.flatnonzero(ours.predictions != theirs.predictions)
    sure = np.minimum(ours.confidences, theirs.confidences)[found]
    found = found[np.argsort(-sure, kind="stable")]
    said = [element("p", text) for text in agreement_sentences(result)]
    if not len(found):
        return said
    shown = found[:MOST]
    if len(shown) < len(found):
        said.append(element("p", f"{len(shown)} of {len(found):,} shown: those of which both are "
                            "most sure.", class_="quiet"))
    return [*said, grid(result, dataset, shown)]


def grid(result: Benchmark, dataset: datasets.Dataset, chosen) -> Html:
    """Images with labels and predictions."""
    return element("div", [tile(result, dataset, int(image)) for image in chosen], class_="tiles")


def tile(result: Benchmark, dataset: datasets.Dataset, image: int) -> Html:
    """One image: what it is, and each side's prediction with its probability."""
    names, label = result.data.class_names, result.data.test_labels[image]
    lines = []
    for side in SIDES:
        epoch = result.shown(side)
        if epoch is not None:
            right = epoch.predictions[image] == label
            lines.append(element("div", element("span", "✓ " if right else "✗ ",
                                                class_="good" if right else "failed"),
                                 f"{NAMES[side]}: {names[epoch.predictions[image]]} "
                                 f"{epoch.confidences[image]:.2f}"))
    return element("figure", picture(dataset, image, names[label]),
                   element("figcaption", element("b", names[label]),
                           element("span", f" #{image}", class_="quiet"), lines), class_="tile")


def picture(dataset: datasets.Dataset, image: int, name: str) -> Html:
    """A test image in grey.

    Args:
        name: of its class.
    """
    pixels = positions(dataset.x_test[image, :, :, 0].astype(float), 0, dataset.scale)
    return element("img", src=data_uri(png(pixels, palette("grey"))),
                   alt=f"test image {image}: {name}", width=112,
                   height=round(112 * pixels.shape[0] / pixels.shape[1]))
