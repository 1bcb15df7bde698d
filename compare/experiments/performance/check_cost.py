"""What a check costs by the size of the network: seconds over layers, image side, channels, batch.

The networks repeat one block, a convolution, a batch normalization and a ReLU, as deep networks do,
and end in global pooling and a softmax. All are checked in one process, one after the other, after
a small one has warmed everything up; what is told is the time of `compare.check` alone, without the
start of TensorFlow. It is told in seconds of the clock and of the processors: where the machine is
busy, the latter say more. A check of a few seconds is made up to three times, and the quickest
counts.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

CLASSES = 10
RUNS, ENOUGH = 3, 6.0  # checks of a network, of which the quickest counts; seconds for them
PER_BLOCK, AROUND = 3, 2  # layers in a block; and those after all blocks
# What is varied, its name on the axis, and the values it takes.
CHECK_AXES = {"layers": "layers", "side": "image side (pixels)", "channels": "channels",
              "batch": "batch size"}
VALUES = {"layers": (11, 20, 50, 101, 200), "side": (4, 8, 16, 32, 64),
          "channels": (4, 8, 16, 32, 64), "batch": (2, 4, 8, 16, 32)}


@dataclass(frozen=True)
class CheckCase:
    """A network and a batch.

    Attributes:
        layers: how many; 2 more than a multiple of 3.
        side: of the images, pixels.
        channels: of each convolution.
        batch: images in the batch.
    """

    layers: int = 20
    side: int = 16
    channels: int = 8
    batch: int = 8

    def model(self) -> Any:
        """The scratch model, built and compiled."""
        import scratch

        made: list[Any] = [scratch.Input((self.side, self.side, 3))]
        for _ in range((self.layers - AROUND) // PER_BLOCK):
            made += [scratch.Conv2D(self.channels, 3, padding="same", use_bias=False),
                     scratch.BatchNormalization(), scratch.ReLU()]
        made += [scratch.GlobalAveragePooling2D(), scratch.Dense(CLASSES, activation="softmax")]
        network = scratch.Sequential(made)
        network.compile("sgd", "sparse_categorical_crossentropy")
        return network


@dataclass(frozen=True)
class CheckCost:
    """What one check took.

    Attributes:
        case: the network and the batch.
        seconds: of the clock.
        work: of processors.
        rows: how many tensors were judged.
        holds: whether parity does, without which the figures are not those of a whole check.
    """

    case: CheckCase
    seconds: float
    work: float
    rows: int
    holds: bool


def curves(points: int) -> dict[str, list[CheckCase]]:
    """By axis, so many networks, the small ones first; what an axis does not vary is the default.
    """
    return {axis: [replace(CheckCase(), **{axis: value}) for value in values[:points]]
            for axis, values in VALUES.items()}


def different(points: int) -> list[CheckCase]:
    """All networks of these curves, each once: the curves meet in one."""
    return list(dict.fromkeys(case for cases in curves(points).values() for case in cases))


def costs(points: int) -> Iterator[CheckCost]:
    """Yield what a check of each network takes. To be run in a process of its own."""
    measured(CheckCase(layers=5, side=8, channels=4, batch=2))
    for case in different(points):
        yield quickest(case)


def quickest(case: CheckCase) -> CheckCost:
    """Of up to `RUNS` checks the quickest: what else the machine does can only slow one down."""
    made: list[CheckCost] = []
    while len(made) < RUNS and sum(cost.seconds for cost in made) < ENOUGH:
        made.append(measured(case))
    return min(made, key=lambda cost: cost.work)


def measured(case: CheckCase) -> CheckCost:
    """What one check takes."""
    import compare
    import scratch

    scratch.set_random_seed(0)
    model = case.model()
    twin = compare.twin(model)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(case.batch, case.side, case.side, 3)).astype(np.float32)
    y = generator.integers(0, CLASSES, case.batch)
    began, work = time.perf_counter(), time.process_time()
    report = compare.check(model, twin, x, y)
    seconds, work = time.perf_counter() - began, time.process_time() - work
    return CheckCost(case, seconds, work, len(report.rows), bool(report))
