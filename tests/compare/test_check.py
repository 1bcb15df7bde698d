"""check and assert_parity: what the report says of equal networks, and of what is handed in."""

import copy
import json

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.inputs import twins
from tests.compare.support import examples
from tests.compare.support.report_rows import failed, rows_of
from tests.compare.support.small_mistakes import DoubledBias, GradientOff


@pytest.fixture(scope="module")
def pair():
    return twins.twins(examples.network("inside"))


@pytest.fixture(scope="module")
def report(pair):
    return compare.check(*pair, *examples.batch())


def test_equal_networks_pass_at_every_gate(report):
    assert report and report.first_failure is None and failed(report) == []
    assert [gate for gate in Gate if rows_of(report, gate)] == list(Gate)
    assert "Parity holds: all" in report.summary()
    assert (report.dtype, report.batch) == ("float32", 5)
    assert "scratch on numpy" in report.candidate and "keras" in report.reference


def test_there_is_a_row_for_every_tensor_of_every_part(report):
    forward = [(row.layer, row.tensor) for row in rows_of(report, "forward")]
    assert forward == [(name, "output") for name in (
        "conv", "relu", "pool", "second", "second/relu", "flatten", "dense", "dense/softmax")]
    backward = [(row.layer, row.tensor) for row in rows_of(report, "backward")]
    affine = ["input_gradient", "kernel_gradient", "bias_gradient"]
    assert backward == [
        *[("dense", t) for t in affine], ("flatten", "input_gradient"),
        ("second/relu", "input_gradient"), *[("second", t) for t in affine],
        ("pool", "input_gradient"), ("relu", "input_gradient"), *[("conv", t) for t in affine]]
    whole = [(row.layer, row.tensor) for row in rows_of(report, "whole numbers")]
    assert sorted(whole) == sorted([row for row in forward + backward if row[0] != "dense/softmax"])
    weights = [(layer, name) for layer in ("conv", "second", "dense")
               for name in ("kernel", "bias")]
    assert [(row.layer, row.tensor) for row in rows_of(report, "update")] \
        == [*weights, ("later steps", "weights")]
    assert [(row.layer, row.tensor) for row in rows_of(report, "weights")] == weights
    assert [row.tensor for row in rows_of(report, "loss")] == ["value", "gradient"]


def test_no_tensor_is_allowed_nothing_or_anything(report):
    for row in rows_of(report, "forward") + rows_of(report, "backward"):
        if row.kind == "componentwise":
            assert 0 < row.allowed < 1e-4, row.name
    assert {row.kind for row in rows_of(report, "whole numbers")} == {"exact"}
    assert {row.max_abs for row in rows_of(report, "whole numbers")} == {0.0}


def test_inherited_and_local_add_up_to_what_is_observed(report):
    told = [row for row in report.rows if row.observed is not None]
    assert len(told) >= 20
    for row in told:
        assert row.inherited + row.local == pytest.approx(row.observed, rel=1e-12, abs=1e-18)
    first = rows_of(report, "forward")[0]
    assert first.inherited == 0, "the first layer inherits nothing"


def test_a_mistake_is_local_where_it_is_made_and_inherited_from_there_on(pair):
    class Offset(scratch.Conv2D):
        def affine(self, x):
            return super().affine(x) + np.float32(0.25)

    model, twin = examples.network("inside", conv=Offset), pair[1]
    report = compare.check(model, twin, *examples.batch(), steps=0)
    rows = {row.layer: row for row in rows_of(report, "forward")}
    assert rows["conv"].local == pytest.approx(0.25, rel=1e-5) == rows["conv"].observed
    assert abs(rows["conv"].inherited) < 1e-6
    for layer in ("second", "dense"):
        assert abs(rows[layer].observed) > 1e-3 and rows[layer].passed
        assert rows[layer].inherited == pytest.approx(rows[layer].observed, rel=1e-3)
        assert abs(rows[layer].local) < 1e-6


def test_the_report_prints_its_table_and_its_verdict(report):
    text = str(report)
    assert text == report.render() and report.summary() in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines())
    for row in rows_of(report, "forward"):
        assert row.layer in text
    assert "| conv" in report.table("github")
    assert len(report.table(wide=True)) > len(report.table())


def test_the_report_as_json_is_the_same_report(report):
    read = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert read["passed"] is True and read["verdict"] == report.summary()
    assert len(read["rows"]) == len(report.rows)
    for entry, row in zip(read["rows"], report.rows):
        assert (entry["gate"], entry["layer"], entry["tensor"]) == (row.gate, row.layer, row.tensor)
        assert entry["max_abs"] == row.max_abs and entry["passed"] == row.passed
        assert entry["used"] == row.used and entry["index"] == list(row.index)


