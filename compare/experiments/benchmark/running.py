"""Both sides' jobs, epoch by epoch in turn, and what to do when something stops them."""

import contextlib
import math
import sys
import textwrap
import time

import numpy as np

from compare.document import progress
from compare.document.text import visible
from compare.experiments.benchmark.results import (
    NAMES,
    SIDES,
    Benchmark,
    Check,
    DataInfo,
    RunResult,
)
from compare.experiments.benchmark.settings import Settings
from compare.experiments.benchmark.training import DataSpec, Job, train
from compare.experiments.benchmark.twin_check import check_twins
from compare.experiments.execution.environment import environment
from compare.experiments.execution.worker_process import Worker, WorkerError
from compare.inputs import benchmark_networks, datasets, training_protocols
from scratch import NonFiniteLossError
from scratch.progress import clock, columns


def run(settings: Settings, dataset: datasets.Dataset | None = None,
        verbose: bool = True) -> Benchmark:
    """Check the twins, then train and test both.

    Ctrl-C, a loss that is not finite and a process that dies end the run early: what was finished
    until then is returned, `stopped` says why. If the check fails nothing is trained.

    Args:
        dataset: as from `settings.load()`, if it is at hand already.
        verbose: progress on standard error.

    Raises:
        ValueError, OSError: for data that cannot be used.
    """
    dataset = dataset or settings.load()
    model = training_protocols.build(settings.network, dataset.input_shape, dataset.classes,
                                     settings.learning_rate, settings.seed)
    jobs = {side: make_job(side, settings, dataset, model) for side in SIDES}
    result = Benchmark(settings, data_info(dataset), benchmark_networks.describe(model),
                       environment(), {side: RunResult(side) for side in SIDES})
    say = Narrator(result, verbose)
    try:
        result.check = ask_for_check(jobs["keras"], say)
        say.line(textwrap.fill(result.check.summary, columns(sys.stderr)))
        if result.check.passed:
            train_both(jobs, result, say)
        else:
            result.stopped = "the twins are not the same function, so they were not trained"
    except KeyboardInterrupt:
        result.interrupted = True
        result.stopped = "interrupted by Ctrl-C"
    except (NonFiniteLossError, WorkerError) as error:
        result.stopped = str(error)
        say.line(getattr(error, "details", ""))
    return result


def make_job(side: str, settings: Settings, dataset: datasets.Dataset, model) -> Job:
    """What that side needs to know; all sides get the same weights and the same order."""
    folder = None if dataset.name == "digits" else dataset.source
    spec = DataSpec(dataset.name, folder, len(dataset.x_train), len(dataset.x_test))
    return Job(side, model.get_config(), model.get_compile_config(), model.get_weights(), spec,
               settings.epochs, settings.batch_size, settings.seed)


def data_info(dataset: datasets.Dataset) -> DataInfo:
    return DataInfo(dataset.name, dataset.title, dataset.source, dataset.fallback_reason,
                    dataset.class_names, len(dataset.x_train), dataset.y_test)


def ask_for_check(job: Job, say: "Narrator") -> Check:
    """`compare.check` of the twins, in a process of its own."""
    say.line("Checking that the twins are the same function ...")
    with Worker("the check", check_twins, job) as worker:
        return worker.ask()


def train_both(jobs: dict[str, Job], result: Benchmark, say: "Narrator") -> None:
    """Each side in its own process, an epoch at a time, so that one never runs beside the other
    and a slow phase of a shared machine meets both."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for side, job in jobs.items():
            say.line(f"Starting {NAMES[side]} ...")
            workers[side] = stack.enter_context(Worker(NAMES[side], train, job))
            result.runs[side].take(workers[side].ask())
        for number in range(1, result.settings.epochs + 1):
            for side, worker in workers.items():
                train_one_epoch(worker, result.runs[side], number, say)
            require_same_batches(result, number)
            say.tested(number)
        for side, worker in workers.items():
            result.runs[side].take(worker.ask())


def train_one_epoch(worker: Worker, run: RunResult, number: int, say: "Narrator") -> None:
    """Have one side train and test for one epoch."""
    began = time.perf_counter()
    with say.bar(run, number) as bar:
        def on_progress(event):
            run.take(event)
            share = event.step / say.steps
            say.pace[run.side] = (time.perf_counter() - began) / share
            bar.update(event.step, say.time_left(run, share), loss=event.loss)

        epoch = worker.ask(on_progress)
        run.take(epoch)
        say.pace[run.side] = time.perf_counter() - began
        bar.update(epoch.steps, loss=epoch.training_loss, accuracy=epoch.training_accuracy)


def require_same_batches(result: Benchmark, number: int) -> None:
    """Both sides hashed what they trained on; anything but equality is a bug in this package."""
    sums = {side: epoch.checksum for side, run in result.runs.items()
            if (epoch := run.after(number))}
    if len(set(sums.values())) != 1:
        raise RuntimeError(f"Expected both sides to train on the same batches in epoch {number}. "
                           f"Received checksums: {sums}")


class Narrator:
    """Progress on standard error."""

    def __init__(self, result: Benchmark, verbose: bool):
        self.result = result
        self.verbose = verbose
        self.steps = math.ceil(result.data.training_images / result.settings.batch_size)
        self.pace: dict[str, float] = {}  # seconds that an epoch takes on each side, test included

    def line(self, text: str) -> None:
        if self.verbose and text:
            print(visible(text, keep="\n"), file=sys.stderr, flush=True)

    def bar(self, run: RunResult, number: int) -> progress.Bar:
        """The bar for one side's epoch."""
        title = f"{run.name:>7} epoch {number}/{self.result.settings.epochs}"
        return progress.Bar(self.steps, title, self.verbose)

    def time_left(self, current: RunResult | None = None, share: float = 0.0) -> str:
        """How long all that is left will take, while one side has done that share of an epoch;
        at least so long as long as the pace of one side is not known."""
        sides = self.result.runs
        epochs = {side: self.result.settings.epochs - len(run.epochs)
                  for side, run in sides.items()}
        seconds = sum(self.pace.get(side, 0.0) * left for side, left in epochs.items())
        if current:
            seconds -= self.pace[current.side] * share
        known = sides.keys() <= self.pace.keys()
        return f"{'' if known else '>'}{clock(seconds)} in all"

    def tested(self, number: int) -> None:
        """What both sides reached in this epoch, and how long the others will take."""
        labels, epochs = self.result.data.test_labels, self.result.settings.epochs
        reached = ", ".join(f"{run.name} {np.mean(epoch.predictions == labels):.4f}"
                            for run in self.result.runs.values() if (epoch := run.after(number)))
        left = f"; {self.time_left()} left" if number < epochs else ""
        self.line(f"Test accuracy after epoch {number}/{epochs}: {reached}{left}")
