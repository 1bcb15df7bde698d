"""A benchmark as text: sections of sentences and tables, for the terminal or as Markdown."""

from compare.document.display import as_html
from compare.document.sections import Section, as_markdown, as_text
from compare.document.text import Text, as_lines, line, warning
from compare.experiments.benchmark import tables
from compare.experiments.benchmark.metrics import Agreement, agreement, standard_error
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.report.notebook import sections_fragment


def sections(result: Benchmark) -> list[Section]:
    """The whole report, in reading order; parts for which there are no figures are left out."""
    parts = [opening(result)]
    if any(run.epochs for run in result.runs.values()):
        parts.append(Section("Results", table=tables.main(result), after=remarks(result)))
        if result.settings.epochs > 1:
            parts.append(Section("Test accuracy, training loss and time by epoch",
                                 table=tables.by_epoch(result)))
        if result.last_epoch:
            parts.append(Section("Agreement", agreement_sentences(result)))
        parts.append(Section("Per class", table=tables.per_class(result)))
    elif result.check and not result.check.passed:
        parts.append(Section("Parity check", [as_lines(result.check.text)]))
    parts.append(Section("How it was run", how_it_was_run(result)))
    return parts


def opening(result: Benchmark) -> Section:
    """The title, and what has to be known before any figure is read."""
    said: list[str] = []
    if result.data.fallback_reason:
        said.append(line(warning("NOT Fashion-MNIST"), f": {result.data.fallback_reason}"))
    if result.partial:
        said.append(line(warning("PARTIAL"), f": {result.stopped}. {progress_made(result)}"))
    said.append(settings_sentence(result))
    if result.check:
        said.append(line("Twins: ", result.check.summary))
    return Section(result.title, said)


def progress_made(result: Benchmark) -> str:
    """How far either side came."""
    texts = []
    for run in result.runs.values():
        text = f"{run.name} finished {len(run.epochs)} of {result.settings.epochs} epochs"
        if run.unfinished:
            place = run.unfinished
            text += (f" and was at step {place.step:,} of {place.steps:,} of the next "
                     f"(mean loss so far {place.loss:.4f})")
        texts.append(text)
    return "; ".join(texts) + "."


def settings_sentence(result: Benchmark) -> str:
    asked = result.settings
    return (f"Network '{asked.network}', {result.data.training_images:,} training images, "
            f"{asked.epochs} epoch{'s' if asked.epochs > 1 else ''}, batch size "
            f"{asked.batch_size}, {asked.protocol.optimizer} with learning rate "
            f"{asked.learning_rate:g}, seed {asked.seed}. Both sides start from the same weights "
            "and see the same batches in the same order.")


def remarks(result: Benchmark) -> list[str]:
    """What has to be said with the main table."""
    said = []
    if result.last_epoch and result.last_epoch < result.settings.epochs:
        said.append(f"Figures after epoch {result.last_epoch} of {result.settings.epochs}, the "
                    "last that both sides finished.")
    differing = differing_settings(result)
    if tables.has_published(result) and differing:
        said.append("The published figures were reached with other settings: "
                    f"{'; '.join(differing)}.")
    shown = [result.shown(side) for side in SIDES]
    images = len(result.data.test_labels)
    for epoch in [epoch for epoch in shown if epoch][:1]:
        accuracy = float((epoch.predictions == result.data.test_labels).mean())
        said.append(f"One run on {images:,} test images: each accuracy has a standard error of "
                    f"about {standard_error(accuracy, images):.3f} from the choice of images "
                    "alone, so figures have no more digits than that. Other seeds give other "
                    "figures: one pair of runs cannot tell which of the two learns better "
                    "(`parity bench --seeds 5` asks that).")
    ours, theirs = (tables.mean_seconds(result, side) for side in SIDES)
    if ours is not None and theirs is not None:
        said.append(f"Speed: scratch takes {ours / theirs:.2f} times as long as Keras.")
    return said


def differing_settings(result: Benchmark) -> list[str]:
    """Where this run departs from the settings of the published ones."""
    asked = result.settings
    return asked.protocol.departures(result.data.training_images, result.last_epoch or asked.epochs,
                                     asked.batch_size, asked.learning_rate)


def agreement_of(result: Benchmark) -> Agreement:
    """Of the two sides' predictions after the last epoch that both finished."""
    scratch, keras = (epoch.predictions for side in SIDES if (epoch := result.shown(side)))
    return agreement(result.data.test_labels, scratch, keras)


def agreement_sentences(result: Benchmark) -> list[str]:
    found = agreement_of(result)
    return [f"The two predict the same class for {found.same:,} of {found.images:,} test images "
            f"({found.same / found.images:.2%}). Where they differ, scratch alone is right "
            f"{found.only_first_right:,} times, Keras alone {found.only_second_right:,} times, "
            f"and neither {found.neither_right:,} times.", mcnemar_sentence(found)]


def mcnemar_sentence(found: Agreement) -> str:
    """What the two counts of images that only one side gets right say of these two runs."""
    p = found.p_value
    size = f"p = {p:.3f}" if p >= 0.001 else f"p = {p:.1g}"
    if p >= 0.05:
        return (f"Counts as unequal as these two come about by chance (McNemar's exact test, {size}"
                "): these images do not tell which of these two runs is better.")
    better = "scratch" if found.only_first_right > found.only_second_right else "Keras"
    return (f"Counts as unequal as these two hardly come about by chance (McNemar's exact test, "
            f"{size}): of these two runs, that of {better} is the better one. It says so of these "
            "runs, not of all that other seeds would give.")


def how_it_was_run(result: Benchmark) -> list[str]:
    said = [run.ready.how for run in result.runs.values() if run.ready]
    if said:
        said.append("Each side trains in a process of its own, one at a time, taking turns after "
                    "every epoch. Timed is training alone: forward, loss, backward, update and "
                    "predicted class of each batch, for Keras also handing it over to TensorFlow; "
                    "decoding of pixels, start-up and testing are not, on either side. Peak memory "
                    "is that of the side's whole process, with its libraries and the data.")
    started = [f"{NAMES[side]} {run.ready.startup_seconds:.1f} s"
               for side, run in result.runs.items() if run.ready]
    if started:
        said.append(f"Start-up, once: {', '.join(started)}.")
    said.append("; ".join(f"{name}: {text}" for name, text in result.environment.items()) + ".")
    said.append(f"Data: {result.data.source}.")
    return said


def render(result: Benchmark, tablefmt: str = "simple") -> Text:
    """The report for a terminal, tables in any of tabulate's formats."""
    return as_text(sections(result), tablefmt)


def markdown(result: Benchmark, pictures: dict[str, str]) -> str:
    """The report as Markdown, with pictures (captions by file name) at the end."""
    return as_markdown(sections(result), pictures)


@as_html.register
def fragment(result: Benchmark) -> str:
    """How a notebook shows it."""
    return sections_fragment(sections(result))
