"""A report names causes: for each failing layer, on either side, of what can be run and of traces.
"""

import json

import numpy as np
import pytest

import compare
import scratch
from compare.document.plain_json import dumps
from compare.tracing.noise import noise_of
from tests.compare.support import examples, mistakes
from tests.compare.support.faults_of_pooling import Moves
from tests.compare.support.faulty import altered
from tests.compare.support.graphs import features, gated, images, residual

DX = "input_gradient"


def checked(twin=None, optimizer=None, loss=None, **changed):
    """The report on the network of `examples` with these classes changed, against a right one."""
    options = {} if loss is None else {"loss": loss}
    model = examples.network(optimizer=optimizer, **options, **changed)
    return compare.check(model, twin or examples.network(), *examples.batch())


@pytest.mark.parametrize("layer, tensor, cause, changed", [
    ("conv", "output", "kernel-flipped", dict(conv=mistakes.Flipped)),
    ("second", DX, "overlap-overwritten", dict(second=mistakes.Overwrites)),
    ("dense", "kernel_gradient", "scale", dict(dense=mistakes.DividedTwice)),
    ("dense", DX, "update-before-gradient", dict(dense=mistakes.UpdatedTooEarly)),
    ("pool", DX, "pool-ties", dict(pool=mistakes.LastMaximum)),
    ("relu", DX, "mask-wrong-tensor", dict(relu=mistakes.MaskFromGradient)),
    ("flatten", "output", "flatten-order", dict(flatten=mistakes.ChannelsFirst)),
    ("softmax", "output", "softmax-axis", dict(softmax=mistakes.OverAllSamples)),
    ("loss", "value", "loss-sum-for-mean", dict(loss=mistakes.Sum())),
    ("loss", "gradient", "loss-sum-for-mean", dict(loss=mistakes.GradientNotDivided())),
    ("conv", "kernel", "update-sign", dict(optimizer=mistakes.WrongSign(0.1))),
], ids=lambda each: each if isinstance(each, str) else "")
def test_first_cause(layer, tensor, cause, changed):
    report = checked(**changed)
    finding = report.cause
    named = finding.layer, finding.tensor, finding.identifier
    assert named == (layer, tensor, cause), str(report)
    assert finding.side == "candidate"
    assert f"Cause: {layer} {tensor}: {cause}: " in str(report)


def test_dense_behind_a_flatten_knows_the_image():
    order = np.arange(15).reshape(3, 1, 5).transpose(2, 0, 1).reshape(-1)
    turned = altered(scratch.Dense, "output",
                     lambda s, y: s.seen_x @ s.kernel[order] + s.bias)
    finding = checked(dense=turned).cause
    assert (finding.layer, finding.identifier) == ("dense", "flatten-order"), str(finding)


def test_each_failing_layer_has_its_own_finding():
    report = checked(conv=mistakes.GradientFlipped, dense=mistakes.BiasDoubled,
                     pool=mistakes.LastMaximum)
    found = {finding.layer: finding.identifier for finding in report.diagnosis}
    assert found == {"conv": "kernel-flipped", "dense": "bias-doubled", "pool": "pool-ties"}


def test_findings_are_in_the_json():
    report = checked(dense=mistakes.BiasDoubled)
    finding, = json.loads(dumps(report.as_dict()))["findings"]
    assert finding["identifier"] == "bias-doubled" and finding["layer"] == "dense"
    assert finding["remedy"] and finding["sentence"]


def test_parity_has_no_cause():
    report = checked()
    assert report and report.cause is None and report.diagnosis == []
    assert "Cause" not in str(report)


def test_a_reference_that_is_off_is_said_to_be():
    report = checked(twin=examples.network(dense=mistakes.BiasDoubled))
    finding = report.cause
    assert (finding.side, finding.layer, finding.identifier) == (
        "reference", "dense", "bias-doubled"), str(report)
    assert "Keras is the one that is off" in finding.sentence


@pytest.mark.parametrize("cause, changed", [
    ("kernel-flipped", dict(conv=mistakes.Flipped)),
    ("bias-doubled", dict(dense=mistakes.BiasDoubled))], ids=["conv", "dense"])
def test_two_recordings_are_explained_by_their_own_numbers(cause, changed):
    x, y = examples.batch()
    traces = [compare.record(examples.network(**some), x, y) for some in (changed, {})]
    finding = compare.diff(*traces).cause
    assert finding.identifier == cause, str(finding)


