"""What is measured of one network."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from compare.checks.gate import Gate
from compare.experiments.execution.peak_memory import peak_memory

BATCH = 2
CLOSE = 1e-5  # predictions that are further apart are made once more in double precision
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
        apart: the largest difference between the two predictions, probabilities.
        apart_in_double: the same in float64; None where it was not needed: where they are `CLOSE`.
        check: seconds that `compare.check` takes; None if it was not run to its end, as what
            follows is then.
        rows: how many tensors were judged.
        holds: whether parity does.
        bounded: whether the bound that is carried along to the prediction is finite: through many
            layers it grows until it says nothing.
        lockstep: whether the step of training passed.
        memory: the most bytes that the process held.
        said: what failed, in a line; '' if nothing did.
        work: seconds of processors that `compare.check` takes, which other processes that use the
            machine meanwhile change little.
    """

    name: str
    size: int
    parameters: int
    layers: int
    load: float
    keras_load: float
    apart: float
    check: float | None = None
    rows: int | None = None
    holds: bool | None = None
    bounded: bool | None = None
    lockstep: bool | None = None
    memory: int | None = None
    said: str = ""
    apart_in_double: float | None = None
    work: float | None = None


def measure(job: tuple[str, bool]) -> Iterator[Measurement]:
    """Yield what is known after the network predicted, and again after it was checked. To be run in
    a fresh process, since a peak never goes down again.

    The network's weights are new ones, its loss a cross-entropy, its optimizer plain SGD; the batch
    is of normal numbers, or of such pixels where the network rescales pixels itself.

    Args:
        job: (the constructor's name, whether to check).
    """
    import compare
    import scratch
    from compare.evaluation.applications.constructors import smallest
    from reference.quiet import keras

    name, checked = job
    keras.utils.set_random_seed(0)
    model, size = smallest(name)
    model.compile("sgd", "sparse_categorical_crossentropy")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        model.save(path)
        del model
        (own, load), (twin, keras_load) = timed(scratch.load_model, path), timed(
            keras.saving.load_model, path)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, size, size, 3)).astype("float32")
    if any(isinstance(layer, keras.layers.Rescaling) for layer in twin.layers):
        x = (127.5 + 64 * x).clip(0, 255)
    apart = float(np.abs(own.predict(x, verbose=0) - twin.predict(x, verbose=0)).max())
    found = Measurement(name, size, twin.count_params(), len(own.layers), load, keras_load, apart,
                        apart_in_double=None if apart < CLOSE else in_double(twin, x))
    yield found
    if not checked:
        return
    y = rng.integers(0, twin.output_shape[-1], BATCH)
    began = time.process_time()
    report, check = timed(compare.check, own, twin, x, y, steps=STEPS)
    work = time.process_time() - began
    predicted = next(row for row in report.rows if row.tensor == "predict")
    stepped = next(row for row in report.rows if row.gate == Gate.LOCKSTEP)
    failed = report.first_failure
    yield replace(found, check=check, work=work, rows=len(report.rows), holds=bool(report),
                  bounded=not predicted.unjudged, lockstep=stepped.passed, memory=peak_memory(),
                  said="" if failed is None else f"{failed.gate}: {failed.name}")


def in_double(twin, x: np.ndarray) -> float:
    """The largest difference between the two predictions in float64: where a network amplifies
    rounding until float32 has no digit left, it alone tells whether they are the same function."""
    from compare.inputs.twins import twins

    own, double = twins(twin, "float64")
    x = x.astype("float64")
    return float(np.abs(own.predict(x, verbose=0) - double.predict(x, verbose=0)).max())


def timed(function, *arguments, **named):
    """(what a call returns, its seconds)."""
    began = time.perf_counter()
    return function(*arguments, **named), time.perf_counter() - began
