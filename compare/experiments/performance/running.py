"""All competitors in turn, row by row, and what to do when something stops them."""

import contextlib
import os
import sys
import time

from compare.document import progress
from compare.document.text import visible
from compare.experiments.execution.environment import environment
from compare.experiments.execution.worker_process import Worker, WorkerError
from compare.experiments.performance.cases import Case, cases
from compare.experiments.performance.check_cost import costs, different
from compare.experiments.performance.interleaving import Job, take_turns
from compare.experiments.performance.memory_profile import MemoryJob, use_memory
from compare.experiments.performance.operation_count import multiply_adds
from compare.experiments.performance.results import BLAS, NAMES, Row, Speed
from compare.experiments.performance.settings import MEMORY_BATCH, Settings
from scratch.progress import clock

PAUSE = 0.05  # seconds between two turns, in which the threads of the one before fall asleep
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_ENABLE_ONEDNN_OPTS")


def run(settings: Settings, verbose: bool = True) -> Speed:
    """Measure everything that the settings ask for.

    Ctrl-C and a process that fails end it early: what was finished until then is returned, and
    `stopped` says why.

    Args:
        verbose: progress on standard error.

    Raises:
        ValueError: if none of the competitors can take part here.
    """
    if not settings.present:
        raise ValueError("expected a competitor that is installed. Received: "
                         f"{', '.join(settings.competitors)}")
    result = Speed(settings, surroundings())
    say = Narrator(verbose)
    try:
        take_all_turns(result, say)
        if "check" in settings.parts:
            measure_checks(result, say)
        if "memory" in settings.parts:
            measure_memory(result, say)
    except KeyboardInterrupt:
        result.interrupted = True
        result.stopped = "interrupted by Ctrl-C"
    except WorkerError as error:
        result.stopped = str(error)
        say.line(error.details)
    return result


def surroundings() -> dict[str, str]:
    """Machine and versions, how busy the machine was, and what was said about threads."""
    found = environment()
    if hasattr(os, "getloadavg"):
        found["load average before"] = f"{os.getloadavg()[0]:.1f}"
    given = [f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ]
    found["thread settings"] = ", ".join(given) or "none"
    return found


def plan(settings: Settings) -> list[tuple[Case, tuple[str, ...], int]]:
    """Each row: its case, who takes part, and how often."""
    rows = []
    for case in cases(settings):
        if case.axis:  # `fit` alone shows how cost grows
            some = tuple(name for name in settings.present if name != "keras-loop")
            rows.append((case, some or settings.present, settings.scaling_pairs))
        elif case.is_layer:
            some = tuple(name for name in settings.present if name != "keras-loop")
            if some:
                rows.append((case, some, settings.scaling_pairs))
        else:
            rows.append((case, (*settings.present, BLAS), settings.pairs))
    return rows


def take_all_turns(result: Speed, say: "Narrator") -> None:
    """Start every competitor, then go through the rows."""
    rows = plan(result.settings)
    say.expect(sum(len(who) * (turns + 1) for _, who, turns in rows))
    with contextlib.ExitStack() as stack:
        workers = {}
        for name in dict.fromkeys(name for _, who, _ in rows for name in who):
            own = tuple((case, turns) for case, who, turns in rows if name in who)
            say.line(f"Starting {NAMES[name]} ...")
            job = Job(name, own, result.settings.stretch)
            workers[name] = stack.enter_context(Worker(NAMES[name], take_turns, job))
            result.ready[name] = workers[name].ask()
        for case, who, turns in rows:
            row = Row(case, multiply_adds(case), {name: [] for name in who})
            result.rows.append(row)
            with say.row(case, len(who) * (turns + 1)) as tick:
                measure_row(row, {name: workers[name] for name in who}, turns, tick)


def measure_row(row: Row, workers: dict, turns: int, tick) -> None:
    """All get ready, then take their turns; the order is turned round from pair to pair."""
    for name, worker in workers.items():
        row.how[name] = worker.ask().how
        tick()
    for pair in range(turns):
        for name in reversed(workers) if pair % 2 else workers:
            time.sleep(PAUSE)
            row.turns[name].append(workers[name].ask())
            tick()


def measure_checks(result: Speed, say: "Narrator") -> None:
    """One network after the other is checked, in a fresh process."""
    points = result.settings.check_points
    say.line("Starting checks ...")
    with (Worker("the checks", costs, points) as worker,
          progress.Bar(len(different(points)), "check", say.verbose) as bar):
        while (cost := worker.ask()) is not None:
            result.checks[cost.case] = cost
            bar.update(len(result.checks))


def measure_memory(result: Speed, say: "Narrator") -> None:
    """Each competitor trains in a fresh process, one after the other."""
    settings = result.settings
    batch = min(MEMORY_BATCH, settings.memory_images)
    case = Case("training", "benchmark", batch)
    for name in settings.present:
        say.line(f"Measuring the memory of {NAMES[name]} ...")
        job = MemoryJob(name, case, settings.memory_images)
        with Worker(NAMES[name], use_memory, job) as worker:
            result.memory[name] = worker.ask()


class Narrator:
    """Progress on standard error, with the time that all turns will still take."""

    def __init__(self, verbose: bool):
        self.verbose = verbose
        self._done = self._all = 0
        self._began: float | None = None

    def expect(self, ticks: int) -> None:
        self._all = ticks

    def line(self, text: str) -> None:
        if self.verbose and text:
            print(visible(text, keep="\n"), file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def row(self, case: Case, ticks: int):
        """The bar of one row; gives the function to call after every turn."""
        if self._began is None:
            self._began = time.perf_counter()
        left = self.seconds_left()
        title = f"{case.part}: {case.label}" + (f" (~{clock(left)} in all)" if left else "")
        done = 0
        with progress.Bar(ticks, title, self.verbose) as bar:
            def tick():
                nonlocal done
                done += 1
                self._done += 1
                bar.update(done)

            yield tick

    def seconds_left(self) -> float | None:
        """As long as the turns until now took, for those to come; None before the first."""
        if self._began is None or not self._done:
            return None
        return (time.perf_counter() - self._began) / self._done * (self._all - self._done)
