"""Settings that change the mathematics are compared; names, seeds and precisions are not."""

from dataclasses import replace

import numpy as np
import pytest

import compare
import scratch
from tests.compare.support import examples, graphs


def traced(optimizer=None, **norm):
    model = examples.network(
        "inside", optimizer=optimizer, layers=[
            scratch.Conv2D(3, (3, 2), name="conv"), scratch.BatchNormalization(**norm),
            scratch.Flatten(), scratch.Dense(4, activation="softmax", name="dense")])
    return compare.record(model, *examples.batch())


def failed(candidate, reference):
    return {(row.layer, row.tensor): row.note for row in compare.diff(candidate, reference).rows
            if not row.passed and row.gate == "network"}


@pytest.mark.parametrize("ours, theirs, said", [
    (dict(), dict(epsilon=1e-2), "epsilon"), (dict(momentum=0.9), dict(), "momentum"),
    (dict(optimizer=scratch.Adam(0.1, epsilon=1e-5)), dict(optimizer=scratch.Adam(0.1)), "epsilon"),
    (dict(optimizer=scratch.SGD(0.1)), dict(optimizer=scratch.SGD(0.2)), "learning_rate"),
    (dict(optimizer=scratch.SGD(0.1)), dict(optimizer=scratch.Adam(0.1)), "SGD")])
def test_what_changes_the_mathematics_differs(ours, theirs, said):
    found = failed(traced(**ours), traced(**theirs))
    assert len(found) == 1 and said in next(iter(found.values())), found


def test_what_does_not_is_left_out():
    assert failed(traced(name="mine", moving_mean_initializer="ones"), traced(name="other")) == {}


def test_another_batch_or_other_weights_of_its_samples_differ():
    trace = traced()
    weighted = replace(trace, sample_weight=np.full(5, 0.5, "float32"))
    for other in (weighted, replace(trace, x=trace.x + 1), replace(trace, y=trace.y[::-1].copy())):
        assert "another batch" in str(failed(other, trace))


def test_a_tensor_of_another_precision_differs():
    trace = traced()
    parts = [replace(trace.parts[0], output=trace.parts[0].output.astype("float64")),
             *trace.parts[1:]]
    found = failed(replace(trace, parts=parts), trace)
    assert len(found) == 1 and "float64" in str(found)


def test_which_layer_reads_which_is_compared():
    model = graphs.residual()
    rng = np.random.default_rng(3)
    trace = compare.record(model, rng.standard_normal((3, *graphs.SHAPE)), np.array([0, 3, 1]))
    swapped = [tuple(reversed(sources)) if len(sources) > 1 else sources
               for sources in trace.sources]
    assert swapped != trace.sources
    assert failed(replace(trace, sources=swapped), trace)
