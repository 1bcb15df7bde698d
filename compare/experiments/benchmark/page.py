"""The page of `parity bench`."""

from compare.document.html import sections
from compare.document.html.heatmaps import extent, figure
from compare.document.html.markup import Html, element
from compare.document.html.page import Part, page
from compare.experiments.benchmark import learned_features, report, tables
from compare.experiments.benchmark.page_confusion import matrices
from compare.experiments.benchmark.page_curves import class_curves, learning_curves, speed
from compare.experiments.benchmark.page_images import disagreements, grid
from compare.experiments.benchmark.results import NAMES, SIDES, Benchmark
from compare.inputs import datasets
from compare.report import page as check_page


def benchmark_page(result: Benchmark, dataset: datasets.Dataset, facts: dict[str, str]) -> str:
    """A whole page.

    Args:
        dataset: what ran; its test images are shown.
        facts: machine, versions, command, by name.
    """
    # a report that fails is false, and is what most needs to be shown
    known = result.check is not None and result.check.report is not None
    check = check_page.parts_of(result.check.report) if known else []
    parts = check if result.check and not result.check.passed else []
    parts += results(result)
    if any(run.epochs for run in result.runs.values()):
        parts += [Part("curves", "Learning curves", learning_curves(result)),
                  Part("confusion", "Confusion", confusion(result)),
                  Part("disagreements", "Where the two disagree", disagreements(result, dataset)),
                  Part("learned", "What the networks learned", what_was_learned(result, dataset)),
                  Part("speed", "Speed", speed(result))]
    elif any(run.curve for run in result.runs.values()):
        parts.append(Part("curves", "Learning curves", learning_curves(result)))
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
    content = []
    for part in report.sections(result)[1:]:
        if part.heading != "How it was run" and not (
                part.heading == "Parity check" and result.check.report is not None):
            heading = element("h3", part.heading) if content else None
            content += [heading, *sections.content(part)]
    return [Part("results", "Results", content)] if content else []


def confusion(result: Benchmark) -> list[Html]:
    """The matrices of the sides that finished an epoch."""
    found = {side: tables.figures_of(result, side) for side in SIDES}
    return matrices({side: each.confusion for side, each in found.items() if each is not None},
                    result.data.class_names)


def what_was_learned(result: Benchmark, dataset: datasets.Dataset) -> list[Html]:
    """Filters, feature maps, weights, classes over epochs, and the surest mistakes."""
    content = []
    found = learned_features.filters(result)
    if found:
        content += [element("h3", "Filters of the first layer"), three(found, "filters")]
    for image, pair in learned_features.feature_maps(result):
        label = result.data.class_names[result.data.test_labels[image]]
        content += [element("h3", f"What the first layer makes of test image {image} ({label})"),
                    three(pair, f"feature maps of test image {image}")]
    weights = learned_features.weights(result)
    if weights:
        content += [element("h3", "How far apart the weights ended"),
                    sections.table(weights, "How far apart the weights ended")]
    content += [element("h3", "F1 of each class, epoch by epoch"), *class_curves(result)]
    return content + surest_mistakes(result, dataset)


def surest_mistakes(result: Benchmark, dataset: datasets.Dataset) -> list[Html]:
    """What each side got wrong and was most sure of, once if it is the same for both."""
    found = {NAMES[side]: learned_features.mistakes(result, side) for side in SIDES}
    if len({tuple(images) for images in found.values()}) == 1:
        found = {"both": found[NAMES[SIDES[0]]]}
    return [part for name, images in found.items() if len(images)
            for part in (element("h3", f"The surest mistakes of {name}"),
                         grid(result, dataset, images))]


def three(pair: learned_features.Pair, what: str) -> Html:
    """Both sides and their difference, as pictures on one scale each."""
    low, high = extent(pair.scratch)
    lowest, highest = extent(pair.keras)
    most = max(-low, high, -lowest, highest)
    apart = extent(abs(pair.difference))[1]
    return element("div", [
        figure(pair.scratch, f"scratch: {what}", "scratch", "diverging", -most, most),
        figure(pair.keras, f"Keras: {what}", "Keras", "diverging", -most, most),
        figure(pair.difference, f"difference of {what}", "scratch − Keras", "diverging",
               -apart, apart)], class_="pictures")
