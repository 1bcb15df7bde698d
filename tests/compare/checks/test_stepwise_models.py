"""A model on every step: a right one passes, a mistake is found in the layer inside it."""

import numpy as np
import pytest

import compare
from compare.inputs import twins
from compare.tracing.noise import noise_of
from tests.compare.support import stepwise
from tests.compare.support.faults import change_of, scaled


def put_inside(model, name, fault):
    """A fault in what runs on each step."""
    change_of(fault)(model.get_layer(f"frames.cnn.{name}").layer)
    return model


@pytest.fixture(scope="module")
def pair(keras):
    import scratch

    return twins.twins(stepwise.video(scratch))


def test_a_right_one_passes_every_gate_against_keras(pair):
    model, twin = pair
    report = compare.check(model, twin, *stepwise.batch())
    assert report, report
    names = {row.layer for row in report.rows}
    assert {"frames.cnn.conv", "frames.cnn.again (call 2)", "frames.cnn.drop"} <= names
    moved = {row.tensor for row in report.rows
             if row.gate == "update" and row.layer == "frames.cnn.norm"}
    assert {"moving_mean", "moving_variance", "gamma", "beta"} <= moved


def test_a_frozen_model_passes_alive_and_from_a_file(keras, tmp_path):
    """Keras forgets of a file that a Sequential's input is frozen, too, which changes nothing."""
    layers = keras.layers
    cnn = keras.Sequential([keras.Input(stepwise.IMAGE), layers.Conv2D(3, (3, 2)),
                            layers.BatchNormalization(name="norm"), layers.Flatten()], name="cnn")
    cnn.trainable = False
    live = keras.Sequential([keras.Input((stepwise.STEPS, *stepwise.IMAGE)),
                             layers.TimeDistributed(cnn, name="frames"), layers.GRU(3),
                             layers.Dense(2, activation="softmax")])
    live.compile("sgd", "sparse_categorical_crossentropy")
    live.save(tmp_path / "frozen.keras")
    for model, twin in (twins.twins(live), twins.pair(str(tmp_path / "frozen.keras"))):
        assert len(model.trainable_variables) == 5
        report = compare.check(model, twin, *stepwise.batch(), steps=1)
        assert report, report
    model.get_layer("frames.cnn.norm").layer.params["moving_mean"] += 0.1
    assert not compare.check(model, twin, *stepwise.batch(), steps=0)


def test_a_golden_trace_is_checked_without_keras(pair, tmp_path):
    model, twin = pair
    compare.record(twin, *stepwise.batch()).save(tmp_path / "golden.npz")
    golden = compare.Trace.load(tmp_path / "golden.npz")
    assert compare.check(twins.golden_candidate(golden, None), golden)
    assert compare.diff(compare.record(model, *stepwise.batch(), noise=noise_of(golden)), golden)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name, fault, tensor, cause", [
    ("conv", "conv2d-kernel-flipped", "output", "kernel-flipped"),
    ("pool", "max-pooling2d-ties-shared", "input_gradient", "pool-ties"),
    ("dense", scaled("output", 1.01), "output", "scale"),
    ("add", "add-second-lost", "input_gradient_2", None),
])
def test_a_mistake_of_the_layer_inside_is_found_and_named(pair, name, fault, tensor, cause):
    import scratch

    right, _ = pair
    golden = compare.record(right, *stepwise.batch())
    model = stepwise.video(scratch)
    model.set_weights(right.get_weights())
    report = compare.check(put_inside(model, name, fault), golden)
    wrong = [row for row in report.rows if not row.passed and row.gate != "whole network"]
    assert {row.layer for row in wrong} == {f"frames.cnn.{name}"}, report
    assert tensor in {row.tensor for row in wrong}
    if cause is not None:
        assert report.diagnosis[0].causes[0].identifier == cause


def test_steps_that_are_exchanged_are_noticed(pair):
    model, twin = pair
    x, y = stepwise.batch()
    golden = compare.record(twin, x, y)
    other = compare.record(twin, np.ascontiguousarray(x[:, ::-1]), y, noise=noise_of(golden))
    assert not compare.diff(other, golden)
