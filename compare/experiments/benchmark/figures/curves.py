"""Learning curves, and the F1 of each class epoch by epoch."""

from compare.document.charts.drawing import Drawing
from compare.document.charts.line_chart import SMALL, Series, chart, key
from compare.experiments.benchmark import learned_features, tables
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs.training_protocols import TRAINING_IMAGES

KINDS = {"scratch": "first", "keras": "second"}
MARKS = {"scratch": "dot", "keras": "cross"}
PUBLISHED_MARKS = ("up", "down")
LEAST_SPAN = 0.02  # of accuracy and F1


def learning_curves(result: Benchmark) -> list[Drawing]:
    """The training loss as it went, and the test accuracy after each epoch."""
    runs = [run for run in result.runs.values() if run.curve]
    losses = [Series(run.name, run.curve, KINDS[run.side]) for run in runs]
    reached = [Series(run.name, [(epoch.steps * epoch.number, tables.accuracy(result, epoch))
                                 for epoch in run.epochs], KINDS[run.side], marks=MARKS[run.side])
               for run in runs if run.epochs]
    reached += published(result)
    steps = f"training step (batch size {result.settings.batch_size})"
    return [chart("Training loss", "Training loss of both sides over training steps", losses, steps,
                  "mean loss", zero=True, named=losses),
            chart("Test accuracy", "Test accuracy of both sides after each epoch", reached, steps,
                  "accuracy", least=LEAST_SPAN, named=reached)]


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
    """A small chart for each class, all on one scale; [] if no epoch was finished."""
    curves = learned_features.class_curves(result)
    every = [score for sides in curves.values() for points in sides.values()
             for _, score in points]
    charts = []
    for name, sides in curves.items() if every else ():
        series = [Series(NAMES[side], sides[side], KINDS[side], marks=MARKS[side])
                  for side in SIDES if sides[side]]
        said = ", ".join(f"{each.name} {each.points[-1][1]:.3f}" for each in series)
        charts.append(chart(name, f"F1 of {name} after each epoch; at the end {said}", series,
                            "epoch", "F1", bounds=(min(every), 1.0), size=SMALL))
    return charts


def sides_key() -> Drawing:
    """Which colour is which side."""
    return key([Series(NAMES[side], [], KINDS[side], marks=MARKS[side]) for side in SIDES], 240)
