"""The page of `parity bench`."""

from dataclasses import replace

from compare.document.charts.drawing import Drawing
from compare.document.html import sections
from compare.document.html.page import Part, page, panels
from compare.document.markup import Html, element
from compare.document.sections import Section, Table
from compare.experiments.benchmark import learned_features, report, tables
from compare.experiments.benchmark.figures import images, learned
from compare.experiments.benchmark.figures.confusion import READING, confusion
from compare.experiments.benchmark.figures.curves import (
    class_curves,
    learning_curves,
    sides_key,
)
from compare.experiments.benchmark.results import SIDES, Benchmark
from compare.inputs import datasets
from compare.report import page as check_page


def benchmark_page(result: Benchmark, dataset: datasets.Dataset, facts: dict[str, str]) -> str:
    """A whole page.

    Args:
        dataset: what ran; its test images are shown.
        facts: machine, versions, command, by name.
    """
    # a report that fails is false, and is what most needs to be shown
    known = result.check.report if result.check is not None else None
    check = check_page.parts_of(known) if known is not None else []
    parts = check if result.check and not result.check.passed else []
    parts += results(result)
    if any(run.epochs for run in result.runs.values()):
        parts += [curves(result),
                  Part("confusion", "Confusion", matrices_side_by_side(confusion(result))),
                  Part("learned", "What the networks learned", what_was_learned(result)),
                  Part("mistakes", "The mistakes", mistakes(result, dataset)),
                  Part("speed", "Speed", speed(result))]
    elif any(run.curve for run in result.runs.values()):
        parts.append(curves(result))
    if result.check and result.check.passed:
        parts += check
    parts.append(Part("how", "How it was run", [sections.paragraph(text)
                                                for text in report.how_it_was_run(result)]))
    opening = report.opening(result)
    return page(result.title, passed(result), verdict(result), parts, facts,
                element("div", [sections.paragraph(text) for text in opening.before]))


def passed(result: Benchmark) -> bool | None:
    """Whether the two are the same function; None if it is not known, or not all was done."""
    if result.check is None:
        return None
    return False if not result.check.passed else None if result.partial else True


def verdict(result: Benchmark) -> str:
    """The outcome in a sentence."""
    if result.check and not result.check.passed:
        said = "The two are not the same function, so nothing was trained"
        if result.check.report is None:
            return f"{said}."
        return f"{said}: {check_page.failed(result.check.report)}."
    begun = f"Stopped early ({result.stopped}): " if result.partial else ""
    if not result.last_epoch:
        said = "no epoch was finished by both sides, so they cannot be compared."
    else:
        scores = [tables.accuracy(result, result.shown(side)) for side in SIDES]
        found = report.agreement_of(result)
        same = "the two are the same function before training, and" if result.check else "the two"
        said = (f"{same} predict the same class for {found.same / found.images:.2%} of "
                f"{found.images:,} test images after it: accuracy {scores[0]:.4f} (scratch) and "
                f"{scores[1]:.4f} (Keras).")
    return begun + said if begun else said[0].upper() + said[1:]


def results(result: Benchmark) -> list[Part]:
    """The tables; the check's own is left out where its rows are shown."""
    content: list[Html | None] = []
    known = result.check is not None and result.check.report is not None
    for part in report.sections(result)[1:]:
        if part.heading != "How it was run" and not (part.heading == "Parity check" and known):
            heading = element("h3", part.heading) if content else None
            content += [heading, *sections.content(ours_first(part))]
    return [Part("results", "Results", content)] if content else []


def ours_first(part: Section) -> Section:
    """The section with earlier, published figures, and how many images there are, behind what this
    run made of them: a phone shows the first columns."""
    if part.table is None:
        return part
    found = part.table
    order = sorted(range(len(found.headers)),
                   key=lambda i: found.headers[i].startswith(("published", "test\nimages")))
    return replace(part, table=Table([found.headers[i] for i in order],
                                     [[row[i] for i in order] for row in found.rows]))


def curves(result: Benchmark) -> Part:
    """Loss and accuracy."""
    return Part("curves", "Learning curves", [panels(learning_curves(result))])


def matrices_side_by_side(drawings: list[Drawing]) -> list[Html]:
    """Confusion matrices, each of which scrolls by itself where the page is narrow."""
    same = element("p", "The two matrices are the same.") if len(drawings) == len(SIDES) else None
    return [element("p", READING, class_="quiet"), *([same] if same else []), element("div", [
        element("div", element("h3", drawing.heading),
                element("div", drawing.svg(), class_="scroll", role="region",
                        aria_label=drawing.label, tabindex="0"))
        for drawing in drawings], class_="matrices")]


def disagreements(result: Benchmark, dataset: datasets.Dataset) -> list[Html]:
    """The images on which the two disagree, the surest first."""
    if None in [result.shown(side) for side in SIDES]:
        return [element("p", "Only one side finished an epoch.")]
    found = images.disagreements(result)
    said = [element("p", text) for text in report.agreement_sentences(result)]
    if len(found) > images.MOST:
        said.append(element("p", f"{images.MOST} of {len(found):,} shown: those of which both are "
                            "most sure.", class_="quiet"))
    return [*said, grid(images.tiles(result, dataset, found[:images.MOST]))]


def grid(drawings: list[Drawing]) -> Html:
    return element("div", [drawing.svg() for drawing in drawings], class_="tiles")


def what_was_learned(result: Benchmark) -> list[Html]:
    """Filters, feature maps, weights, and classes over epochs."""
    content = []
    filters = learned.filters(result)
    for group in [*([filters] if filters else []), *learned.feature_maps(result)]:
        content += [element("h3", group.heading),
                    element("div", [drawing.svg() for drawing in group.drawings],
                            class_="pictures")]
    weights = learned_features.weights(result)
    if weights:
        content += [element("h3", "How far apart the weights ended"),
                    sections.table(weights, "How far apart the weights ended")]
    charts = class_curves(result)
    if charts:
        content += [element("h3", "F1 of each class, epoch by epoch"), sides_key().svg(),
                    panels(charts, "small")]
    return content


def mistakes(result: Benchmark, dataset: datasets.Dataset) -> list[Html]:
    """Where the two disagree, and what either was surest of and wrong."""
    content = [element("h3", "Where the two disagree"), *disagreements(result, dataset)]
    for name, found in images.surest_mistakes(result).items():
        content += [element("h3", f"The surest mistakes of {name}"),
                    grid(images.tiles(result, dataset, found))]
    return content


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
