"""The page of `parity bench --seeds K`: the statistics first, then every pair of runs."""

from compare.document.html import sections
from compare.document.html.page import Part, page, panels
from compare.document.markup import element
from compare.experiments.replication import page_runs, report
from compare.experiments.replication.figures import pairs_of_runs
from compare.experiments.replication.page_twin_check import twins
from compare.experiments.replication.results import MEASURES, Replication
from compare.inputs import datasets


def replication_page(result: Replication, facts: dict[str, str],
                     dataset: datasets.Dataset | None = None) -> str:
    """A whole page.

    Args:
        facts: machine, versions, command, by name.
        dataset: what ran, to show its images.
    """
    opening, statistics, *others = report.sections(result)
    *others, how = others
    parts = [Part("statistics", statistics.heading, sections.content(statistics)),
             Part("pictures", "Every pair of runs", [panels(pairs_of_runs(result))]),
             *(Part(f"part-{i}", part.heading, sections.content(part))
               for i, part in enumerate(others)),
             *page_runs.parts(result, dataset),
             *twins(result.first, result.runs[0].seed),
             Part("how", how.heading, sections.content(how))]
    return page(opening.heading, passed(result), verdict(result), parts, facts,
                element("div", [sections.paragraph(text) for text in opening.before]))


def passed(result: Replication) -> bool | None:
    """True if both measures are shown to be equivalent, False if one is shown to differ."""
    outcomes = [result.equivalence(measure).verdict for measure in MEASURES]
    if "different" in outcomes:
        return False
    return True if set(outcomes) == {"equivalent"} else None


def verdict(result: Replication) -> str:
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
