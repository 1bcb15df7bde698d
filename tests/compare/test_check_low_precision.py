"""Checks of networks in float16 and bfloat16: right ones hold, mistakes are found and named."""

import copy

import keras
import numpy as np
import pytest

import compare
import reference
import scratch
from compare.checks.gate import Gate
from compare.evaluation.faults.injection import half, patched
from compare.inputs import twins
from scratch.precision import rounded

POLICIES = ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"]


def network(policy, optimizer=None, last="float32"):
    scratch.set_random_seed(3)
    layers = scratch.layers
    model = scratch.Sequential([
        scratch.Input((7, 5, 2)), layers.Conv2D(3, (3, 2), padding="same", dtype=policy),
        layers.BatchNormalization(dtype=policy), layers.ReLU(dtype=policy),
        layers.MaxPooling2D((2, 1), dtype=policy), layers.Flatten(dtype=policy),
        layers.Dense(4, activation="softmax", dtype=last)])
    model.compile(optimizer or scratch.SGD(0.05), "sparse_categorical_crossentropy")
    return model


def batch(seed=0, size=5):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((size, 7, 5, 2)).astype(np.float32), rng.integers(0, 4, size)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("last", ["float32", None])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_right_network_holds_and_the_report_says_in_which_precision(policy, last):
    model = network(policy, last=last or policy)
    report = compare.check(model, compare.twin(model), *batch())
    assert report, str(report)
    text = str(report)
    assert policy in text
    assert f"Judged in {policy.removeprefix('mixed_')} (u = 2^-" in " ".join(text.split())
    gates = {row.gate for row in report.rows if not row.unjudged}
    assert gates >= {Gate.WHOLE_NUMBERS, Gate.FEW_TERMS, Gate.FORWARD, Gate.LOSS, Gate.BACKWARD,
                     Gate.UPDATE, Gate.INFERENCE, Gate.EXTREMES, Gate.LOCKSTEP}


def test_a_scaled_loss_holds_and_its_gradients_are_scaled():
    model = network("mixed_float16", scratch.optimizers.LossScaleOptimizer(scratch.SGD(0.05), 64.0))
    twin = compare.twin(model)
    assert isinstance(twin.optimizer, keras.optimizers.LossScaleOptimizer)
    x, y = batch()
    report = compare.check(model, twin, x, y)
    assert report, str(report)
    scaled = compare.record(twin, x, y)
    plain = compare.record(compare.twin(network("mixed_float16")), x, y)
    np.testing.assert_allclose(scaled.loss_gradient, 64 * plain.loss_gradient, rtol=1e-6)


def keras_network(policy):
    """With the policy for all layers, as people set it."""
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(1)
        layers = keras.layers
        model = keras.Sequential([
            keras.Input((7, 5, 2)), layers.Conv2D(3, 3, activation="relu"), layers.Flatten(),
            layers.Dense(4), layers.Activation("softmax", dtype="float32")])
        model.compile("sgd", "sparse_categorical_crossentropy")
    finally:
        keras.config.set_dtype_policy("float32")
    return model


@pytest.mark.sampled(3)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_file_of_keras_loads_predicts_and_holds(policy, tmp_path):
    theirs = keras_network(policy)
    theirs.save(tmp_path / "model.keras")
    model = scratch.load_model(tmp_path / "model.keras")
    assert [layer.policy.name for layer in model.layers] == [policy] * 3 + ["float32"]
    x, y = batch(1)
    compute = policy.removeprefix("mixed_")
    kernel = np.asarray(theirs.layers[0].get_weights()[0], np.float32)
    np.testing.assert_array_equal(model.layers[0].kernel, kernel)
    twice = 2.0 ** (-10 if compute == "float16" else -7)
    np.testing.assert_allclose(model.predict(x, verbose=0),
                               np.asarray(theirs.predict(x, verbose=0), np.float32), atol=twice)
    assert compare.check(model, reference.load(tmp_path / "model.keras"), x, y)
    candidate, twin = twins.twins(theirs)  # as it is compiled: in mixed_float16 with a scaled loss
    scaled = isinstance(candidate.optimizer, scratch.optimizers.LossScaleOptimizer)
    assert twin is theirs and scaled == (policy == "mixed_float16")
    assert compare.check(candidate, theirs, x, y)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_an_input_that_is_not_cast_is_found_and_named(policy):
    model = network(policy)
    twin = compare.twin(model)
    patched(model.layers[0], autocast=lambda self, right, value: value)
    report = compare.check(model, twin, *batch())
    assert not report and report.first_failure.layer == "conv2d"
    assert report.diagnosis[0].causes[0].identifier == "cast-missing"


