"""Learning curves, the classes' curves and the speed of a benchmark, as charts."""

from compare.document.html import sections
from compare.document.html.line_chart import SMALL, Series, chart, key
from compare.document.html.markup import Html, element
from compare.document.sections import Table
from compare.experiments.benchmark import learned_features, report, tables
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark

KINDS = {"scratch": "first", "keras": "second"}
MARKS = {"scratch": "dot", "keras": "cross"}
LEAST_SPAN = 0.02  # of accuracy and F1


def learning_curves(result: Benchmark) -> list[Html]:
    """The training loss as it went, and the test accuracy after each epoch."""
    runs = [run for run in result.runs.values() if run.curve]
    losses = [Series(run.name, run.curve, KINDS[run.side]) for run in runs]
    reached = [Series(run.name, [(e.steps * e.number, tables.accuracy(result, e))
                                 for e in run.epochs], KINDS[run.side], marks=MARKS[run.side])
               for run in runs if run.epochs]
    steps = f"training step (batch size {result.settings.batch_size})"
    return [key(losses), element("div", [
        element("div", element("h3", "Training loss"),
                chart("Training loss of both sides over training steps", losses, steps,
                      "mean loss", zero=True)),
        element("div", element("h3", "Test accuracy"),
                chart("Test accuracy of both sides after each epoch", reached, steps, "accuracy",
                      least=LEAST_SPAN))], class_="multiples large")]


def class_curves(result: Benchmark) -> list[Html]:
    """A small chart for each class, all on one scale."""
    curves = learned_features.class_curves(result)
    every = [score for sides in curves.values() for points in sides.values()
             for _, score in points]
    low = min(every, default=0.0)
    charts = []
    for name, sides in curves.items():
        series = [Series(NAMES[side], sides[side], KINDS[side], marks=MARKS[side])
                  for side in SIDES if sides[side]]
        said = ", ".join(f"{each.name} {each.points[-1][1]:.3f}" for each in series)
        charts.append(element("div", element("h4", name), chart(
            f"F1 of {name} after each epoch; at the end {said}", series, "epoch", "F1",
            bounds=(low, 1.0), size=SMALL)))
    return [key(Series(NAMES[side], [], KINDS[side]) for side in SIDES),
            element("div", charts, class_="multiples")]


def speed(result: Benchmark) -> list[Html]:
    """Milliseconds per step of each epoch, and their ratio."""
    rows = []
    for run in result.runs.values():
        for epoch in run.epochs:
            rows.append([run.name, str(epoch.number), f"{epoch.seconds:.2f}",
                         f"{1000 * epoch.seconds / epoch.steps:.3f}",
                         tables.text(tables.megabytes(epoch.peak_memory), ",.0f")])
    said = [text for text in report.remarks(result) if text.startswith("Speed:")]
    return [*map(sections.paragraph, said), sections.table(
        Table(["side", "epoch", "seconds", "ms per step", "peak memory (MB)"], rows), "Speed")]
