"""Clean networks, in which no rule has anything to find: whoever gives the alarm is wrong.

Some are drawn at random; some hold a right variant, the same mathematics in another form.
"""

import copy
import time
from dataclasses import asdict, dataclass, field, replace

from compare.evaluation.faults.baselines import verdicts
from compare.evaluation.faults.fault import Variant
from compare.evaluation.faults.scoring import Case, Cases
from compare.evaluation.fuzzing.generator import draw


@dataclass
class Clean:
    """What was said of one clean network.

    Attributes:
        number: of the network, among those of the seed; of a variant, in the catalogue.
        alarm: what `compare.check` holds against it, '' for nothing.
        rivals: whether each other rule gives the alarm, by its name; empty if not asked for.
        seconds: how long it took.
        variant: the identifier of the right variant that it holds, '' for a network as drawn.
    """

    number: int
    alarm: str
    rivals: dict = field(default_factory=dict)
    seconds: float = 0.0
    variant: str = ""

    def plain(self) -> dict:
        return asdict(self)


def judged(seed: int, number: int, rivals: bool = True) -> Clean:
    """Network `number` of the seed, as `parity fuzz` draws it; an error counts as an alarm."""
    network = draw(seed, number)
    began = time.perf_counter()
    made = Clean(number, "")
    try:
        case = Case.of(network)
        made.alarm = held_against(case, network.steps)
        if rivals:
            made.rivals = verdicts(network, case)
    except Exception as error:
        made.alarm = made.alarm or raised(error)
    made.seconds = time.perf_counter() - began
    return made


def judged_variant(variant: Variant, number: int, cases: Cases) -> Clean:
    """A right variant in its own network; an error counts as an alarm."""
    began = time.perf_counter()
    made = Clean(number, "", variant=variant.identifier)
    try:
        clean = cases[variant.network]
        model = copy.deepcopy(clean.model)
        variant.inject(model)
        made.alarm = held_against(replace(clean, model=model), variant.steps)
    except Exception as error:
        made.alarm = raised(error)
    made.seconds = time.perf_counter() - began
    return made


def held_against(case: Case, steps: int) -> str:
    """What `compare.check` says against a case, '' for nothing."""
    report = case.check(steps)
    if report:
        return ""
    row = report.first_failure
    where = "" if row is None else f"{row.gate}: {row.layer} {row.tensor}: "
    return where + report.summary()


def raised(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