def test_a_layer_that_computes_in_another_precision_is_another_network():
    model = network("mixed_float16")
    other = network("mixed_bfloat16")
    other.set_weights(model.get_weights())
    report = compare.check(model, compare.twin(other), *batch())
    assert not report
    first = report.first_failure
    assert (first.gate, first.tensor) == (Gate.NETWORK, "settings")
    assert "mixed_float16" in first.note and "mixed_bfloat16" in first.note


@pytest.mark.sampled(2)
@pytest.mark.parametrize("mistake, cause", [
    (lambda self, right, gradients: gradients, "loss-scale"),
    (lambda self, right, gradients: right(right(gradients)), "loss-scale")])
def test_a_scale_that_stays_or_counts_twice_is_named(mistake, cause):
    model = network("mixed_float16", scratch.optimizers.LossScaleOptimizer(scratch.SGD(0.05), 64.0))
    twin = compare.twin(model)
    patched(model.optimizer, unscaled=mistake)
    report = compare.check(model, twin, *batch())
    assert {row.gate for row in report.rows if not row.passed} <= {Gate.UPDATE, Gate.LOCKSTEP}
    assert report.diagnosis[0].causes[0].identifier == cause


def test_a_step_that_should_be_skipped_is_named():
    model = network("mixed_float16", scratch.optimizers.LossScaleOptimizer(scratch.SGD(0.05), 64.0))
    twin = compare.twin(model)

    def always(self, right, gradients, variables):
        self.inner_optimizer.apply(self.unscaled(gradients), variables)

    patched(model.optimizer, apply=always)
    report = compare.check(model, twin, *batch())
    assert "a gradient is infinite" in " ".join(
        row.note for row in report.rows if not row.passed)
    assert report.diagnosis[0].causes[0].identifier == "step-not-skipped"


def test_moving_statistics_in_half_are_found():
    model = network("mixed_float16")
    twin = compare.twin(model)
    patched(model.layers[1], _move=lambda self, right, name, batch: right(name, half(batch)))
    report = compare.check(model, twin, *batch())
    assert ("batch_normalization", "moving_mean") in {
        (row.layer, row.tensor) for row in report.rows if not row.passed}


def test_what_overflows_in_float16_is_infinite_on_both_sides():
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, dtype="mixed_float16")])
    model.set_weights([np.full((3, 2), 200.0), np.zeros(2)])
    twin = compare.twin(model)
    x = np.float32([[200, 200, 1], [1, 2, 3]])
    ours, theirs = model.predict(x, verbose=0), twin.predict(x, verbose=0)
    assert np.isinf(ours[0]).all() and np.isinf(theirs[0]).all() and np.isfinite(ours[1]).all()
    report = compare.check(model, twin, x, upstream=np.ones((2, 2), np.float32))
    assert not [row for row in report.rows if not row.passed]


def test_a_policy_for_all_layers_by_the_option_of_the_commands():
    model = network("float32")
    kept = copy.deepcopy(model.get_weights())
    candidate, twin = twins.twins(model, "float16")
    assert {layer.policy.name for layer in candidate.layers} == {"float16"}
    assert {layer.dtype_policy.name for layer in twin.layers} == {"float16"}
    for ours, theirs, given in zip(candidate.get_weights(), twin.get_weights(), kept):
        np.testing.assert_array_equal(ours, rounded(given, "float16"))
        np.testing.assert_array_equal(ours, np.asarray(theirs, np.float32))


@pytest.mark.parametrize("policy", ["float16", "bfloat16"])
@pytest.mark.parametrize("gradients", [None, False])
def test_a_batch_is_rounded_to_the_precision_of_the_input(policy, gradients):
    """Keras's `Input` casts what it is handed; the batch here has more digits than it keeps."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((7, 5, 2), dtype=policy),
                              layers.Conv2D(3, 3, dtype=policy), layers.Flatten(dtype=policy)])
    x = batch()[0]
    assert not np.array_equal(x, rounded(x, policy))
    report = compare.check(twins.twins(model)[0], model, x, gradients=gradients)
    assert report, str(report)
