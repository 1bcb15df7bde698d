"""All runs of a campaign together: learning curves, confusion, disagreements, speed."""

from collections import Counter

import numpy as np

from compare.document.html import sections
from compare.document.html.line_chart import Series, chart, key
from compare.document.html.markup import Html, element
from compare.document.html.page import Part
from compare.document.sections import Table
from compare.experiments.benchmark.page_confusion import matrices
from compare.experiments.benchmark.page_curves import KINDS, LEAST_SPAN, MARKS
from compare.experiments.benchmark.page_images import MOST, picture
from compare.experiments.benchmark.results import NAMES, SIDES
from compare.experiments.replication.results import Campaign
from compare.inputs import datasets


def parts(result: Campaign, dataset: datasets.Dataset | None) -> list[Part]:
    """The sections, in reading order."""
    names = result.first["data"]["class_names"]
    summed = {side: sum(np.array(last(run, side)["confusion"]) for run in result.runs)
              for side in SIDES}
    return [Part("curves", "Learning curves", learning_curves(result)),
            Part("confusion", "Confusion over all runs", matrices(summed, names)),
            Part("disagreements", "Where the two disagree", disagreements(result, dataset)),
            Part("speed", "Speed", speed(result))]


def last(run, side: str) -> dict:
    """A side's last epoch in one run."""
    return run.record["runs"][side]["epochs"][-1]


def learning_curves(result: Campaign) -> list[Html]:
    """Means over all runs as lines, and after each epoch every single run as a mark."""
    losses, reached, marks = [], [], []
    for side in SIDES:
        records = [run.record["runs"][side] for run in result.runs]
        curves = [record["loss_curve"] for record in records]
        means = np.mean([np.array(curve["losses"], float) for curve in curves], axis=0)
        losses.append(Series(NAMES[side], list(zip(curves[0]["steps"], means.tolist())),
                             KINDS[side]))
        scores = np.array([[epoch["accuracy"] for epoch in record["epochs"]]
                           for record in records])  # (runs, epochs)
        ends = np.cumsum([epoch["steps"] for epoch in records[0]["epochs"]]).tolist()
        reached.append(Series(NAMES[side], list(zip(ends, scores.mean(axis=0).tolist())),
                              KINDS[side]))
        marks.append(Series(f"{NAMES[side]}, single runs", [(end, float(score)) for row in scores
                                          for end, score in zip(ends, row)], KINDS[side],
                            line=False, marks=MARKS[side]))
    steps = f"training step (batch size {result.first['settings']['batch_size']})"
    return [key([*losses, *marks]), element("div", [
        element("div", element("h3", "Training loss, mean over the runs"),
                chart("Training loss of both sides over training steps, mean over all runs",
                      losses, steps, "mean loss", zero=True)),
        element("div", element("h3", "Test accuracy; lines are means"),
                chart("Test accuracy of both sides after each epoch, of every run",
                      [*reached, *marks], steps, "accuracy", least=LEAST_SPAN))],
        class_="multiples large")]


def disagreements(result: Campaign, dataset: datasets.Dataset | None) -> list[Html]:
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
    return [*said, element("div", tiles, class_="tiles")]


def tile(dataset: datasets.Dataset, image: int, names, label: int, apart: int, guesses) -> Html:
    """One image: what it is, in how many runs the two disagree, and what each side took it for."""
    runs = len(guesses["scratch"])
    lines = [element("div", f"{NAMES[side]}: " + ", ".join(
        f"{names[guess]} {count}×" if runs > 1 else names[guess]
        for guess, count in Counter(guesses[side].tolist()).most_common())) for side in SIDES]
    return element("figure", picture(dataset, image, names[label]),
                   element("figcaption", element("b", names[label]),
                           element("span", f" #{image}", class_="quiet"),
                           element("div", f"differ in {apart} of {runs}"), lines), class_="tile")


def speed(result: Campaign) -> list[Html]:
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
