"""A replication as text: the verdict first, then the figures it rests on."""

from compare.document.display import as_html
from compare.document.sections import Section, Table, as_markdown, as_text
from compare.document.significance import decimals, measured
from compare.document.tables import NONE
from compare.document.text import Text, line
from compare.experiments.benchmark.results import NAMES, SIDES
from compare.experiments.replication.results import MEASURES, Replication
from compare.experiments.replication.statistics import ALPHA, Summary, probability
from compare.report.notebook import sections_fragment


def sections(result: Replication) -> list[Section]:
    """The whole report, in reading order."""
    outcome = verdict(result).swapped("+-", "±")
    besides = [single_pairs(result)] if unequal_pairs(result) else []
    parts = [Section(title(result), [outcome, *besides, settings_sentence(result)]),
             Section("Accuracy and F1 over all runs", table=figures(result),
                     after=[reading(result)])]
    if result.places():
        parts.append(Section("The published figures among these", placed(result)))
    elif result.first["published"] and result.differing:
        parts[-1].after.append("The published figures were reached with other settings: "
                               f"{'; '.join(result.differing)}.")
    parts.append(Section("Run by run", table=by_run(result)))
    parts.append(Section("Agreement in each pair of runs", table=agreement(result), after=[
        "'Alone right' are the test images that only one side gets right. McNemar's exact test "
        "asks whether those of one side are more than those of the other; Cohen's kappa is 1 for "
        "equal predictions and 0 for agreement by chance.", single_pairs(result)]))
    parts.append(Section("How it was run", how_it_was_run(result)))
    return parts


def title(result: Replication) -> str:
    count = len(result.runs)
    return f"{count} pair{'s' if count > 1 else ''} of runs: {result.first['title']}"


def verdict(result: Replication) -> Text:
    """Accuracy's outcome and F1's, a sentence each."""
    said = [result.equivalence(measure).sentence(f"{name[0].upper()}{name[1:]}")
            for measure, name in MEASURES.items()]
    return line(said[0], *(text for sentence in said[1:] for text in (" ", sentence)))


def unequal_pairs(result: Replication) -> list[int]:
    """The seeds of the pairs in which one side is right more often than chance explains.

    Of so many tests each has to be that much surer (C. E. Bonferroni).
    """
    return [run.seed for run, pair in zip(result.runs, result.pairs)
            if pair.p < ALPHA / len(result.pairs)]


def single_pairs(result: Replication) -> str:
    """What the tests of the pairs say, each by itself, and that the margin is of their mean."""
    count = len(result.pairs)
    sure = unequal_pairs(result)
    smallest = min(result.pairs, key=lambda pair: pair.p)
    if not sure:
        return (f"In no single pair do the two differ by more than chance explains (McNemar's "
                f"test, the smallest of {count} {probability(smallest.p)}).")
    many = f"seed{'s' if len(sure) > 1 else ''} {', '.join(map(str, sure))}"
    return (f"In {len(sure)} of {count} pairs ({many}) one of the two gets more images right than "
            f"chance explains (McNemar's test, the smallest {probability(smallest.p)}): a single "
            "pair of trainings can differ, whatever holds for the mean of many.")


def settings_sentence(result: Replication) -> str:
    asked = result.first["settings"]
    return (f"{result.first['data']['training_images']:,} training images, {asked['epochs']} "
            f"epoch{'s' if asked['epochs'] > 1 else ''}, batch size {asked['batch_size']}, seeds "
            f"{result.runs[0].seed} to {result.runs[-1].seed}. In each pair both sides start from "
            "the same weights and see the same batches in the same order.")


def figures(result: Replication) -> Table:
    """Mean with its 95 % interval, and standard deviation, of both sides and their differences."""
    rows = []
    for measure, name in MEASURES.items():
        difference = result.equivalence(measure).difference
        seen = [(result.summary(side, measure), "") for side in SIDES] + [(difference, "+")]
        rows.append([f"{name}, mean ± 95 %", *(mean_text(*each) for each in seen)])
        rows.append([f"{name}, standard deviation", *(deviation_text(each) for each, _ in seen)])
    return Table(["", *(NAMES[side] for side in SIDES), "difference"], rows)


