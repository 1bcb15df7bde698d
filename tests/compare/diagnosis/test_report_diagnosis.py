"""A report names causes: for each failing layer, on either side, of what can be run and of traces.
"""

import json

import numpy as np
import pytest

import compare
import scratch
from compare.document.plain_json import dumps
from compare.evaluation.faults.injection import output, patched
from compare.tracing.noise import noise_of
from tests.compare.support import examples
from tests.compare.support.faults import spoiled
from tests.compare.support.graphs import features, gated, images, residual

DX = "input_gradient"


def checked(**faults):
    """The report on the network of `examples` with these faults in it, against a right one."""
    return compare.check(spoiled(examples.network(), **faults), examples.network(),
                         *examples.batch())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("part, fault, layer, tensor, cause", [
    ("conv", "conv2d-kernel-flipped", "conv", "output", "kernel-flipped"),
    ("second", "conv2d-dx-overwritten", "second", DX, "overlap-overwritten"),
    ("dense", "dense-dk-divided-by-batch", "dense", "kernel_gradient", "scale"),
    ("dense", "dense-dx-after-update", "dense", DX, "update-before-gradient"),
    ("pool", "max-pooling2d-ties-last", "pool", DX, "pool-ties"),
    ("relu", "relu-dx-mask-of-gradient", "relu", DX, "mask-wrong-tensor"),
    ("flatten", "flatten-by-channel", "flatten", "output", "flatten-order"),
    ("softmax", "softmax-over-all", "softmax", "output", "softmax-axis"),
    ("loss", "loss-value-sum", "loss", "value", "loss-sum-for-mean"),
    ("loss", "loss-gradient-sum", "loss", "gradient", "loss-sum-for-mean"),
    ("optimizer", "optimizer-sgd-climbs", "conv", "kernel", "update-sign"),
])
def test_first_cause(part, fault, layer, tensor, cause):
    report = checked(**{part: fault})
    finding = report.cause
    named = finding.layer, finding.tensor, finding.identifier
    assert named == (layer, tensor, cause), str(report)
    assert finding.side == "candidate"
    assert f"Cause: {layer} {tensor}: {cause}: " in str(report)


def test_dense_behind_a_flatten_knows_the_image():
    order = np.arange(15).reshape(3, 1, 5).transpose(2, 0, 1).reshape(-1)
    turned = output(lambda layer, y, x: x @ layer.kernel[order] + layer.bias)
    finding = checked(dense=turned).cause
    assert (finding.layer, finding.identifier) == ("dense", "flatten-order"), str(finding)


def test_each_failing_layer_has_its_own_finding():
    report = checked(conv="conv2d-dk-flipped", dense="dense-bias-doubled",
                     pool="max-pooling2d-ties-last")
    found = {finding.layer: finding.identifier for finding in report.diagnosis}
    assert found == {"conv": "kernel-flipped", "dense": "bias-doubled", "pool": "pool-ties"}


def test_findings_are_in_the_json():
    report = checked(dense="dense-bias-doubled")
    finding, = json.loads(dumps(report.as_dict()))["findings"]
    assert finding["identifier"] == "bias-doubled" and finding["layer"] == "dense"
    assert finding["remedy"] and finding["sentence"]


def test_parity_has_no_cause():
    report = checked()
    assert report and report.cause is None and report.diagnosis == []
    assert "Cause" not in str(report)


def test_a_reference_that_is_off_is_said_to_be():
    twin = spoiled(examples.network(), dense="dense-bias-doubled")
    report = compare.check(examples.network(), twin, *examples.batch())
    finding = report.cause
    assert (finding.side, finding.layer, finding.identifier) == (
        "reference", "dense", "bias-doubled"), str(report)
    assert "Keras is the one that is off" in finding.sentence


@pytest.mark.parametrize("layer, fault, cause", [
    ("conv", "conv2d-kernel-flipped", "kernel-flipped"),
    ("dense", "dense-bias-doubled", "bias-doubled")])
def test_two_recordings_are_explained_by_their_own_numbers(layer, fault, cause):
    x, y = examples.batch()
    traces = [compare.record(spoiled(examples.network(), **faults), x, y)
              for faults in ({layer: fault}, {})]
    finding = compare.diff(*traces).cause
    assert finding.identifier == cause, str(finding)


def test_numbers_too_plain_to_tell_two_mistakes_apart_leave_it_ambiguous():
    """On an image that looks the same upside down, a turned kernel turns the output around."""
    models = [examples.network(end=None, layers=[
        scratch.Conv2D(2, 3, name="conv"), scratch.Flatten(), scratch.Dense(4)]) for _ in range(2)]
    spoiled(models[0], conv="conv2d-kernel-flipped")
    x, y = examples.batch()
    x = x + x[:, ::-1, ::-1]
    traces = [compare.record(model, x, y) for model in models]
    finding = compare.diff(*traces).cause
    assert finding.identifier == "kernel-flipped"
    assert ("axes-permuted",) in [tuple(c.identifier for c in causes)
                                  for causes in finding.alternatives], str(finding)
    # with numbers that are drawn for the purpose there is one cause only
    assert compare.check(*models, x, y).cause.alternatives == ()


def test_a_penalty_that_is_left_out_of_a_gradient():
    models = [examples.network(end=None, layers=[
        scratch.Conv2D(3, (3, 2), kernel_regularizer="l2", name="conv"), scratch.Flatten(),
        scratch.Dense(4, name="dense")]) for _ in range(2)]
    spoiled(models[0], conv="penalty-gradient-missing")
    found = {finding.layer: finding.identifier
             for finding in compare.check(*models, *examples.batch()).diagnosis}
    assert found["conv"] == "penalty-missing", found


