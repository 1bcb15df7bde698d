"""The page of `parity bench --seeds K`: the statistics first, then every pair of runs."""

from compare.document.html import sections
from compare.document.html.line_chart import Band, Series, chart, key
from compare.document.html.markup import Html, element
from compare.document.html.page import Part, page
from compare.experiments.benchmark.page_curves import KINDS, LEAST_SPAN, MARKS
from compare.experiments.benchmark.results import NAMES, SIDES
from compare.experiments.replication import page_runs, report
from compare.experiments.replication.page_twin_check import twins
from compare.experiments.replication.results import MEASURES, Campaign
from compare.inputs import datasets


def campaign_page(result: Campaign, facts: dict[str, str],
                  dataset: datasets.Dataset | None = None) -> str:
    """A whole page.

    Args:
        facts: machine, versions, command, by name.
        dataset: what ran, to show its images.
    """
    opening, statistics, *others = report.sections(result)
    *others, how = others
    parts = [Part("statistics", statistics.heading, sections.content(statistics)),
             Part("pictures", "Every pair of runs", pictures(result)),
             *(Part(f"part-{i}", part.heading, sections.content(part))
               for i, part in enumerate(others)),
             *page_runs.parts(result, dataset),
             *twins(result.first, result.runs[0].seed),
             Part("how", how.heading, sections.content(how))]
    return page(opening.heading, passed(result), verdict(result), parts, facts,
                element("div", [sections.paragraph(text) for text in opening.before]))


def passed(result: Campaign) -> bool | None:
    """True if both measures are shown to be equivalent, False if one is shown to differ."""
    outcomes = [result.equivalence(measure).verdict for measure in MEASURES]
    if "different" in outcomes:
        return False
    return True if set(outcomes) == {"equivalent"} else None


def verdict(result: Campaign) -> str:
    """Both measures' outcomes in one sentence."""
    said = []
    for measure, name in MEASURES.items():
        found = result.equivalence(measure)
        seen = f"mean difference {found.difference.mean:+.4f}"
        said.append({
            "equivalent": f"{name} is equivalent ({seen}, shown to lie within ±{found.margin:g})",
            "different": f"{name} is different ({seen}, not shown to lie within "
                         f"±{found.margin:g})",
            "not enough runs": f"for {name} there are not enough runs to tell ({seen}, to be held "
                               f"against ±{found.margin:g})",
        }[found.verdict])
    count = len(result.runs)
    text = f"{' and '.join(said)}, over {count} pair{'s' if count > 1 else ''} of runs."
    return text[0].upper() + text[1:]


def pictures(result: Campaign) -> list[Html]:
    """For each measure both sides' figures, and their paired differences."""
    charts = []
    for measure, name in MEASURES.items():
        charts += [element("div", element("h3", f"{name[0].upper()}{name[1:]}"),
                           *figures(result, measure, name)),
                   element("div", element("h3", f"{name[0].upper()}{name[1:]}: scratch − Keras"),
                           *differences(result, measure, name))]
    return [element("div", charts, class_="multiples large")]


def figures(result: Campaign, measure: str, name: str) -> list[Html]:
    """Each side's figures by seed, and the 95 % intervals of their means."""
    seeds = [run.seed for run in result.runs]
    series = [Series(NAMES[side], list(zip(seeds, map(float, result.values(side, measure)))),
                     KINDS[side], line=False, marks=MARKS[side]) for side in SIDES]
    bands = []
    for side in SIDES:
        summary = result.summary(side, measure)
        if summary.low is not None:
            bands.append(Band(f"95 % interval of {NAMES[side]}'s mean", summary.low, summary.high,
                              KINDS[side]))
    return [key([*series, *bands]),
            chart(f"{name} of both sides for each seed", series, "seed", name, tuple(bands),
                  least=LEAST_SPAN)]


def differences(result: Campaign, measure: str, name: str) -> list[Html]:
    """The difference of each pair, the 95 % interval of their mean, and the margin."""
    found = result.equivalence(measure)
    apart = result.values("scratch", measure) - result.values("keras", measure)
    series = [Series("difference of a pair", [(run.seed, float(value)) for run, value
                                              in zip(result.runs, apart)], "third", line=False,
                     marks="dot")]
    bands = [Band(f"counts as small: within {result.margin:g}", -result.margin, result.margin,
                  "fourth")]
    if found.difference.low is not None:
        bands.append(Band("95 % interval of the mean", found.difference.low, found.difference.high,
                          "third"))
    return [key([*series, *bands]),
            chart(f"difference in {name} of each pair; {found.verdict}", series, "seed",
                  "difference", tuple(bands))]
