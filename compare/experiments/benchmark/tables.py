"""The tables of a benchmark: rounded texts in rows, not yet in any format."""

from decimal import Decimal

from compare.document.sections import Table
from compare.document.significance import significant_decimals
from compare.document.tables import NONE
from compare.experiments.benchmark.metrics import Figures, figures, share_digits
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs import training_protocols

FEW = 3  # digits after the point of a loss
EARLIER = {"scratch": "NumPy", "keras": "Keras"}  # whose published figures stand beside a side's


def has_published(result: Benchmark) -> bool:
    """Earlier figures exist for Fashion-MNIST only."""
    return result.data.name == training_protocols.DATASET


def figures_of(result: Benchmark, side: str) -> Figures | None:
    """The test figures of the epoch that is shown for a side."""
    epoch = result.shown(side)
    if epoch is None:
        return None
    return figures(result.data.test_labels, epoch.predictions, len(result.data.class_names))


def main(result: Benchmark) -> Table:
    """Published figures, both sides, and scratch minus Keras."""
    shown = [result.shown(side) for side in SIDES]
    judged = [figures_of(result, side) for side in SIDES]
    share = f".{accuracy_digits(result)}f"
    each = [mean_seconds(result, side) for side in SIDES]
    steps = [mean_seconds(result, side, per_step=True) for side in SIDES]
    rows = [
        row("accuracy", [f and f.accuracy for f in judged], share),
        row("macro F1", [f and f.macro_f1 for f in judged], share),
        row("training loss", [e and e.training_loss for e in shown], f".{FEW}f"),
        row("time per epoch (s)", each, of_three_digits(each)),
        row("time per step (ms)", steps, of_three_digits(steps)),
        row("parameters", [r.ready and r.ready.parameters for r in result.runs.values()], ",d"),
        row("peak memory (MB)", [e and megabytes(e.peak_memory) for e in shown], ",.0f"),
    ]
    headers = ["", *(NAMES[side] for side in SIDES), "difference"]
    if has_published(result):
        published = result.settings.protocol.published
        for line, name in zip(rows, ("accuracy", "macro_f1")):
            line[1:1] = [text(getattr(p, name), ".3f") for p in published.values()]
        for line in rows[2:]:
            line[1:1] = [NONE] * len(published)
        headers[1:1] = [f"published\n{name}" for name in published]
    return Table(headers, rows)


def accuracy_digits(result: Benchmark) -> int:
    """Digits after the point that the accuracies on these test images are worth."""
    reached = [accuracy(result, result.shown(side)) for side in SIDES if result.shown(side)]
    return min(share_digits(share, len(result.data.test_labels)) for share in reached)


def of_three_digits(values: list) -> str:
    """A format that gives the smallest of some times three significant digits."""
    known = [value for value in values if value is not None]
    return f",.{significant_decimals(min(known, default=0))}f"


def mean_seconds(result: Benchmark, side: str, per_step: bool = False) -> float | None:
    """Training seconds per epoch, or milliseconds per step, over the epochs that are shown."""
    shown = result.shown(side)
    if shown is None:
        return None
    epochs = result.runs[side].epochs[:shown.number]
    seconds = sum(epoch.seconds for epoch in epochs)
    return 1000 * seconds / sum(e.steps for e in epochs) if per_step else seconds / len(epochs)


def megabytes(count: int | None) -> float | None:
    return None if count is None else count / 1e6


def row(name: str, values: list, form: str) -> list[str]:
    """A name, a figure for each side, and the first minus the second of the figures as shown."""
    shown = [text(value, form) for value in values]
    if NONE in shown:
        return [name, *shown, NONE]
    number = int if form.endswith("d") else Decimal
    first, second = (number(figure.replace(",", "")) for figure in shown)
    apart = format(first - second, "+" + form)
    return [name, *shown, apart if apart.strip("+-0.,") else "0"]


def text(value, form: str) -> str:
    return NONE if value is None else format(value, form)


def by_epoch(result: Benchmark) -> Table:
    """Test accuracy, training loss and training time of each epoch, a row for each side."""
    published = {name: earlier for name, earlier in result.settings.protocol.published.items()
                 if has_published(result) and earlier.accuracy_by_epoch}
    headers = ["epoch", "side", "test\naccuracy", "training\nloss", "time (s)"]
    if published:
        headers.insert(3, "published\naccuracy")
    digits = accuracy_digits(result)
    times = of_three_digits([epoch.seconds for run in result.runs.values()
                             for epoch in run.epochs])
    rows = []
    for number in range(1, max(len(run.epochs) for run in result.runs.values()) + 1):
        for side, run in result.runs.items():
            epoch = run.after(number)
            line = [str(number), NAMES[side], text(epoch and accuracy(result, epoch),
                                                   f".{digits}f"),
                    text(epoch and epoch.training_loss, f".{FEW}f"),
                    text(epoch and epoch.seconds, times)]
            if published:
                line.insert(3, published_accuracy(published, side, number, digits))
            rows.append(line)
    return Table(headers, rows)


def published_accuracy(published: dict, side: str, number: int, digits: int) -> str:
    """What the earlier implementation of a side reached after an epoch."""
    earlier = published.get(EARLIER[side])
    if earlier is None or number > len(earlier.accuracy_by_epoch):
        return NONE
    return f"{earlier.accuracy_by_epoch[number - 1]:.{max(digits, 3)}f}"


def accuracy(result: Benchmark, epoch) -> float:
    """Share of the test images predicted right after an epoch."""
    return float((epoch.predictions == result.data.test_labels).mean())


def per_class(result: Benchmark) -> Table:
    """Precision, recall and F1 of every class, both sides next to one another."""
    judged = [figures_of(result, side) for side in SIDES]
    measures = ("precision", "recall", "f1")
    headers = ["class", "test\nimages", *(f"{NAMES[side]}\n{'F1' if m == 'f1' else m}"
                                          for m in measures for side in SIDES)]
    known = next(f for f in judged if f is not None)
    digits = share_digits(known.accuracy, max(1, int(known.support.max())))
    rows = []
    for i, name in enumerate(result.data.class_names):
        line = [name, f"{known.support[i]:,}"]
        for measure in measures:
            line += [text(f and getattr(f, measure)[i], f".{digits}f") for f in judged]
        rows.append(line)
    return Table(headers, rows)
