"""Recorded traces in the place of networks: check with one of them, diff of two."""

import pytest

import compare
from compare.checks.gate import Gate
from compare.inputs import twins
from compare.tracing.trace import Trace
from tests.compare.support import examples
from tests.compare.support.report_rows import rows_of
from tests.compare.support.small_mistakes import DoubledBias, GradientOff


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_recorded_trace_is_as_good_as_the_model(tmp_path, dtype):
    model, twin = twins.twins(examples.network(dtype=dtype))
    compare.record(twin, *examples.batch()).save(tmp_path / "golden.npz")
    golden = Trace.load(tmp_path / "golden.npz")
    report = compare.check(model, golden)
    assert report, report
    assert set(Gate) - {row.gate for row in report.rows} == {"lockstep"}
    live = compare.check(model, twin, *examples.batch(), steps=0)
    # what people call needs a model that can be called
    rows = [row for row in live.rows if not row.tensor.startswith(("predict", "evaluate", "fit"))]
    assert [(row.gate, row.name) for row in rows] \
        == [(row.gate, row.name) for row in report.rows]
    # the probes of the live check are run by Keras too, those of the trace by the candidate alone
    def measured(rows):
        return [(row.max_abs, row.used) for row in rows
                if row.gate not in ("few terms", "extremes") and row.layer != "later steps"]

    assert measured(rows) == measured(report.rows)


def test_a_trace_without_a_loss_brings_its_upstream_gradient(tmp_path):
    model, twin = twins.twins(examples.network(loss=None))
    compare.record(twin, examples.batch()[0], upstream=examples.upstream()).save(tmp_path / "t.npz")
    report = compare.check(model, Trace.load(tmp_path / "t.npz"))
    assert report, report
    assert rows_of(report, "backward") and not rows_of(report, "loss")


def test_a_candidate_without_a_loss_takes_the_traces():
    trace = compare.record(twins.twins(examples.network())[1], *examples.batch())
    model = examples.network(loss=None)
    report = compare.check(model, trace)
    assert report and rows_of(report, "update"), report
    assert model.loss is None


def two_traces(candidate, tmp_path):
    """The candidate's trace and Keras's, both written and read."""
    compare.record(candidate, *examples.batch()).save(tmp_path / "ours.npz")
    compare.record(twins.twins(examples.network("inside"))[1],
                   *examples.batch()).save(tmp_path / "theirs.npz")
    return Trace.load(tmp_path / "ours.npz"), Trace.load(tmp_path / "theirs.npz")


def test_two_recordings_of_the_same_network_pass(tmp_path):
    ours, theirs = two_traces(examples.network("inside"), tmp_path)
    for pair in ((ours, theirs), (theirs, ours), (ours, ours)):
        found = compare.diff(*pair)
        assert found, found
        assert {row.gate for row in found.rows} == {"network", "weights", "forward", "loss",
                                                    "backward", "update"}
    assert all(row.max_abs == 0 for row in compare.diff(theirs, theirs).rows)


@pytest.mark.parametrize("changed, gate, name", [
    (dict(second=DoubledBias), "forward", "second output"),
    (dict(dense=GradientOff), "backward", "dense kernel_gradient")])
def test_diff_places_a_mistake_and_says_whose_it_is(tmp_path, changed, gate, name):
    ours, theirs = two_traces(examples.network("inside", **changed), tmp_path)
    for pair, off in (((ours, theirs), "candidate"), ((theirs, ours), "reference")):
        report = compare.diff(*pair)
        first = report.first_failure
        assert (first.gate, first.name, first.off) == (gate, name, off), report
        others = [row for row in report.rows if not row.passed and row is not first]
        assert all(row.downstream or row.layer == first.layer for row in others), report


def test_diff_of_different_batches_says_so(tmp_path):
    model = examples.network("inside")
    a = compare.record(model, *examples.batch(seed=2))
    b = compare.record(model, *examples.batch(seed=3))
    report = compare.diff(a, b)
    assert (report.first_failure.gate, report.first_failure.tensor) == ("network", "batch")
    rest = [row for row in report.rows if row.gate != "network"]
    assert all(row.passed for row in rest), "each was checked on its own batch"
