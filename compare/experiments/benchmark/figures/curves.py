"""Learning curves, and the F1 of each class epoch by epoch."""

import math

from compare.document.charts.drawing import Drawing
from compare.document.charts.line_chart import SMALL, Series, chart, key
from compare.experiments.benchmark import learned_features, tables
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs.training_protocols import TRAINING_IMAGES

KINDS = {"scratch": "first", "keras": "second"}
MARKS = {"scratch": "dot", "keras": "cross"}
PUBLISHED_MARKS = ("up", "down")
LEAST_SPAN = 0.02  # of accuracy and F1
COVERED = 0.01  # of the height of a chart, about what the line of a curve takes


def learning_curves(result: Benchmark) -> list[Drawing]:
    """The training loss as it went, and the test accuracy after each epoch."""
    runs = [run for run in result.runs.values() if run.curve]
    losses = [Series(run.name, run.curve, KINDS[run.side]) for run in runs]
    reached = [Series(run.name, [(epoch.steps * epoch.number, tables.accuracy(result, epoch))
                                 for epoch in run.epochs], KINDS[run.side], marks=MARKS[run.side])
               for run in runs if run.epochs]
    reached += published(result)
    steps = f"training step (batch size {result.settings.batch_size})"
    drawn = [chart("Training loss", "Training loss of both sides over training steps", losses,
                   steps, "mean loss", zero=True, named=losses)]
    if len(losses) == len(SIDES) and cover(losses[0], losses[1]):
        drawn.append(apart(losses[0], losses[1], steps))
    if any(len(each.points) > 1 for each in reached):  # one point is no curve, and is in the table
        drawn.append(chart("Test accuracy", "Test accuracy of both sides after each epoch", reached,
                           steps, "accuracy", least=LEAST_SPAN, named=reached))
    return drawn


def differences(first: Series, second: Series) -> list[tuple[float, float]]:
    """(x, the first minus the second) wherever both have a finite point."""
    other = dict(second.points)
    return [(x, y - other[x]) for x, y in first.points
            if x in other and math.isfinite(y) and math.isfinite(other[x])]


def cover(first: Series, second: Series) -> bool:
    """Whether one curve hides the other: they are nowhere apart by more than a line's width."""
    found = differences(first, second)
    heights = [y for each in (first, second) for _, y in each.points if math.isfinite(y)]
    return len(found) > 1 and max(abs(y) for _, y in found) < COVERED * max(heights)


def apart(first: Series, second: Series, steps: str) -> Drawing:
    """The difference of two curves that cover one another."""
    found = differences(first, second)
    most = max(abs(y) for _, y in found)
    if most == 0:
        heading, power = f"{first.name} − {second.name}: no difference", 0
    else:
        power = math.floor(math.log10(most))
        heading = f"{first.name} − {second.name}"
    shown = Series(heading, [(x, y / 10.0**power) for x, y in found], "third")
    unit = "difference of mean loss" + (f" (in 1e{power:+03d})" if power else "")
    return chart(heading, f"Difference of the training losses, {unit}: at most {most:.2g}", [shown],
                 steps, unit, bounds=(0.0,))


def published(result: Benchmark) -> list[Series]:
    """Earlier accuracies, for as many epochs as were trained here on all images."""
    if not (result.last_epoch and result.data.training_images == TRAINING_IMAGES
            and tables.has_published(result)):
        return []
    steps = next(run.epochs[0].steps for run in result.runs.values() if run.epochs)
    found = []
    for (name, figures), mark in zip(result.settings.protocol.published.items(), PUBLISHED_MARKS):
        points = [(steps * (i + 1), accuracy) for i, accuracy
                  in enumerate(figures.accuracy_by_epoch[:result.last_epoch])]
        if points:
            found.append(Series(f"published, {name}", points, "fourth", line=False, marks=mark))
    return found


def class_curves(result: Benchmark) -> list[Drawing]:
    """A small chart for each class, all on one scale; [] if fewer than two epochs were finished:
    the scores of a single one are in the table."""
    curves = learned_features.class_curves(result)
    every = [score for sides in curves.values() for points in sides.values()
             for _, score in points]
    charts = []
    several = any(len(points) > 1 for sides in curves.values() for points in sides.values())
    for name, sides in curves.items() if several else ():
        series = [Series(NAMES[side], sides[side], KINDS[side], marks=MARKS[side])
                  for side in SIDES if sides[side]]
        said = ", ".join(f"{each.name} {each.points[-1][1]:.3f}" for each in series)
        charts.append(chart(name, f"F1 of {name} after each epoch; at the end {said}", series,
                            "epoch", "F1", bounds=(min(every), 1.0), size=SMALL))
    return charts


def sides_key() -> Drawing:
    """Which colour is which side."""
    return key([Series(NAMES[side], [], KINDS[side], marks=MARKS[side]) for side in SIDES], 240)
