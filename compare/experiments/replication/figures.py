"""A replication as pictures: every pair of runs, the means, and the margin for their difference."""

import numpy as np

from compare.document.charts.drawing import Drawing, Group, sheet
from compare.document.charts.line_chart import Band, Level, Series, chart
from compare.experiments.benchmark.figures.curves import KINDS, LEAST_SPAN, MARKS
from compare.experiments.benchmark.results import NAMES, SIDES
from compare.experiments.replication.report import title
from compare.experiments.replication.results import MEASURES, Replication

PUBLISHED_KINDS = {"NumPy": "first", "Keras": "second"}


def picture(result: Replication) -> str:
    """Both measures, as the text of an SVG file."""
    return sheet(title(result), "Both sides start from the same weights in each pair.",
                 [Group("", pairs_of_runs(result), 2)])


def pairs_of_runs(result: Replication) -> list[Drawing]:
    """For each measure both sides' figures, and their paired differences."""
    return [draw(result, measure, name) for measure, name in MEASURES.items()
            for draw in (figures, differences)]


def figures(result: Replication, measure: str, name: str) -> Drawing:
    """Each side's figures by seed, joined pair by pair, the means with their 95 % intervals, and
    what was published."""
    seeds = [run.seed for run in result.runs]
    values = {side: list(map(float, result.values(side, measure))) for side in SIDES}
    series = [Series(NAMES[side], list(zip(seeds, values[side])), KINDS[side], line=False,
                     marks=MARKS[side]) for side in SIDES]
    bands = []
    for side in SIDES:
        summary = result.summary(side, measure)
        if summary.low is not None and summary.high is not None:
            bands.append(Band(f"95 % interval of {NAMES[side]}'s mean", summary.low, summary.high,
                              KINDS[side], summary.mean))
    levels = published(result, measure)
    return chart(f"{name[0].upper()}{name[1:]}", f"{name} of both sides for each seed", series,
                 "seed", name, tuple(bands), levels, tuple(zip(seeds, *values.values())),
                 least=LEAST_SPAN, named=(*series, *bands, *levels))


def published(result: Replication, measure: str) -> tuple[Level, ...]:
    """The published figures, if these runs were trained as those were."""
    if not result.first["published"] or result.differing:
        return ()
    return tuple(Level(f"published, {name}", float(found[measure]), PUBLISHED_KINDS[name])
                 for name, found in result.first["published"].items()
                 if found[measure] is not None)


def differences(result: Replication, measure: str, name: str) -> Drawing:
    """The difference of each pair, the 95 % interval of their mean, and the margin."""
    found = result.equivalence(measure)
    apart = result.values("scratch", measure) - result.values("keras", measure)
    series = [Series("difference of a pair", [(run.seed, float(value)) for run, value
                                              in zip(result.runs, apart)], "third", line=False,
                     marks="dot")]
    bands = [Band(f"counts as small: within {result.margin:g}", -result.margin, result.margin,
                  "fourth", 0.0)]
    mean = found.difference
    if mean.low is not None and mean.high is not None:
        bands.append(Band("95 % interval of the mean", mean.low, mean.high, "third", mean.mean))
    return chart(f"{name[0].upper()}{name[1:]}: scratch − Keras",
                 f"difference in {name} of each pair; {found.verdict}", series, "seed",
                 "difference", tuple(bands), named=(*series, *bands))


def learning_curves(result: Replication) -> list[Drawing]:
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
        reached.append(Series(f"{NAMES[side]}, mean", list(zip(ends, scores.mean(axis=0).tolist())),
                              KINDS[side]))
        single = [(end, float(score)) for row in scores for end, score in zip(ends, row)]
        marks.append(Series(f"{NAMES[side]}, single runs", single, KINDS[side], line=False,
                            marks=MARKS[side]))
    steps = f"training step (batch size {result.first['settings']['batch_size']})"
    return [chart("Training loss, mean over the runs",
                  "Training loss of both sides over training steps, mean over all runs", losses,
                  steps, "mean loss", zero=True, named=losses),
            chart("Test accuracy",
                  "Test accuracy of both sides after each epoch, of every run",
                  [*reached, *marks], steps, "accuracy", least=LEAST_SPAN,
                  named=[*reached, *marks])]
