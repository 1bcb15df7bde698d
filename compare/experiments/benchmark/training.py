"""One side's whole job: data, model, epochs, and a test after each epoch.

A job says how far it is by yielding; nothing in it knows whether it runs in a process of its own,
in this one, or on another machine. Pixels are bytes until a group of batches is about to be used.
Decoding and testing are not on the clock, on either side.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

import scratch
from compare.experiments.benchmark.batch_order import checksum, chunks, orders
from compare.experiments.benchmark.learners import LEARNERS
from compare.experiments.benchmark.results import NAMES, Epoch, Learned, Progress, Ready, RunResult
from compare.experiments.execution.peak_memory import peak_memory
from compare.inputs import datasets as data

CURVE_POINTS_PER_EPOCH = 50
LONGEST_CURVE_STEP = 500
LOOKED_AT = 3  # test images, for pictures of what the first layer makes of them


@dataclass(frozen=True)
class DataSpec:
    """Where a job finds its data: exactly what the parent loaded, never anything else."""

    name: str
    folder: str | None
    training_images: int
    test_images: int

    def load(self) -> data.Dataset:
        whole = data.load(self.name, self.folder, allow_download=False)
        return whole.limited(self.training_images, self.test_images)


@dataclass(frozen=True)
class Job:
    """All that one side needs to train, without any reference to the process that ordered it."""

    side: str  # 'scratch' or 'keras'
    config: dict  # Keras's config dictionary of the model
    compile_config: dict
    weights: list[np.ndarray]
    data: DataSpec
    epochs: int
    batch_size: int
    order_seed: int


class Curve:
    """Means of the loss over windows of so many steps."""

    def __init__(self, steps_per_epoch: int):
        self.window = max(1, min(LONGEST_CURVE_STEP, steps_per_epoch // CURVE_POINTS_PER_EPOCH))
        self._step = 0
        self._losses: list[float] = []

    def add(self, losses: np.ndarray) -> list[tuple[int, float]]:
        """The windows that these losses complete, as (steps so far, mean loss)."""
        points = []
        for loss in losses:
            self._losses.append(float(loss))
            self._step += 1
            if len(self._losses) == self.window:
                points.append((self._step, float(np.mean(self._losses))))
                self._losses = []
        return points

    def flush(self) -> list[tuple[int, float]]:
        """What is left of an epoch, as a shorter window."""
        if not self._losses:
            return []
        point = (self._step, float(np.mean(self._losses)))
        self._losses = []
        return [point]


def train(job: Job) -> Iterator[Ready | Progress | Epoch | Learned]:
    """Do a job: yields Ready, then for each epoch some Progress and an Epoch, then Learned.

    Raises:
        scratch.NonFiniteLossError: naming side, epoch and step, if a loss or, in scratch, a
            gradient is not finite.
    """
    started = time.perf_counter()
    dataset = job.data.load()
    learner = LEARNERS[job.side](job.config, job.compile_config, job.weights)
    x = dataset.pixels(dataset.x_train, learner.dtype)  # (N, H, W, 1), floats when indexed
    y = dataset.y_train  # (N,)
    first = next(chunks(np.arange(len(x)), job.batch_size))  # (steps, batch)
    learner.warm_up(x[first], y[first], short=len(x) % job.batch_size)
    yield Ready(learner.how, learner.versions, learner.parameters, time.perf_counter() - started)

    curve = Curve(math.ceil(len(x) / job.batch_size))
    for number, order in enumerate(orders(job.order_seed, len(x), job.epochs), start=1):
        trained = yield from train_epoch(job, learner, x, y, order, number, curve)
        yield test_epoch(job, learner, dataset, number, trained)
    yield what_was_learned(learner, dataset)


def train_epoch(job, learner, x, y, order, number, curve):
    """One pass over the images in this order; returns the Epoch's figures of training."""
    steps = math.ceil(len(order) / job.batch_size)
    done = seconds = loss_sum = correct_sum = seen = images = 0
    for rows in chunks(order, job.batch_size):  # (steps, batch)
        batch_x, batch_y = x[rows], y[rows]  # (steps, batch, H, W, 1), (steps, batch)
        seen = checksum(seen, batch_x, batch_y)
        began = time.perf_counter()
        try:
            losses, correct = learner.steps(batch_x, batch_y)  # (steps,), (steps,)
        except scratch.NonFiniteLossError as error:  # the loss is finite, but a gradient is not
            raise scratch.NonFiniteLossError(
                f"{NAMES[job.side]}: {error.what} at epoch {number}, in one of the steps from "
                f"{done + 1:,} to {done + len(rows):,} of {steps:,}. {error.origin}") from None
        seconds += time.perf_counter() - began
        require_finite(losses, job.side, number, done, steps)
        done += len(losses)
        images += rows.size
        loss_sum += float(losses.sum()) * rows.shape[1]  # a short last batch counts for less
        correct_sum += int(correct.sum())
        points = curve.add(losses) + (curve.flush() if done == steps else [])
        yield Progress(number, done, steps, loss_sum / images, points)
    return {"steps": steps, "seconds": seconds, "training_loss": loss_sum / images,
            "training_accuracy": correct_sum / images, "checksum": seen}


def require_finite(losses: np.ndarray, side: str, epoch: int, done: int, steps: int) -> None:
    """Raises NonFiniteLossError at the first loss that is NaN or infinite."""
    wrong = np.flatnonzero(~np.isfinite(losses))
    if wrong.size:
        raise scratch.NonFiniteLossError(
            f"{NAMES[side]}: the loss became {losses[wrong[0]]} at epoch {epoch}, step "
            f"{done + wrong[0] + 1:,} of {steps:,}. Expected a finite number; a smaller learning "
            "rate may help")


def test_epoch(job, learner, dataset, number, trained) -> Epoch:
    """Predict all test images."""
    outputs = learner.predict(dataset.pixels(dataset.x_test, learner.dtype))  # (N, classes)
    if not np.isfinite(outputs).all():
        raise scratch.NonFiniteLossError(
            f"{NAMES[job.side]}: the outputs for the test images are not all finite after epoch "
            f"{number}, step {trained['steps']:,}. Expected finite numbers; a smaller learning "
            "rate may help")
    return Epoch(number=number, predictions=outputs.argmax(axis=1),
                 confidences=outputs.max(axis=1), peak_memory=peak_memory(), **trained)


def what_was_learned(learner, dataset) -> Learned:
    """The final weights, and what the first layer makes of one test image of each class."""
    images = np.sort(np.unique(dataset.y_test, return_index=True)[1])[:LOOKED_AT]
    names, weights = learner.weights()
    return Learned(names, weights, images,
                   learner.first_layer(dataset.pixels(dataset.x_test, learner.dtype)[images]))


def run_job(job: Job) -> RunResult:
    """A whole job in this process: for whoever distributes jobs."""
    result = RunResult(job.side)
    for event in train(job):
        result.take(event)
    return result
