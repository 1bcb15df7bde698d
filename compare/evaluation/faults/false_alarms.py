"""Clean networks, in which no rule has anything to find: whoever gives the alarm is wrong."""

import time
from dataclasses import asdict, dataclass, field

from compare.evaluation.faults.baselines import verdicts
from compare.evaluation.faults.scoring import Case
from compare.evaluation.fuzzing.generator import draw


@dataclass
class Clean:
    """What was said of one clean network.

    Attributes:
        number: of the network, among those of the seed.
        alarm: what `compare.check` holds against it, '' for nothing.
        rivals: whether each other rule gives the alarm, by its name; empty if not asked for.
        seconds: how long it took.
    """

    number: int
    alarm: str
    rivals: dict = field(default_factory=dict)
    seconds: float = 0.0

    def plain(self) -> dict:
        return asdict(self)


def judged(seed: int, number: int, rivals: bool = True) -> Clean:
    """Network `number` of the seed, as `parity fuzz` draws it; an error counts as an alarm."""
    network = draw(seed, number)
    began = time.perf_counter()
    made = Clean(number, "")
    try:
        case = Case.of(network)
        report = case.check(network.steps)
        if not report:
            row = report.first_failure
            made.alarm = f"{row.gate}: {row.layer} {row.tensor}: {report.summary()}"
        if rivals:
            made.rivals = verdicts(network, case)
    except Exception as error:
        made.alarm = made.alarm or f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    made.seconds = time.perf_counter() - began
    return made
