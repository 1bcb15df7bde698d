"""What a benchmark leaves behind, as plain dataclasses; text, JSON and pictures come later."""

from dataclasses import dataclass, field

import numpy as np

from compare.document.display import Displayed
from compare.experiments.benchmark.settings import Settings
from compare.experiments.execution.worker_process import Interim
from compare.inputs.benchmark_networks import LayerInfo
from compare.report.report import Report

SCHEMA = 1  # of the JSON that is made from these
SIDES = ("scratch", "keras")
NAMES = {"scratch": "scratch", "keras": "Keras"}


@dataclass
class Ready:
    """A side has its data and its model and is about to train."""

    how: str  # how it is run, in one sentence
    versions: dict[str, str]
    parameters: int
    startup_seconds: float  # imports, data, model, and on the Keras side the tracing


@dataclass
class Progress(Interim):
    """Where a side is within an epoch."""

    epoch: int  # from 1
    step: int  # steps finished in this epoch
    steps: int  # of how many
    loss: float  # mean over the epoch so far
    curve: list[tuple[int, float]]  # new points: steps since the start, mean loss up to there


@dataclass
class Epoch:
    """One finished epoch of one side, tested."""

    number: int  # from 1
    steps: int
    seconds: float  # of training alone
    training_loss: float  # mean over the epoch's images, each before its update
    training_accuracy: float
    predictions: np.ndarray  # (test images,) predicted classes
    confidences: np.ndarray  # (test images,) probability given to the predicted class
    checksum: int  # of all images and labels trained on in this epoch, in order
    peak_memory: int | None  # bytes, of the whole process so far


@dataclass
class Learned:
    """What a side's network looks like after its last epoch."""

    names: list[str]  # of the weights, 'layer/kernel'
    weights: list[np.ndarray]  # in the order of the names
    images: np.ndarray  # (some,) numbers of test images
    maps: np.ndarray  # (some, ...) what the first layer makes of them, as floats


@dataclass
class RunResult:
    """One side's whole run."""

    side: str  # 'scratch' or 'keras'
    ready: Ready | None = None
    epochs: list[Epoch] = field(default_factory=list)
    curve: list[tuple[int, float]] = field(default_factory=list)
    unfinished: Progress | None = None  # where it stood in an epoch that was not finished
    learned: Learned | None = None  # once all epochs are finished

    @property
    def name(self) -> str:
        return NAMES[self.side]

    def take(self, event) -> None:
        """Note down what a running job says."""
        if isinstance(event, Ready):
            self.ready = event
        elif isinstance(event, Progress):
            self.curve.extend(event.curve)
            self.unfinished = event
        elif isinstance(event, Epoch):
            self.epochs.append(event)
            self.unfinished = None
        elif isinstance(event, Learned):
            self.learned = event
        else:
            raise TypeError("Expected: Ready, Progress, Epoch or Learned. "
                            f"Received: {event!r}")

    def after(self, number: int) -> Epoch | None:
        """The epoch of that number, if it is finished."""
        return self.epochs[number - 1] if 0 < number <= len(self.epochs) else None


@dataclass
class Check:
    """What `compare.check` said about the twins before they were trained."""

    passed: bool
    summary: str  # one sentence
    text: str  # the whole table
    rows: dict  # the report as plain values
    report: Report | None = None  # the report itself, for pictures


@dataclass
class DataInfo:
    """The data that really ran."""

    name: str
    title: str
    source: str
    fallback_reason: str | None
    class_names: tuple[str, ...]
    training_images: int
    test_labels: np.ndarray  # (test images,)


@dataclass
class Benchmark(Displayed):
    """Both sides' runs, and all that is needed to read them."""

    settings: Settings
    data: DataInfo
    layers: list[LayerInfo]
    environment: dict[str, str]
    runs: dict[str, RunResult]  # by side
    check: Check | None = None
    stopped: str | None = None  # why it ended early, if it did
    interrupted: bool = False  # by Ctrl-C

    @property
    def partial(self) -> bool:
        return self.stopped is not None

    @property
    def title(self) -> str:
        """Says which data ran, and loudly if it is the fallback or only a part of the work."""
        title = f"Benchmark on {self.data.title}"
        if self.data.fallback_reason:
            title = f"Benchmark on FALLBACK DATA, not Fashion-MNIST: {self.data.title}"
        return f"PARTIAL (stopped early): {title}" if self.partial else title

    @property
    def last_epoch(self) -> int:
        """The last epoch that both sides finished, where they may be compared; 0 for none."""
        return min(len(run.epochs) for run in self.runs.values())

    def shown(self, side: str) -> Epoch | None:
        """The epoch to report for a side: the last common one, or else its own last."""
        run = self.runs[side]
        return run.after(self.last_epoch or len(run.epochs))
