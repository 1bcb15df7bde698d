"""Everything that is checked about one drawn network."""

import json
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import scratch
from compare.evaluation.fuzzing.specification import (
    Specification,
    batch_of,
    output_shapes,
    sample_weights_of,
    targets_of,
    upstream_of,
)


@dataclass
class Outcome:
    """What became of one network.

    Attributes:
        gate: where it failed: 'config', 'weights', 'files', a gate of `compare.check`, or the type
            of an exception; None if all is well.
        message: what failed; why a network that did not fail was not judged; '' if it was.
        seconds: how long it took.
    """

    gate: str | None
    message: str
    seconds: float

    @property
    def passed(self) -> bool:
        return self.gate is None

    @property
    def judged(self) -> bool:
        """Whether it failed or passed, see `overflows`."""
        return not self.passed or not self.message


def judge(specification: Specification) -> Outcome:
    """Build both twins and check them; an exception on the way is a failure like any other."""
    began = time.perf_counter()
    try:
        gate, message = first_failure(specification)
    except KeyboardInterrupt:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        gate = type(error).__name__
        message = f"{gate}: {' '.join(str(error).split())[:400]} ({Path(place.filename).name}:" \
                  f"{place.lineno})"
    return Outcome(gate, message, time.perf_counter() - began)


def first_failure(specification: Specification):
    """(gate, message) of the first thing that is wrong, (None, '') if nothing is; (None, why) if
    its numbers were not judged."""
    import reference

    model = specification.build()
    twin = reference.from_config(model.get_config(), model.get_compile_config() or None)
    reference.set_weights(twin, model.get_weights())
    said = ""
    for check in (config_round_trip, weights_are_equal, parity, files):
        gate, message = check(specification, model, twin)
        if gate is not None:
            return gate, message
        said = said or message
    return None, said


def config_round_trip(specification, model, twin):
    """scratch -> Keras -> scratch: the same config, and a model of the same shapes."""
    import reference

    own = plain(model.get_config())
    back = type(model).from_config(twin.get_config())
    again = plain(back.get_config())
    if own != again:
        return "config", f"came back from Keras otherwise: {first_difference(own, again)}"
    if model.loss is not None:
        back.compile_from_config(reference.compile_config(twin))
        own = rounded(plain(model.get_compile_config()))
        again = rounded(plain(back.get_compile_config()))
        if own != again:
            return "config", f"compile config came back otherwise: {first_difference(own, again)}"
    return None, ""


def weights_are_equal(specification, model, twin):
    """Bit for bit, in the same order."""
    ours, theirs = model.get_weights(), twin.get_weights()
    if [w.shape for w in ours] != [w.shape for w in theirs]:
        return "weights", f"shapes {[w.shape for w in ours]} and {[w.shape for w in theirs]}"
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if a.tobytes() != np.asarray(b, a.dtype).tobytes():
            return "weights", f"number {i} of shape {a.shape} differs"
    return None, ""


def parity(specification, model, twin):
    """`compare.check`, with every gate that there is."""
    import compare

    x = batch_of(specification)
    output = output_shapes(specification, model)
    if specification.loss is None:
        report = compare.check(model, twin, x, upstream=upstream_of(specification, output))
    else:
        report = compare.check(model, twin, x, targets_of(specification, output),
                               sample_weight=sample_weights_of(specification, output),
                               steps=specification.steps)
    if report:
        return None, ""
    if overflows(report):
        return None, f"not judged: {'; '.join(report.nonfinite) or report.summary()}"
    row = report.first_failure or report.undecided
    return row.gate, f"{row.layer} {row.tensor}: {report.summary()}"


def overflows(report) -> bool:
    """Whether both sides make infinities or NaN, and nothing else is wrong than what holds such:
    NaN equals nothing, and which of the numbers beside it Keras's kernels make NaN, too, is up to
    them (`nan_in_softmax` and the like). What one side alone makes is a failure."""
    on_both = len(report.nonfinite) == 2  # or where both are run on the reference's numbers
    failed = [row for row in report.rows if not row.passed or (row.decides and not row.judged)]
    return ((on_both or bool(failed)) and all(
        ("NaN" in row.note or "infinite" in row.note) and
        (on_both or ("candidate:" in row.note and "reference:" in row.note)) for row in failed))


def files(specification, model, twin):
    """Saved by one and read by the other, both ways."""
    import reference

    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.keras", Path(folder) / "theirs.keras"
        model.save(ours)
        gate, message = weights_are_equal(specification, model, reference.load(ours))
        if gate:
            return "files", f"Keras reads our file otherwise: {message}"
        twin.save(theirs)
        read = scratch.load_model(theirs)
        gate, message = weights_are_equal(specification, read, twin)
        if gate:
            return "files", f"we read Keras's file otherwise: {message}"
        own, again = plain(model.get_config()), plain(read.get_config())
        if own != again:
            return "files", f"Keras's file gives another config: {first_difference(own, again)}"
    return None, ""


def plain(config):
    """As JSON has it: tuples become lists."""
    return json.loads(json.dumps(config))


def rounded(config):
    """Its numbers as float32: Keras keeps an optimizer's in that precision."""
    if isinstance(config, dict):
        return {key: rounded(value) for key, value in config.items()}
    if isinstance(config, list):
        return [rounded(value) for value in config]
    return float(np.float32(config)) if isinstance(config, float) else config


def first_difference(a, b, path="") -> str:
    """Where two nested structures first differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            if a.get(key) != b.get(key):
                return first_difference(a.get(key), b.get(key), f"{path}/{key}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (left, right) in enumerate(zip(a, b)):
            if left != right:
                return first_difference(left, right, f"{path}/{i}")
    return f"{path}: {str(a)[:120]} became {str(b)[:120]}"
