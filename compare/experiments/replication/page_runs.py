"""All runs of a replication together: learning curves, confusion, disagreements, speed."""

from collections import Counter

import numpy as np

from compare.document.charts.drawing import Drawing
from compare.document.html import sections
from compare.document.html.page import Part, panels
from compare.document.markup import Html, element
from compare.document.sections import Table
from compare.experiments.benchmark.figures.confusion import matrices
from compare.experiments.benchmark.figures.images import MOST, image_tile
from compare.experiments.benchmark.page import matrices_side_by_side
from compare.experiments.benchmark.results import NAMES, SIDES
from compare.experiments.replication.figures import learning_curves
from compare.experiments.replication.results import Replication
from compare.inputs import datasets


def parts(result: Replication, dataset: datasets.Dataset | None) -> list[Part]:
    """The sections, in reading order."""
    names = result.first["data"]["class_names"]
    summed = {side: np.sum([last(run, side)["confusion"] for run in result.runs], axis=0)
              for side in SIDES}
    return [Part("curves", "Learning curves", [panels(learning_curves(result))]),
            Part("confusion", "Confusion over all runs",
                 matrices_side_by_side(matrices(summed, names))),
            Part("disagreements", "Where the two disagree", disagreements(result, dataset)),
            Part("speed", "Speed", speed(result))]


def last(run, side: str) -> dict:
    """A side's last epoch in one run."""
    return run.record["runs"][side]["epochs"][-1]


def disagreements(result: Replication, dataset: datasets.Dataset | None) -> list[Html]:
    """The test images on which the two disagree in most runs."""
    guesses = {side: np.stack([run.predictions(side) for run in result.runs]) for side in SIDES}
    apart = (guesses["scratch"] != guesses["keras"]).sum(axis=0)  # (test images,)
    found = np.flatnonzero(apart)
    said = [element("p", f"On {len(found):,} of {len(apart):,} test images the two predict "
                    "different classes in at least one pair of runs.")]
    shown = found[np.argsort(-apart[found], kind="stable")][:MOST]
    if dataset is None or not len(shown):
        return said
    if len(shown) < len(found):
        said.append(element("p", f"{len(shown)} of them shown: those on which they do most often.",
                            class_="quiet"))
    labels, names = result.runs[0].labels, result.first["data"]["class_names"]
    tiles = [tile(dataset, int(image), names, int(labels[image]), int(apart[image]),
                  {side: guesses[side][:, image] for side in SIDES}) for image in shown]
    return [*said, element("div", [each.svg() for each in tiles], class_="tiles")]


def tile(dataset: datasets.Dataset, image: int, names, label: int, apart: int, guesses) -> Drawing:
    """One image: what it is, in how many runs the two disagree, and what each side took it for."""
    runs = len(guesses["scratch"])
    lines = [f"differ in {apart} of {runs}", *(f"{NAMES[side]}: " + ", ".join(
        f"{names[guess]}\u00a0{count}×" if runs > 1 else names[guess]
        for guess, count in Counter(guesses[side].tolist()).most_common()) for side in SIDES)]
    return image_tile(dataset, image, names[label], [(line, "") for line in lines])


def speed(result: Replication) -> list[Html]:
    """Milliseconds per step in the last epoch of each run, and their ratio."""
    if result.parallel > 1:
        return [element("p", "Several pairs of runs were trained at the same time, so their "
                        "seconds say nothing about speed.")]
    rows = []
    for run in result.runs:
        ours, theirs = (last(run, side)["ms_per_step"] for side in SIDES)
        rows.append([str(run.seed), f"{ours:.3f}", f"{theirs:.3f}", f"{ours / theirs:.2f}"])
    return [sections.table(Table(["seed", "scratch (ms per step)", "Keras (ms per step)",
                                  "scratch ÷ Keras"], rows), "Speed of every pair of runs")]
