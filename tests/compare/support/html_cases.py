"""Reports and benchmarks for the tests of pages; none needs TensorFlow."""

import json
from dataclasses import replace

import numpy as np

import compare
import scratch
from compare.checks.gate import Gate
from compare.checks.row import Row
from compare.diagnosis.snapshot import Snapshot
from compare.document.plain_json import dumps
from compare.experiments.benchmark.json_record import as_dict
from compare.experiments.benchmark.results import Check, Learned, Progress
from compare.experiments.replication.results import Replication, Run
from compare.inputs import datasets
from compare.tracing.topology import Layer
from tests.compare.support.benchmark_cases import NAMES, epoch, made

EVIL = "<script>alert('a&b')</script>"


class Off(scratch.Dense):
    """A dense layer that is off by a part in a thousand."""

    def affine(self, x):
        return super().affine(x) * x.dtype.type(1.001)


def network(dense=scratch.Dense, first="conv", last="last"):
    """A small network with a skip, compiled; always with the same weights."""
    scratch.set_random_seed(3)
    x = scratch.Input((9, 7, 2))
    stem = scratch.Conv2D(3, (3, 2), padding="same", activation="relu", name=first)(x)
    again = scratch.Conv2D(3, 3, padding="same", name="again")(stem)
    added = scratch.Add(name="added")([stem, again])
    y = dense(4, activation="softmax", name=last)(scratch.Flatten(name="flatten")(added))
    model = scratch.Model(x, y)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def report(dense=scratch.Dense, **names) -> compare.Report:
    """The verdict on two such networks, the candidate with another dense layer."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.5, 0.5, (5, 9, 7, 2)).astype(np.float32)
    return compare.check(network(dense, **names), network(**names), x, rng.integers(0, 4, 5))


def large(levels: int, tensors: int) -> compare.Report:
    """A report on a chain of so many layers and rows, of which one failed: layer 30."""
    layers = [Layer(f"l{i}", "Dense", (3,), (i - 1,), 12) for i in range(levels)]
    rows = [Row(Gate.FORWARD, f"l{i % levels}", f"output {i}", i != 30, index=(0, 1), actual=0.5,
                expected=0.25, allowed=0.1, used=9.0 if i == 30 else (i % 97) / 100)
            for i in range(tensors)]
    found = report()
    return compare.Report(rows, found.candidate, found.reference, found.dtype, found.batch,
                          [], [], layers=layers)


def benchmark():
    """(a benchmark of three classes with all that a page shows, its data)."""
    result = made(scratch=[epoch(1, [0, 1, 2, 0, 0, 2]), epoch(2, [0, 1, 2, 0, 1, 1])],
                  keras=[epoch(1, [0, 1, 1, 0, 0, 2]), epoch(2, [0, 1, 2, 0, 2, 1])], epochs=2)
    found = report()
    result.check = Check(bool(found), found.summary(), str(found), found.as_dict(), found)
    rng = np.random.default_rng(1)
    for run in result.runs.values():
        run.take(Learned(["conv2d/kernel", "conv2d/bias"],
                         [rng.normal(size=(5, 4, 1, 6)), np.zeros(6)], np.array([0, 4]),
                         rng.normal(size=(2, 9, 7, 6))))
    images = rng.integers(0, 256, (6, 9, 7, 1)).astype(np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2], np.int64)
    return result, datasets.Dataset("fashion-mnist", "Title", "a folder", images, labels, images,
                                    labels, NAMES)


def replication() -> Replication:
    """Three pairs of runs, with the settings of the published ones."""
    runs, checked = [], report()
    for seed in range(3):
        guesses = [0, 1, 2, 0, 1, 2]
        guesses[seed] = 0
        result = made([epoch(1, guesses)], [epoch(1, guesses[::-1])], epochs=3, seed=seed)
        result.data.training_images = 60_000
        result.check = Check(True, checked.summary(), str(checked), checked.as_dict())
        runs.append(Run(seed, json.loads(dumps(as_dict(result)))))
    return Replication(runs, 0.01, 1)


def partial():
    """A benchmark that stopped in its first epoch, and one whose check failed."""
    stopped = made(name="digits")
    stopped.stopped, stopped.interrupted = "interrupted by Ctrl-C", True
    stopped.runs["scratch"].take(Progress(1, 3, 40, float("nan"), [(3, 0.5)]))
    refused = made()
    refused.check.passed, refused.stopped = False, "not the same function"
    refused.runs["keras"].ready = None
    return stopped, refused


def refused():
    """(a benchmark whose twins are not alike, as it comes from the check's process; its data)."""
    _, dataset = benchmark()
    result, found = made(), report(Off)
    result.check = Check(bool(found), found.summary(), str(found), found.as_dict(),
                         replace(found, explained=Snapshot(found.diagnosis, found.cause)))
    result.stopped = "the twins are not the same function, so they were not trained"
    return result, dataset
