"""Models without a loss: one batch is enough, a gradient is drawn, and the report says so."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.inputs import batches, twins
from tests.compare.support import examples


@pytest.fixture(scope="module")
def uncompiled(keras):
    return keras.Sequential([
        keras.Input((7, 6, 2)), keras.layers.Conv2D(4, (3, 2), activation="relu", name="conv"),
        keras.layers.BatchNormalization(name="norm"), keras.layers.Flatten(name="flat"),
        keras.layers.Dense(3, activation="softmax", name="dense")])


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).normal(size=(4, 7, 6, 2)).astype("float32")


def test_an_uncompiled_model_and_a_batch_are_enough(uncompiled, x):
    model, twin = twins.twins(uncompiled)
    report = compare.check(model, twin, x)
    assert report, report
    gates = {row.gate for row in report.rows}
    assert {Gate.BACKWARD, Gate.FORWARD, Gate.WHOLE_NETWORK} <= gates
    assert not {Gate.LOSS, Gate.LOCKSTEP} & gates
    assert ("conv", "kernel_gradient") in {(row.layer, row.tensor) for row in report.rows}
    assert report.notes == ["The model has no loss: in the place of its gradient stand normal "
                            "numbers, drawn with seed 0; loss, update and lockstep are not judged."]
    assert "no loss" in report.render() and "no loss" in report.as_dict()["notes"][0]


def test_so_are_a_list_of_layers_and_a_wrong_gradient_is_seen(uncompiled, x):
    assert compare.check([None] * 4, uncompiled, x)
    model, twin = twins.twins(uncompiled)
    dense = model.layers[-1]
    right = dense.affine_backward

    def wrong(dz, wants):
        dx = right(dz, wants)
        dense.grads["kernel"] *= dense.grads["kernel"].dtype.type(1.01)
        return dx

    dense.affine_backward = wrong
    report = compare.check(model, twin, x)
    assert not report and report.first_failure.name == "dense kernel_gradient"


def test_a_compiled_model_without_labels_says_which_were_missing():
    model, twin = twins.twins(examples.network("inside"))
    x, _ = examples.batch()
    report = compare.check(model, twin, x, seed=7)
    assert report and report.notes[0].startswith("No labels were given") \
        and "seed 7" in report.notes[0]


def test_what_was_given_is_used_and_not_spoken_of(uncompiled, x):
    model, twin = twins.twins(uncompiled)
    report = compare.check(model, twin, x, upstream=np.ones((4, 3), "float32"))
    assert report.notes == []
    assert any("the same everywhere" in spot for spot in report.blind)


def test_the_gradient_fits_inputs_of_open_sizes():
    model = scratch.Sequential([scratch.Input((None, None, 2)), scratch.Conv2D(3, 2)])
    x = np.random.default_rng(0).normal(size=(3, 5, 4, 2)).astype("float32")
    assert batches.upstream(model, x, 0).shape == (3, 4, 3, 3)
    assert compare.check(model, compare.twin(model), x)


def test_record_wants_to_be_told(uncompiled, x):
    with pytest.raises(ValueError, match="labels y or an upstream.*gradients=False"):
        compare.record(uncompiled, x)
