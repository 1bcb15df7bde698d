"""What only one of two recordings has is a failure, never a row that is left out.

So is what a layer changes in place.
"""

from dataclasses import replace

import numpy as np
import pytest

import compare
import scratch
from compare.checks.layerwise import FIRST, Layerwise
from compare.inputs import twins
from compare.tracing.ops import ops_of
from tests.compare.support import examples, report_rows


@pytest.fixture(scope="module")
def trace():
    model = examples.network("inside", layers=[
        scratch.Conv2D(3, (3, 2), name="conv"), scratch.BatchNormalization(name="norm"),
        scratch.Flatten(name="flatten"), scratch.Dense(4, activation="softmax", name="dense")])
    return compare.record(model, *examples.batch())


def changed(trace, layer, **fields):
    """The trace with fields of one layer's part replaced."""
    return replace(trace, parts=[replace(part, **fields) if part.layer == layer and
                                 part.part != "softmax" else part for part in trace.parts])


def part(trace, layer):
    return next(part for part in trace.parts if part.layer == layer)


def failed(candidate, reference):
    return report_rows.failed(compare.diff(candidate, reference))


def test_a_trace_is_equal_to_itself(trace):
    assert failed(trace, trace) == []


@pytest.mark.parametrize("field, gate, tensor", [("weight_gradients", "backward", "extra_gradient"),
                                                 ("updated", "update", "extra")])
def test_what_one_side_alone_has_fails(trace, field, gate, tensor):
    more = {**getattr(part(trace, "conv"), field), "extra": np.zeros(3, "float32")}
    other = changed(trace, "conv", **{field: more})
    assert (gate, "conv", tensor) in failed(other, trace)
    assert (gate, "conv", tensor) in failed(trace, other)


def test_an_output_outside_of_training_that_one_side_alone_has_fails(trace):
    assert part(trace, "norm").inference is not None
    without = changed(trace, "norm", inference=None)
    assert failed(without, trace) == failed(trace, without) == [("inference", "norm", "output")]
    other = changed(trace, "conv", inference=np.array(part(trace, "conv").output))
    assert ("inference", "conv", "output") in failed(other, trace)
    assert ("inference", "conv", "output") in failed(trace, other)


class FirstReplaces(scratch.BatchNormalization):
    """The first batch's moments take the place of the averages."""

    moved: tuple = ()

    def _move(self, name, batch):
        if name in self.moved:
            super()._move(name, batch)
        else:
            self.moved = (*self.moved, name)
            self.params[name][...] = batch.reshape(-1)


@pytest.mark.parametrize("kind", [FirstReplaces, scratch.BatchNormalization])
def test_statistics_that_move_otherwise_at_first(kind):
    """Judged by the pass that is recorded; each later one is right."""
    def network(kind):
        model = scratch.Sequential([scratch.Input((4, 3)), scratch.Dense(5),
                                    kind(momentum=0.75, name="norm"), scratch.Flatten(),
                                    scratch.Dense(2)])
        model.compile("sgd", "mse")
        return model

    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((6, 4, 3)), rng.standard_normal((6, 2))
    model, (_, twin) = network(kind), twins.twins(network(scratch.BatchNormalization))
    model.set_weights(twin.get_weights())
    report = compare.check(model, twin, x.astype("float32"), y.astype("float32"), probes=False)
    wrong = [(str(row.gate), row.layer, row.tensor, row.note) for row in report.rows
             if not row.passed]
    if kind is scratch.BatchNormalization:
        assert report and not wrong, str(report)
        return
    assert wrong == [("update", "norm", name, FIRST) for name in ("moving_mean", "moving_variance")]
    assert {finding.identifier for finding in report.diagnosis} == {"moving-statistics"}


def squeezed(self, x, training=False):
    """As np.squeeze does without an axis."""
    return np.squeeze(scratch.Dense.forward(self, x, training))


def summed_over_samples(self, x, training=False):
    made = scratch.Dense.forward(self, x, training)
    return made if len(x) > 1 else made + np.float32(1e-3)


def raising(self, x, training=False):
    if len(x) == 1:
        raise IndexError("too few samples")
    return scratch.Dense.forward(self, x, training)


@pytest.mark.parametrize("forward, said", [(squeezed, "shape"), (summed_over_samples, "one sample"),
                                           (raising, "too few samples")])
def test_a_batch_of_one_sample_is_tried_too(forward, said):
    kind = type("Dense", (scratch.Dense,), {"forward": forward})
    model, twin = twins.twins(scratch.Sequential([
        scratch.Input((5,)), scratch.Dense(4, name="first"), scratch.Dense(3, name="last")]))
    model.layers[0].__class__ = kind
    rng = np.random.default_rng(2)
    x, dy = (rng.standard_normal((3, n)).astype("float32") for n in (5, 3))
    report = compare.check(model, twin, x, upstream=dy, probes=False)
    row = report.first_failure
    assert (row.gate, row.layer, row.tensor) == ("inference", "first", "output"), str(report)
    assert said in f"{row.note} {report.summary()}"
    assert [f.identifier for f in report.diagnosis if f.layer == "first"] in (
        ["batch-of-one"], ["raised"], ["shape"])


class InPlace(scratch.ReLU):
    """Right, but overwrites what it is handed once it has read it."""

    spoils = "input"

    def forward(self, x, training=False):
        y = super().forward(x.copy(), training)
        if self.spoils == "input":
            x[...] = -1
        return y

    def backward(self, dy, wants_input_gradient=True):
        dx = super().backward(dy.copy(), wants_input_gradient)
        if self.spoils == "output_gradient":
            dy[...] = -1
        return dx


@pytest.mark.parametrize("spoils", ["input", "output_gradient", "nothing"])
def test_what_a_right_layer_changes_in_place_is_a_row(spoils):
    right, model = examples.network("inside"), examples.network("inside", relu=InPlace)
    model.layers[1].spoils = spoils
    batch = examples.batch()
    recorded = compare.record(right, *batch)
    rows = Layerwise(recorded, recorded, ops_of(model), model).rows()
    found = [row for row in rows if not row.passed]
    assert [(row.gate, row.layer, row.tensor) for row in found] == (
        [] if spoils == "nothing" else [("forward", "relu", spoils)])
    assert all(row.off == "candidate" and "in place" in row.note for row in found)
