"""Deliberate mistakes in what a stack of layers does not have: each is found, and at its place."""

import numpy as np
import pytest

import compare
import scratch
from scratch import regularization
from scratch.network import back_through
from scratch.regularizers import L2
from tests.compare.support import graphs


def report_on(model, right=None, sample_weight=None):
    x, y = graphs.images()
    return compare.check(model, right or graphs.residual(), x, y, sample_weight=sample_weight)


def failed(report):
    return [row for row in report.rows if not row.passed]


def places(report):
    return {(row.gate, row.layer, row.tensor) for row in failed(report)}


class ForgetsItsMomentum(scratch.BatchNormalization):
    """The moving statistics are replaced, not moved."""

    def _move(self, name, batch):
        self.params[name][...] = batch.reshape(-1)


class UnbiasedVariance(scratch.BatchNormalization):
    """The moving variance is divided by n - 1."""

    def _move(self, name, batch):
        n = 5 * 6 * 5
        super()._move(name, batch * np.float32(n / (n - 1)) if "variance" in name else batch)


class BatchAtInference(scratch.BatchNormalization):
    """Normalizes by the batch at inference, too."""

    def forward(self, x, training=False):
        kept = {name: self.params[name].copy() for name in self.non_trainable}
        y = super().forward(x, True)
        if not training:
            for name, value in kept.items():
                self.params[name][...] = value
        return y


class EpsilonTooSmall(scratch.BatchNormalization):
    """Another library's epsilon."""

    def forward(self, x, training=False):
        self.epsilon, kept = 1e-5, self.epsilon
        y = super().forward(x, training)
        self.epsilon = kept  # the settings say nothing of it
        return y


class DropsAtInference(scratch.Dropout):
    """Drops at inference, too."""

    def forward(self, x, training=False):
        return super().forward(x, True)


class GradientUndropped(scratch.Dropout):
    """The gradient passes by the noise."""

    def combine_backward(self, dy, noise):
        return dy


class SecondGradientLost(scratch.Add):
    """The second input gets no gradient."""

    def backward(self, dy, wants_input_gradient=True):
        first, second = super().backward(dy)
        return [first, 0 * second]


class OtherOrder(scratch.Concatenate):
    """The inputs are put together the other way round."""

    def forward(self, x, training=False):
        super().forward(x, training)
        return np.concatenate(x[::-1], axis=-1)


@pytest.mark.parametrize("role, mistake, gate, layer, tensor", [
    ("norm", ForgetsItsMomentum, "update", "norm", "moving_mean"),
    ("norm", UnbiasedVariance, "update", "norm", "moving_variance"),
    ("norm", BatchAtInference, "few terms", "norm", "output"),
    ("norm", EpsilonTooSmall, "few terms", "norm", "output"),
    ("drop", DropsAtInference, "inference", "drop", "output"),
    ("drop", GradientUndropped, "whole numbers", "drop", "input_gradient"),
    ("add", SecondGradientLost, "whole numbers", "add", "input_gradient_2"),
    ("cat", OtherOrder, "whole numbers", "cat", "output"),
], ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_mistake_in_a_layer(role, mistake, gate, layer, tensor):
    report = report_on(graphs.residual(**{role: mistake}))
    first = report.first_failure
    assert (first.gate, first.layer, first.tensor) == (gate, layer, tensor), report
    assert first.off == "candidate"
    wholes = ("whole network", "lockstep")
    where = {row.layer for row in failed(report) if row.gate not in wholes}
    assert where <= {layer, "norm", "other_norm"} if role == "norm" else where == {layer}


def test_what_is_wrong_at_inference_alone_shows_at_the_inference_gate():
    x, y = graphs.images()
    for changed in (dict(norm=BatchAtInference), dict(drop=DropsAtInference)):
        report = compare.check(graphs.residual(**changed), graphs.residual(), x, y, probes=False)
        assert report.first_failure.gate == "inference", report
        assert {row.gate for row in failed(report)} == {"inference", "whole network"}
        assert {row.tensor for row in failed(report)} == {"output", "inference"}


class Halved(L2):
    """0.01 sum x^2 with the gradient 0.01 x."""

    def gradient(self, array):
        return super().gradient(array) / 2


class RootOfIt(L2):
    """The root of the penalty in place of the penalty."""

    def penalty(self, array):
        return np.sqrt(super().penalty(array))


def test_a_wrong_penalty_is_one_of_loss_and_gradient():
    def conv(*args, kernel_regularizer=None, **settings):
        layer = scratch.Conv2D(*args, kernel_regularizer=kernel_regularizer, **settings)
        if kernel_regularizer is not None:
            layer.regularizers["kernel"].__class__ = wrong
        return layer

    Halved.__name__ = RootOfIt.__name__ = "L2"  # or else the settings differ
    wrong = Halved
    report = report_on(graphs.residual(conv=conv))
    assert ("backward", "first", "kernel_gradient") in places(report)
    assert report.first_failure.gate == "backward"
    wrong = RootOfIt
    report = report_on(graphs.residual(conv=conv))
    assert places(report) == {("loss", "loss", "value"), ("whole network", "loss", "value")}


class ForksOverwritten(scratch.Model):
    """Where several layers read one output, the last of their gradients stands for the sum."""

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        arrived = {len(self.layers) - 1: gradient}
        for i in reversed(range(len(self.layers))):
            back = back_through(self.layers[i], arrived[i], True,
                                from_logits and i == len(self.layers) - 1)
            for source, dx in zip(self.sources[i], back if isinstance(back, list) else [back]):
                arrived[source] = dx
        return arrived[-1]


def test_wrong_wiring_between_right_layers_is_seen_in_the_whole_network():
    report = report_on(graphs.residual(cls=ForksOverwritten))
    assert {row.gate for row in failed(report)} == {"whole network"}, report
    assert ("whole network", "first", "kernel_gradient") in places(report)
    assert ("whole network", "drop", "gradient wiring") in places(report), "the last fork"


class LeavesOut(scratch.Model):
    """The way forward goes round one layer, whose gradients are right by themselves."""

    def forward(self, x, training=False):
        outputs = {-1: self.as_input(x)}
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [outputs[source] for source in sources]
            outputs[i] = layer.forward(read if layer.merges else read[0], training)
            if layer.activity_regularizer is not None:
                layer.last_output = outputs[i]
            if layer.name == "norm":
                outputs[i] = read[0]
        return outputs[i]


def deep(cls, blocks=5):
    """So many normalizations one after the other that no bound on the whole holds."""
    source = x = scratch.Input((9, 8, 8))
    for i in range(blocks):
        y = scratch.BatchNormalization(name=f"norm{i}")(x)
        y = scratch.Conv2D(8, 3, padding="same", activation="relu", name=f"conv{i}")(y)
        x = scratch.Add(name=f"add{i}")([x, y])
    x = scratch.GlobalAveragePooling2D()(x)
    return graphs.finished(cls(source, scratch.Dense(4, activation="softmax")(x)),
                           "sparse_categorical_crossentropy", None, 1)


@pytest.mark.parametrize("cls, tensors", [
    (scratch.Model, []), (ForksOverwritten, ["gradient wiring"])])
def test_wiring_is_seen_where_the_bounds_on_the_whole_see_nothing(cls, tensors):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 9, 8, 8)), rng.integers(0, 4, 5)
    report = compare.check(deep(cls), deep(scratch.Model), x, y)
    kernel = next(row for row in report.rows if row.gate == "whole network"
                  and row.name == "conv0 kernel_gradient")
    assert kernel.allowed == np.inf and "no bound holds" in kernel.note
    assert [row.tensor for row in failed(report)] == tensors


