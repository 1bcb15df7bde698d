"""Models inside models and shared layers: right ones pass every gate, and a mistake in one is found
at its path, or, if it is made where gradients are added up, at the first call of the layer."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from compare.tracing.noise import noise_of
from scratch import network
from tests.compare.support import nested
from tests.compare.support.faults import scaled, spoiled


def failed(report):
    return [row for row in report.rows if not row.passed]


def test_a_right_one_passes_every_gate_against_keras(keras):
    model, twin = twins.twins(nested.shared())
    report = compare.check(model, twin, *nested.images())
    assert report, report
    names = {row.layer for row in report.rows}
    assert {"base.block.conv", "base.block.conv (call 2)", "again (call 3)"} <= names
    updated = [row.layer for row in report.rows if row.gate == "update"]
    assert "again" in updated and "again (call 2)" not in updated
    weights = [row.layer for row in report.rows if row.gate == "weights"]
    assert weights.count("again") == 2 and "again (call 2)" not in weights
    whole = {row.name for row in report.rows if row.gate == "whole network"}
    assert "again kernel_gradient" in whole and "again (call 2) kernel_gradient" not in whole


def test_a_golden_trace_is_read_and_checked_without_keras(keras, tmp_path):
    model, twin = twins.twins(nested.shared())
    compare.record(twin, *nested.images()).save(tmp_path / "golden.npz")
    golden = compare.Trace.load(tmp_path / "golden.npz")
    assert [part.tied_to for part in golden.parts if part.layer == "again (call 2)"] == ["again"]
    assert compare.check(twins.golden_candidate(golden, None), golden)
    assert compare.check(model, golden)
    assert compare.diff(compare.record(model, *nested.images(), noise=noise_of(golden)), golden)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("layer, fault, gate, tensor", [
    ("base.block.conv", "conv2d-kernel-flipped", "whole numbers", "output"),
    ("base.block.conv (call 2)", scaled("kernel_gradient", 1.1), "whole numbers",
     "kernel_gradient"),
    ("again (call 2)", scaled("output", 1.01), "whole numbers", "output"),
    ("again (call 3)", scaled("input_gradient", 0.9), "whole numbers", "input_gradient"),
    ("base.norm (call 2)", "batch-normalization-statistics-replaced", "update", "moving_mean"),
    ("base.block.add", "add-second-lost", "whole numbers", "input_gradient_2"),
    ("base.drop (call 2)", "dropout-at-inference", "inference", "output"),
])
def test_a_mistake_is_found_at_its_path(layer, fault, gate, tensor):
    model = spoiled(nested.shared(), **{layer: fault})
    report = compare.check(model, nested.shared(), *nested.images())
    wrong = [row for row in failed(report) if row.gate not in ("whole network", "lockstep")]
    assert {row.layer for row in wrong} == {layer}, report
    assert (gate, tensor) in {(row.gate, row.tensor) for row in wrong}
    assert report.diagnosis[0].layer == layer


def test_gradients_of_calls_that_are_not_added_up(monkeypatch):
    right = compare.record(nested.shared(), *nested.images())
    monkeypatch.setattr(network, "add_tied_gradients", lambda layers: None)
    report = compare.check(nested.shared(), right)
    assert {row.gate for row in failed(report)} == {"whole network"}, report
    assert {row.name for row in failed(report)} >= {"again kernel_gradient",
                                                   "base.block.conv kernel_gradient"}


def test_a_layer_of_its_own_is_not_one_that_is_shared():
    def model(*convs):
        x = scratch.Input(nested.SHAPE)
        return scratch.Model(x, convs[1](convs[0](x)))

    conv = scratch.Conv2D(2, 3, padding="same")
    x = nested.images()[0]
    report = compare.check(model(scratch.Conv2D(2, 3, padding="same"),
                                 scratch.Conv2D(2, 3, padding="same")), model(conv, conv), x,
                           upstream=x)
    assert report.first_failure.tensor == "layers" and "tied to 1" in report.first_failure.note


@pytest.mark.sampled(3)
@pytest.mark.parametrize("seed", range(3))
def test_random_networks_pass_against_keras(keras, seed):
    from tests.scratch.support.nested import drawn, numbers

    rng = np.random.default_rng(seed + 100)
    twin = drawn(rng, keras)
    twin.set_weights(numbers(rng, twin))
    twin.compile("adam", "mean_squared_error")
    model, twin = twins.twins(twin)
    report = compare.check(model, twin, rng.standard_normal((4, 3)), rng.standard_normal((4, 3)))
    assert report, report