def test_numbers_too_plain_to_tell_two_mistakes_apart_leave_it_ambiguous():
    """On an image that looks the same upside down, a turned kernel turns the output around."""
    layers = [scratch.Conv2D(2, 3, name="conv"), scratch.Flatten(), scratch.Dense(4)]
    wrong = [mistakes.Flipped(2, 3, name="conv"), scratch.Flatten(), scratch.Dense(4)]
    x, y = examples.batch()
    x = x + x[:, ::-1, ::-1]
    traces = [compare.record(examples.network(end=None, layers=some), x, y)
              for some in (wrong, layers)]
    finding = compare.diff(*traces).cause
    assert finding.identifier == "kernel-flipped"
    assert ("axes-permuted",) in [tuple(c.identifier for c in causes)
                                  for causes in finding.alternatives], str(finding)
    # with numbers that are drawn for the purpose there is one cause only
    models = [examples.network(end=None, layers=some) for some in (wrong, layers)]
    assert compare.check(*models, x, y).cause.alternatives == ()


def test_a_penalty_that_is_left_out_of_a_gradient():
    def layers(cls):
        return [cls(3, (3, 2), kernel_regularizer="l2", name="conv"), scratch.Flatten(),
                scratch.Dense(4, name="dense")]

    class Unpenalised(scratch.Conv2D):
        """Loses its regularizer when it is asked for the gradient's part."""

        @property
        def regularizers(self):
            return {}

        @regularizers.setter
        def regularizers(self, value):
            self.kept = value

        def get_config(self):
            kept = scratch.regularizers.serialize(self.kept["kernel"])
            return {**super().get_config(), "kernel_regularizer": kept}

    models = [examples.network(end=None, layers=layers(cls))
              for cls in (Unpenalised, scratch.Conv2D)]
    found = {finding.layer: finding.identifier
             for finding in compare.check(*models, *examples.batch()).diagnosis}
    assert found["conv"] == "penalty-missing", found


def test_what_differs_at_inference_only():
    class AlwaysByBatch(scratch.BatchNormalization):
        """Never uses its moving averages."""

        def forward(self, x, training=False):
            kept = {name: self.params[name].copy() for name in self.non_trainable}
            y = super().forward(x, True)
            if not training:
                for name, value in kept.items():
                    self.params[name][...] = value
            return y

    models = [examples.network(layers=[cls(name="norm"), scratch.Flatten(), scratch.Dense(4)])
              for cls in (AlwaysByBatch, scratch.BatchNormalization)]
    for model in models:
        model.layers[0].params["moving_variance"][...] = [1.5, 0.75]
    finding = compare.check(*models, *examples.batch()).cause
    assert (finding.layer, finding.identifier) == ("norm", "moving-statistics"), str(finding)
    assert "the batch's own" in finding.causes[0].detail


def test_moving_averages_that_move_wrongly():
    def model(**mistake):
        cls = Moves if mistake else scratch.BatchNormalization
        return examples.network(layers=[cls(**mistake, name="norm"), scratch.Flatten(),
                                        scratch.Dense(4)])

    models = model(unbiased=True), model()
    for network in models:
        network.layers[0].params["moving_variance"][...] = [1.5, 0.75]
    finding = compare.check(*models, *examples.batch()).cause
    assert (finding.tensor, finding.identifier) == (
        "moving_variance_updated", "moving-statistics"), str(finding)
    traces = [compare.record(network, *examples.batch()) for network in models]
    assert compare.diff(*traces).cause.identifier == "moving-statistics"


def test_diagnose_in_one_call():
    findings = compare.diagnose(examples.network(pool=mistakes.LastMaximum), examples.network(),
                                *examples.batch())
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


def test_an_optimizer_that_forgets_shows_in_lockstep_and_is_named(keras):
    import reference

    class Empties(scratch.SGD):
        """Loses its momentum after each step."""

        def apply(self, gradients, variables):
            super().apply(gradients, variables)
            for momentum in self.momentums:
                momentum[...] = 0

    model = examples.network(optimizer=Empties(0.1, momentum=0.9))
    right = examples.network(optimizer=scratch.SGD(0.1, momentum=0.9))
    twin = reference.from_config(right.get_config(), right.get_compile_config())
    twin.set_weights(right.get_weights())
    report = compare.check(model, twin, *examples.batch())
    assert {row.gate for row in report.rows if not row.passed} == {"lockstep"}
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
