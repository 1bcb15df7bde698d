"""predict and evaluate as people call them are held against the layers one after another."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks import entry_points
from compare.inputs import twins
from tests.compare.support import examples


def found(model, twin, *batch, **options):
    trace = compare.record(twin, *batch, **options)
    return {row.tensor: row for row in entry_points.rows(model, twin, trace)}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("jit_compile", [True, False])
def test_right_networks_hold(dtype, jit_compile):
    model = scratch.Sequential([
        scratch.Input((5, 4, 2)),
        scratch.Conv2D(3, (2, 3), kernel_regularizer="l2", activity_regularizer="l1"),
        scratch.BatchNormalization(), scratch.Dropout(0.5), scratch.Flatten(),
        scratch.Dense(4, activation="softmax")], dtype=dtype)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(3)
    model.set_weights([rng.random(w.shape) + 0.5 for w in model.get_weights()])
    x, y = rng.standard_normal((3, 5, 4, 2)), rng.integers(0, 4, 3)
    twin = twins.twins(model)[1]
    twin.jit_compile = jit_compile
    rows = found(model, twin, x, y, sample_weight=np.array([0.5, 2, 1]))
    assert list(rows) == ["predict", "evaluate loss"]  # a network that draws makes no epochs
    for row in rows.values():
        assert row.passed and row.gate == "whole network" and row.layer == "network"
        assert 0 < row.allowed < 1e-2 and row.off == "", row
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert rows["evaluate loss"].actual == pytest.approx(
        model.evaluate(x, y, sample_weight=np.array([0.5, 2, 1]), verbose=0), rel=1e-5)


def test_a_reference_that_computes_more_than_its_layers_is_seen(keras):
    class Halved(keras.Sequential):
        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training=training, mask=mask) * 0.5

    model, twin = twins.twins(examples.network(None, loss=scratch.losses.get(
        {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}})))
    twin.__class__ = Halved
    report = compare.check(model, twin, *examples.batch())
    failed = [row for row in report.rows if not row.passed]
    assert [row.name for row in failed] == ["network predict", "network evaluate loss",
                                            "all layers weights"]
    assert {row.off for row in failed} == {"reference"}
    # a reference without a loss of its own can be called, too
    fresh = keras.Sequential.from_config(twin.get_config())
    fresh.set_weights(twin.get_weights())
    assert compare.check(model, fresh, *examples.batch())
    fresh.__class__ = Halved
    report = compare.check(model, fresh, *examples.batch())
    assert [row.name for row in report.rows if not row.passed] == ["network predict"]


@pytest.mark.parametrize("call, wrong", [
    ("predict", lambda self, x, **options: 2 * self.forward(x)),
    ("evaluate", lambda self, *batch, **options: {"loss": 0.25})])
def test_a_candidate_that_does_otherwise_is_seen(call, wrong):
    kind = type("Mine", (scratch.Sequential,), {call: wrong})
    model, twin = twins.twins(examples.network("inside"))
    model.__class__ = kind
    rows = found(model, twin, *examples.batch())
    assert {row.tensor.split()[0] for row in rows.values() if not row.passed} == {call}
    assert {row.off for row in rows.values() if not row.passed} == {"candidate"}


def test_a_call_that_raises_or_ends_python_fails():
    model, twin = twins.twins(examples.network("inside"))
    for error, said in (ValueError("no batch"), "no batch"), (SystemExit(0), "SystemExit"):
        def predict(self, x, error=error, **options):
            raise error

        model.__class__ = type("Mine", (scratch.Sequential,), {"predict": predict})
        row = found(model, twin, *examples.batch())["predict"]
        assert not row.passed and row.off == "candidate" and said in row.note


def test_neither_network_has_changed_afterwards():
    model, twin = twins.twins(examples.network("inside"))
    before = [*model.get_weights(), *twin.get_weights()]
    found(model, twin, *examples.batch())
    for a, b in zip(before, [*model.get_weights(), *twin.get_weights()], strict=True):
        np.testing.assert_array_equal(a, b)


class Spends(scratch.Sequential):
    """Each prediction costs the weights a part."""

    def predict(self, x, **options):
        made = super().predict(x, **options)
        self.set_weights([weight / 2 for weight in self.get_weights()])
        return made


def test_a_candidate_that_changes_by_being_called_is_called_in_a_copy():
    model, twin = twins.twins(examples.network("inside"))
    model.__class__ = Spends
    before = model.get_weights()
    rows = found(model, twin, *examples.batch())
    assert rows["predict"].passed and not rows["evaluate loss"].passed
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
