"""A competitor's whole job in its own process: row after row, one timed turn at a time.

Each competitor has a process of its own, and only one of them computes at any moment. In one
process they would disturb each other: the threads that TensorFlow and OpenBLAS keep wait actively
for a while after the work is done. A turn therefore also says how much its process computed while
it was waiting.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from compare.experiments.performance.cases import Case
from compare.experiments.performance.competitors import make
from compare.experiments.performance.competitors.task import calibrate
from compare.experiments.performance.results import Prepared, Ready, Turn


@dataclass(frozen=True)
class Job:
    """What one competitor is going to do.

    Attributes:
        competitor: its name.
        rows: each case, and how many turns it gets.
        stretch: the least length of a turn, in seconds.
    """

    competitor: str
    rows: tuple[tuple[Case, int], ...]
    stretch: float


def take_turns(job: Job) -> Iterator[Ready | Prepared | Turn]:
    """Yields Ready, then for each row a Prepared and its Turns, each when it is asked for."""
    began = time.perf_counter()
    competitor = make(job.competitor)
    yield Ready(competitor.how, competitor.versions, time.perf_counter() - began)
    for case, turns in job.rows:
        began = time.perf_counter()
        task = (competitor.layer if case.is_layer else competitor.training if case.trains
                else competitor.predicting)(case)
        steps = calibrate(task.run, case.samples, job.stretch)
        rest, cpu = time.perf_counter(), time.process_time()
        yield Prepared(task.how, rest - began)
        for _ in range(turns):
            waited, used = time.perf_counter() - rest, time.process_time() - cpu
            seconds, samples = task.run(steps)
            rest, cpu = time.perf_counter(), time.process_time()
            yield Turn(seconds, samples, waited, used)
