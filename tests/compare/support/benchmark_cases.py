"""Benchmarks made by hand for the tests: figures of which the test knows where they come from."""

import numpy as np

from compare.experiments.benchmark.results import (
    Benchmark,
    Check,
    DataInfo,
    Epoch,
    Progress,
    Ready,
    RunResult,
)
from compare.experiments.benchmark.settings import Settings
from compare.inputs import benchmark_networks

NAMES = ("ant", "bee", "cat")


def epoch(number, predictions, seconds=2.0, loss=0.5, checksum=7, steps=40, memory=100_000_000):
    """A finished epoch with these predictions."""
    predictions = np.asarray(predictions)
    return Epoch(number=number, steps=steps, seconds=seconds, training_loss=loss,
                 training_accuracy=0.75, predictions=predictions,
                 confidences=np.linspace(0.4, 0.9, len(predictions)), checksum=checksum,
                 peak_memory=memory)


def made(scratch=(), keras=(), labels=(0, 1, 2, 0, 1, 2), name="fashion-mnist", fallback=None,
         **settings) -> Benchmark:
    """A benchmark whose sides finished these epochs."""
    runs = {}
    for side, epochs in (("scratch", scratch), ("keras", keras)):
        run = RunResult(side)
        run.take(Ready(f"{side} ran somehow.", {"library": "1.2"}, 1234, 3.5))
        for done in epochs:
            run.take(Progress(done.number, done.steps, done.steps, done.training_loss,
                              [(done.steps * done.number, done.training_loss)]))
            run.take(done)
        runs[side] = run
    info = DataInfo(name, f"Title of {name}", "a folder", fallback, NAMES, 40, np.array(labels))
    layers = benchmark_networks.describe(benchmark_networks.build((9, 7, 2), classes=3))
    return Benchmark(Settings(**{"epochs": 3, **settings}), info, layers,
                     {"machine": "a computer"}, runs, Check(True, "All is well.", "table", {}))
