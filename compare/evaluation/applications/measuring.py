"""What is measured of one network."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare.experiments.execution.peak_memory import peak_memory

BATCH = 2
STEPS = 1  # of training side by side


@dataclass(frozen=True)
class Measurement:
    """One network.

    Attributes:
        name: of its constructor.
        size: the side of the images.
        parameters: how many weights.
        layers: how many calls of layers.
        load: seconds that `scratch.load_model` takes; `keras_load` those of Keras.
        check: seconds that `compare.check` takes.
        rows: how many tensors were judged.
        holds: whether parity does.
        predicts: the share of the bound carried along that the prediction used.
        lockstep: whether the step of training passed.
        memory: the most bytes that the process held; None where the system does not tell.
        said: what failed, in a line; '' if nothing did.
    """

    name: str
    size: int
    parameters: int
    layers: int
    load: float
    keras_load: float
    check: float
    rows: int
    holds: bool
    predicts: float
    lockstep: bool
    memory: int | None
    said: str = ""


def measure(name: str) -> Iterator[Measurement]:
    """Yield what was found. To be run in a fresh process, since a peak never goes down again.

    The network's weights are new ones, its loss a cross-entropy, its optimizer plain SGD; the batch
    is of normal numbers, scaled as pixels are where the network normalizes pixels itself.
    """
    import compare
    import scratch
    from compare.evaluation.applications.constructors import smallest
    from reference.quiet import keras

    keras.utils.set_random_seed(0)
    model, size = smallest(name)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        model.save(path)
        (own, load), (twin, keras_load) = timed(scratch.load_model, path), timed(
            keras.saving.load_model, path)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, size, size, 3)).astype("float32")
    if any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers):
        x = (127.5 + 64 * x).clip(0, 255)
    y = rng.integers(0, model.output_shape[-1], BATCH)
    report, check = timed(compare.check, own, twin, x, y, steps=STEPS)
    whole = {row.tensor: row for row in report.rows if row.layer == "network"}
    predicted, stepped = whole["predict"], whole["weights after 1 step"]
    first = report.first_failure
    yield Measurement(name, size, model.count_params(), len(own.layers), load, keras_load, check,
                      len(report.rows), bool(report), predicted.used, stepped.passed,
                      peak_memory(), "" if first is None else str(first))


def timed(function, *arguments, **named):
    """(what a call returns, its seconds)."""
    began = time.perf_counter()
    return function(*arguments, **named), time.perf_counter() - began