def test_accuracy_is_told_against_float64(report):
    ratio = report.accuracy_ratio()
    assert 0.1 < ratio < 10
    assert f"{ratio:.2g} times the reference's" in report.summary()


def test_assert_parity_is_silent_or_carries_the_table(pair):
    compare.assert_parity(*pair, *examples.batch(), steps=0)
    wrong = copy.deepcopy(pair[0])
    wrong.get_layer("second").params["bias"][2] += 1
    with pytest.raises(AssertionError) as caught:
        compare.assert_parity(wrong, pair[1], *examples.batch(), steps=0)
    assert "second" in str(caught.value) and "Parity does not hold" in str(caught.value)
    first, rest = str(caught.value).split("\n\n", 1)
    assert first.startswith("second bias") and "\n" not in first
    assert str(compare.check(wrong, pair[1], *examples.batch(), steps=0)) == rest


@pytest.mark.parametrize("options, missing", [
    (dict(probes=False), {"whole numbers", "few terms", "extremes"}),
    (dict(steps=0), {"lockstep"})])
def test_parts_can_be_left_out(pair, options, missing):
    found = compare.check(*pair, *examples.batch(), **options)
    assert found and set(Gate) - {row.gate for row in found.rows} == missing


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_a_check_changes_neither_model(momentum):
    model, twin = twins.twins(examples.network(optimizer=scratch.SGD(0.1, momentum=momentum)))
    x, y = examples.batch()
    for side in (model, twin):
        side.train_on_batch(x.astype("float32"), y)
    twin.set_weights(model.get_weights())
    compiled = twin.optimizer, twin.loss
    before = [examples.everything(side) for side in (model, twin)]
    assert compare.check(model, twin, x, y)
    assert [examples.everything(side) for side in (model, twin)] == before
    assert (twin.optimizer, twin.loss) == compiled
    np.testing.assert_array_equal(x, examples.batch()[0])


@pytest.mark.parametrize("bare", ["candidate", "reference"])
def test_one_compiled_model_is_enough_and_the_other_stays_uncompiled(bare):
    model, twin = twins.twins(examples.network(loss=None))
    compiled = twins.twins(examples.network())
    if bare == "candidate":
        twin = compiled[1]
    else:
        model = compiled[0]
    report = compare.check(model, twin, *examples.batch())
    assert report, report
    assert rows_of(report, "loss") and rows_of(report, "update") and rows_of(report, "lockstep")
    assert (model.loss is None) == (bare == "candidate")
    assert twin.compiled == (bare == "candidate")


def test_two_models_without_a_loss_take_an_upstream_gradient():
    model, twin = twins.twins(examples.network(loss=None))
    x, y = examples.batch()
    with pytest.raises(ValueError, match="Expected at least one compiled model"):
        compare.check(model, twin, x, y)
    report = compare.check(model, twin, x, upstream=examples.upstream())
    assert report, report
    assert {"loss", "update", "lockstep"}.isdisjoint(row.gate for row in report.rows)
    assert ("softmax", "input_gradient") in [
        (row.layer, row.tensor) for row in rows_of(report, "backward")]


@pytest.mark.parametrize("swapped", [None, 3, "model"])
def test_the_candidate_is_a_scratch_model(pair, swapped):
    with pytest.raises(TypeError, match="Expected the candidate.*scratch.Sequential or a "
                                        "scratch.Model, a list of layers, .*or a torch.nn.Module. "
                                        "Received: "):
        compare.check(pair[1] if swapped is None else swapped, pair[0], *examples.batch())
    with pytest.raises(TypeError, match="Received: "):
        compare.check(pair[0], swapped, *examples.batch())


def test_the_first_failure_is_the_first_in_the_order_of_the_gates():
    model = examples.network("inside", second=DoubledBias, dense=GradientOff)
    report = compare.check(model, examples.network("inside"), *examples.batch())
    gates = [row.gate.order for row in report.rows]
    assert gates == sorted(gates)
    assert report.first_failure is next(row for row in report.rows if not row.passed)
    assert (report.first_failure.gate, report.first_failure.layer) == ("whole numbers", "second")
    assert {"second", "dense"} <= {row.layer for row in report.rows
                                   if not row.passed and row.gate == "whole numbers"}