def mean_text(summary: Summary, sign: str = "") -> str:
    """'0.891 ± 0.003': the mean and half of its 95 % interval, which lies evenly about it."""
    half = (None if summary.low is None or summary.high is None
            else (summary.high - summary.low) / 2)
    return measured(summary.mean, half, sign)


def deviation_text(summary: Summary) -> str:
    """Two significant digits: it is not known better from a few runs."""
    if summary.deviation is None:
        return NONE
    return f"{summary.deviation:.{digits_of_two(summary.deviation)}f}"


def digits_of_two(value: float) -> int:
    """Digits after the point for two significant ones."""
    return decimals(value) + (value > 0 and f"{value:.1e}"[0] != "1")


def reading(result: Replication) -> str:
    images = len(result.first["data"]["test_labels"])
    return ("Behind ± stands half the 95 % interval of the mean over the runs (Student's t). All "
            f"runs are tested on the same {images:,} images: the intervals tell how the seeds "
            "spread, not how other images would.")


def placed(result: Replication) -> list[str]:
    """A sentence for each published figure."""
    texts = []
    for name, side, measure, stands in result.places():
        where = "inside" if stands.inside else "outside"
        texts.append(f"{name}, {MEASURES[measure]} {stands.value:.3f}: {stands.deviations:+.1f} "
                     f"standard deviations from the mean of {NAMES[side]} here, {where} the "
                     f"interval {stands.low:.3f} to {stands.high:.3f} in which 95 of 100 further "
                     "runs fall.")
    return texts


def by_run(result: Replication) -> Table:
    """Accuracy and F1 of both sides in each pair of runs."""
    digits = figure_digits(result)
    rows = []
    for run in result.runs:
        line = [str(run.seed)]
        for measure in MEASURES:
            ours, theirs = (run.figure(side, measure) for side in SIDES)
            line += [f"{ours:.{digits}f}", f"{theirs:.{digits}f}", f"{ours - theirs:+.{digits}f}"]
        rows.append(line)
    return Table(["seed", *(f"{'F1' if measure == 'macro_f1' else name}\n{side}"
                            for measure, name in MEASURES.items()
                            for side in (*(NAMES[side] for side in SIDES), "difference"))], rows)


def figure_digits(result: Replication) -> int:
    """Digits after the point for single runs: as many as a single test image shows in."""
    return max(1, len(str(len(result.first["data"]["test_labels"]) - 1)))


def agreement(result: Replication) -> Table:
    """How the predictions of each pair agree: same, alone right, McNemar's p, kappa."""
    rows = [[str(run.seed), f"{100 * pair.same:.1f}", f"{pair.only_first_right:,}",
             f"{pair.only_second_right:,}",
             probability(pair.p).removeprefix("p ").removeprefix("= ").replace("< ", "<"),
             f"{pair.kappa:.3f}"] for run, pair in zip(result.runs, result.pairs)]
    return Table(["seed", "same\nclass (%)", *(f"{NAMES[side]}\nalone right" for side in SIDES),
                  "McNemar's\np", "Cohen's\nkappa"], rows)


def how_it_was_run(result: Replication) -> list[str]:
    said = [f"{side['how']}" for side in result.first["runs"].values()]
    if result.parallel > 1:
        said.append("Several pairs of runs were trained at the same time, so their seconds say "
                    "nothing about speed.")
    said.append("; ".join(f"{name}: {text}"
                          for name, text in result.first["environment"].items()) + ".")
    return said


def render(result: Replication, tablefmt: str = "simple") -> Text:
    """The report for a terminal, tables in any of tabulate's formats."""
    return as_text(sections(result), tablefmt)


def markdown(result: Replication, pictures: dict[str, str]) -> str:
    """The report as Markdown, with pictures (captions by file name) at the end."""
    return as_markdown(sections(result), pictures)


@as_html.register
def fragment(result: Replication) -> str:
    """How a notebook shows it."""
    return sections_fragment(sections(result))