def test_a_layer_that_is_left_out_on_the_way_forward():
    report = report_on(graphs.residual(cls=LeavesOut))
    assert ("whole network", "relu", "wiring") in places(report)
    assert {row.gate for row in failed(report)} == {"whole network"}, report


def test_a_penalty_on_outputs_that_is_not_divided_by_the_batch(monkeypatch):
    trace = compare.record(graphs.residual(), *graphs.images())
    monkeypatch.setattr(regularization, "activity_penalty",
                        lambda regularizer, output: regularizer.penalty(output))
    report = compare.check(graphs.residual(), trace)
    assert ("loss", "loss", "value") in places(report)
    monkeypatch.undo()
    monkeypatch.setattr(regularization, "activity_gradient",
                        lambda regularizer, output: regularizer.gradient(output))
    report = compare.check(graphs.residual(), trace)
    assert {row.gate for row in failed(report)} == {"whole network"}, report


class IgnoresWeights(scratch.losses.BinaryCrossentropy):
    def __init__(self, **settings):
        super().__init__(**{**settings, "name": "mistaken"})

    def weigh(self, y_true, sample_weight, dtype):
        return super().weigh(y_true, None, dtype)


def test_weights_of_samples_that_are_ignored():
    x, y, weight = graphs.features()
    report = compare.check(graphs.gated(IgnoresWeights()), graphs.gated(), x, y,
                           sample_weight=weight)
    assert report.first_failure.gate == "loss", report
    assert {row.tensor for row in failed(report) if row.gate == "loss"} == {"value", "gradient"}


class EachByItself(scratch.SGD):
    """Clips each gradient by its own norm where the norm of all is meant."""

    def apply(self, gradients, variables):
        limit = self.global_clipnorm
        self.global_clipnorm = None
        super().apply([g * np.float32(min(1, limit / np.linalg.norm(g))) for g in gradients],
                      variables)


def test_gradients_clipped_one_by_one_in_place_of_together():
    right = graphs.residual(optimizer=scratch.SGD(0.1, global_clipnorm=0.5))
    assert report_on(right, graphs.residual(optimizer=scratch.SGD(0.1, global_clipnorm=0.5)))
    wrong = graphs.residual(optimizer=EachByItself(0.1, global_clipnorm=0.5))
    report = report_on(wrong, right)
    assert report.first_failure.gate == "update", report
    assert {row.gate for row in failed(report)} == {"update"}