def normalized():
    model = examples.network(layers=[scratch.BatchNormalization(name="norm"), scratch.Flatten(),
                                     scratch.Dense(4)])
    model.layers[0].params["moving_variance"][...] = [1.5, 0.75]
    return model


def test_what_differs_at_inference_only():
    model = spoiled(normalized(), norm="batch-normalization-batch-at-inference")
    finding = compare.check(model, normalized(), *examples.batch()).cause
    assert (finding.layer, finding.identifier) == ("norm", "moving-statistics"), str(finding)
    assert "the batch's own" in finding.causes[0].detail


def test_moving_averages_that_move_wrongly():
    models = (spoiled(normalized(), norm="batch-normalization-moving-variance-unbiased"),
              normalized())
    finding = compare.check(*models, *examples.batch()).cause
    assert (finding.tensor, finding.identifier) == (
        "moving_variance_updated", "moving-statistics"), str(finding)
    traces = [compare.record(network, *examples.batch()) for network in models]
    assert compare.diff(*traces).cause.identifier == "moving-statistics"


def test_diagnose_in_one_call():
    findings = compare.diagnose(spoiled(examples.network(), pool="max-pooling2d-ties-last"),
                                examples.network(), *examples.batch())
    assert [finding.identifier for finding in findings] == ["pool-ties"]


def test_a_keras_layer_that_is_off_is_said_to_be(keras):
    import reference

    model = examples.network()
    twin = reference.from_config(model.get_config(), model.get_compile_config())
    twin.set_weights(model.get_weights())
    dense = next(layer for layer in twin.layers if layer.name == "dense")
    right = dense.call
    dense.call = lambda inputs, training=None: right(inputs) + dense.bias
    report = compare.check(model, twin, *examples.batch())
    finding = report.cause
    assert (finding.side, finding.layer, finding.identifier) == (
        "reference", "dense", "bias-doubled"), str(report)
    assert finding.sentence.startswith("Keras is the one that is off")


def test_an_optimizer_that_forgets_shows_in_later_steps_and_is_named(keras):
    import reference

    def emptied(self, right, gradients, variables):
        """Loses its momentum after each step."""
        right(gradients, variables)
        for momentum in self.momentums:
            momentum[...] = 0

    model = spoiled(examples.network(optimizer=scratch.SGD(0.1, momentum=0.9)),
                    optimizer=lambda optimizer: patched(optimizer, apply=emptied))
    right = examples.network(optimizer=scratch.SGD(0.1, momentum=0.9))
    twin = reference.from_config(right.get_config(), right.get_compile_config())
    twin.set_weights(right.get_weights())
    report = compare.check(model, twin, *examples.batch())
    assert {row.gate for row in report.rows if not row.passed} == {"update", "lockstep"}
    assert report.first_failure.tensor == "kernel momentum at iteration 0"
    assert report.cause.identifier == "optimizer-state", str(report)


@pytest.mark.parametrize("layer, make, batch, which", [
    ("add", residual, images, 0), ("add", residual, images, 1), ("multiply", gated, features, 0),
    ("multiply", gated, features, 1)], ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_recorded_gradient_of_one_of_several_inputs(layer, make, batch, which):
    """Of a recording one gradient of a merging layer is doubled: it is off by a factor of 2."""
    x, y = batch()[:2]
    right = compare.record(make(), x, y)
    wrong = compare.record(make(), x, y, noise=noise_of(right))
    part = next(part for part in wrong.parts if part.layer == layer)
    part.input_gradient = tuple(2 * g if i == which else g
                                for i, g in enumerate(part.input_gradient))
    report = compare.diff(wrong, right)
    finding = report.cause
    assert (finding.layer, finding.tensor) == (layer, f"input_gradient_{which + 1}"), str(report)
    assert finding.identifier == "scale" and "by 2" in finding.causes[0].detail, str(finding)


@pytest.mark.parametrize("picked, words", [
    (lambda dy: dy[0, 0, 0], "first of the samples and axis 1 and axis 2"),
    (lambda dy: dy[-1, -1, -1], "last of the samples and axis 1 and axis 2"),
    (lambda dy: dy[:, 0, 0].sum(axis=0), "first of axis 1 and axis 2"),
    (lambda dy: dy[:, :, -1].sum(axis=(0, 1)), "last of axis 2"),
    (lambda dy: dy[0, 0].sum(axis=0), "first of the samples and axis 1"),
], ids=["first", "last", "first pixel", "last column", "first row"])
def test_a_bias_gradient_of_a_few_pixels(picked, words):
    """It takes the gradient at some places only, in place of the sum over all of them."""
    class Untied(scratch.Conv2D):
        def backward(self, dy, wants_input_gradient=True):
            dx = super().backward(dy, wants_input_gradient)
            self.grads["bias"] = np.array(picked(dy), dy.dtype)
            return dx

    models = [examples.network(layers=[cls(3, (3, 2), name="conv"), scratch.Flatten(),
                                       scratch.Dense(4)])
              for cls in (Untied, scratch.Conv2D)]
    finding = compare.check(*models, *examples.batch()).cause
    assert (finding.layer, finding.tensor, finding.identifier) == (
        "conv", "bias_gradient", "bias-untied"), str(finding)
    assert words in finding.causes[0].detail, str(finding)
