"""Deliberate mistakes in what a stack of layers does not have: each is found, and at its place."""

import numpy as np
import pytest

import compare
import scratch
from scratch import regularization
from tests.compare.support import graphs
from tests.compare.support.faults import put, spoiled


def report_on(model, right=None, sample_weight=None):
    x, y = graphs.images()
    return compare.check(model, right or graphs.residual(), x, y, sample_weight=sample_weight)


def failed(report):
    return [row for row in report.rows if not row.passed]


def places(report):
    return {(row.gate, row.layer, row.tensor) for row in failed(report)}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("layer, fault, gate, tensor", [
    ("norm", "batch-normalization-statistics-replaced", "update", "moving_mean"),
    ("norm", "batch-normalization-moving-variance-unbiased", "update", "moving_variance"),
    ("norm", "batch-normalization-batch-at-inference", "few terms", "output"),
    ("norm", "batch-normalization-epsilon-1e-5", "few terms", "output"),
    ("drop", "dropout-at-inference", "inference", "output"),
    ("drop", "dropout-dx-mask-missing", "whole numbers", "input_gradient"),
    ("add", "add-second-lost", "whole numbers", "input_gradient_2"),
    ("cat", "concatenate-other-order", "whole numbers", "output"),
])
def test_a_mistake_in_a_layer(layer, fault, gate, tensor):
    report = report_on(spoiled(graphs.residual(), **{layer: fault}))
    first = report.first_failure
    assert (first.gate, first.layer, first.tensor) == (gate, layer, tensor), report
    assert first.off == "candidate"
    wholes = ("whole network", "lockstep")
    assert {row.layer for row in failed(report) if row.gate not in wholes} == {layer}


def test_what_is_wrong_at_inference_alone_shows_at_the_inference_gate():
    x, y = graphs.images()
    for layer, fault in (("norm", "batch-normalization-batch-at-inference"),
                         ("drop", "dropout-at-inference")):
        model = spoiled(graphs.residual(), **{layer: fault})
        report = compare.check(model, graphs.residual(), x, y, probes=False)
        assert report.first_failure.gate == "inference", report
        assert {row.gate for row in failed(report)} == {"inference", "whole network"}
        assert {row.tensor for row in failed(report)} == {"output", "inference"}


def test_a_wrong_penalty_is_one_of_loss_and_gradient():
    report = report_on(spoiled(graphs.residual(), first="penalty-gradient-halved"))
    assert ("backward", "first", "kernel_gradient") in places(report)
    assert report.first_failure.gate == "backward"
    report = report_on(spoiled(graphs.residual(), first="penalty-root"))
    assert places(report) == {("loss", "loss", "value"), ("extremes", "first", "penalty"),
                              ("whole network", "loss", "value")}


def test_wrong_wiring_between_right_layers_is_seen_in_the_whole_network():
    report = report_on(put(graphs.residual(), "training-fork-overwritten"))
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


def deep(blocks=5):
    """So many normalizations one after the other that no bound on the whole holds."""
    source = x = scratch.Input((9, 8, 8))
    for i in range(blocks):
        y = scratch.BatchNormalization(name=f"norm{i}")(x)
        y = scratch.Conv2D(8, 3, padding="same", activation="relu", name=f"conv{i}")(y)
        x = scratch.Add(name=f"add{i}")([x, y])
    x = scratch.GlobalAveragePooling2D()(x)
    return graphs.finished(scratch.Model(source, scratch.Dense(4, activation="softmax")(x)),
                           "sparse_categorical_crossentropy", None, 1)


@pytest.mark.parametrize("faults, tensors", [
    ([], []), (["training-fork-overwritten"], ["gradient wiring"])])
def test_wiring_is_seen_where_the_bounds_on_the_whole_see_nothing(faults, tensors):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((5, 9, 8, 8)), rng.integers(0, 4, 5)
    report = compare.check(put(deep(), *faults), deep(), x, y)
    kernel = next(row for row in report.rows if row.gate == "whole network"
                  and row.name == "conv0 kernel_gradient")
    assert kernel.allowed > 100  # far more than any gradient is
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


def test_weights_of_samples_that_are_ignored():
    x, y, weight = graphs.features()
    model = spoiled(graphs.gated(), loss="loss-weights-ignored")
    report = compare.check(model, graphs.gated(), x, y, sample_weight=weight)
    assert report.first_failure.gate == "loss", report
    assert {row.tensor for row in failed(report) if row.gate == "loss"} == {"value", "gradient"}


def test_gradients_clipped_one_by_one_in_place_of_together():
    right = graphs.residual(optimizer=scratch.SGD(0.1, global_clipnorm=0.5))
    assert report_on(right, graphs.residual(optimizer=scratch.SGD(0.1, global_clipnorm=0.5)))
    wrong = graphs.residual(optimizer=scratch.SGD(0.1, global_clipnorm=0.5))
    report = report_on(spoiled(wrong, optimizer="optimizer-global-clipnorm-each"), right)
    assert report.first_failure.gate == "update", report
    assert {row.gate for row in failed(report)} == {"update"}
