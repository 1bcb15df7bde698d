"""Checks of models of several inputs and outputs: rows for each, files, and mistakes."""

import copy
import warnings

import numpy as np
import pytest

import compare
import scratch
from compare.diagnosis.catalogue import CATALOGUE
from compare.evaluation.faults.catalogue import by_identifier
from compare.evaluation.faults.families import joint
from compare.evaluation.faults.scoring import Cases, score
from scratch.losses import Value
from tests.scratch.support.several import CASES, autoencoder, made, multi_task


@pytest.mark.sampled(3)
@pytest.mark.parametrize("build", CASES, ids=lambda build: build.__name__)
def test_parity_holds_live_and_against_a_file(keras, build, tmp_path):
    case, model = made(keras, build)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's, of weights that no loss depends on
        report = compare.check(model, case.twin, case.x, case.y, steps=3)
        trace = compare.record(case.twin, case.x, case.y)
    assert report, str(report)
    trace.save(tmp_path / "golden.npz")
    golden = compare.Trace.load(tmp_path / "golden.npz")
    assert golden.ends == trace.ends and golden.fused == trace.fused
    report = compare.check(model, golden)
    assert report, str(report)
    assert compare.diff(compare.record(model, case.x, case.y), golden)


def test_there_are_rows_for_each_output_and_each_loss(keras):
    case, model = made(keras, autoencoder)
    rows = {(row.gate.value, row.layer, row.tensor)
            for row in compare.check(model, case.twin, case.x, case.y).rows}
    for name in ("label", "again", "code"):
        assert {("loss", f"{name}_loss", "value"), ("loss", f"{name}_loss", "gradient"),
                ("extremes", f"{name}_loss", "gradient")} <= rows
    for k in (1, 2, 3):
        assert {("whole network", "network", f"{call}_{k}") for call in ("output", "predict")
                } <= rows
    assert ("loss", "loss", "value") in rows and ("loss", "loss", "gradient") not in rows


def test_without_labels_and_forward_alone(keras):
    case, model = made(keras, multi_task)
    assert compare.check(model, case.twin, case.x)
    assert compare.check(model, case.twin, case.x, gradients=False)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [name for name, *_ in joint.TABLE])
def test_each_mistake_is_found_where_it_is_and_named(name):
    found = score(by_identifier()[name], CLEAN)
    assert found.detected and found.placed and found.tensor and found.first, found


CLEAN = Cases()


def test_a_mistake_in_one_outputs_loss_is_told_of_that_one_alone(keras):
    case, model = made(keras, multi_task)
    broken = copy.deepcopy(model)
    loss = broken.loss.terms[1].loss

    class Doubled(type(loss)):
        def rows(self, targets, y_pred, from_logits):
            losses, gradient = super().rows(targets, y_pred, from_logits)
            return losses * 2, gradient * 2

    loss.__class__ = Doubled
    report = compare.check(broken, case.twin, case.x, case.y, steps=0)
    failed = {(row.layer, row.tensor) for row in report.rows
              if not row.passed and row.gate.value == "loss"}
    assert failed == {("box_loss", "value"), ("box_loss", "gradient")}
    first = report.diagnosis[0]
    assert (first.layer, first.identifier) == ("box_loss", "scale")


def test_swapped_labels_of_two_outputs_make_another_batch(keras):
    case, model = made(keras, multi_task)
    trace = compare.record(case.twin, case.x, case.y)
    other = compare.record(model, case.x, [case.y[0][::-1].copy(), case.y[1]])
    report = compare.diff(other, trace)
    assert not report and report.first_failure.tensor == "batch"


def test_a_batch_of_several_in_a_file(keras, tmp_path):
    from compare.inputs import batches

    case, model = made(keras, multi_task)
    path = tmp_path / "batch.npz"
    np.savez(path, x=case.x, y_1=case.y[0], y_2=case.y[1])
    x, y = batches.from_file(path)
    assert compare.check(model, case.twin, x, y, steps=0)
    np.savez(path, x_1=case.x, x_3=case.x)
    with pytest.raises(ValueError, match="an array for each input"):
        batches.from_file(path)
    assert {"loss-weights-missing", "losses-averaged", "outputs-swapped"} <= CATALOGUE.keys()


def test_parts_of_a_joint_value_add_up():
    value = Value(2.0, [1.0, 0.5]) + Value(3.0, [2.0, 0.25])
    assert (value.total, value.terms) == (5.0, (3.0, 0.75)) and float(value + 1.0) == 6.0
    assert isinstance(sum([value]), Value) and scratch.losses.total_of(value) == 5.0
