"""Networks specified otherwise, or with other weights: the gates before all others say so."""

import copy

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from tests.compare.support import examples
from tests.compare.support.report_rows import failed, rows_of


@pytest.fixture(scope="module")
def pair():
    return twins.twins(examples.network("inside"))


def layers(*names, **more):
    make = {
        "conv": lambda **k: scratch.Conv2D(3, (3, 2), padding="same", name="conv", **k),
        "wide": lambda **k: scratch.Conv2D(3, (2, 3), padding="same", name="conv", **k),
        "relu": lambda **k: scratch.ReLU(name="relu"),
        "flatten": lambda **k: scratch.Flatten(name="flatten"),
        "dense": lambda **k: scratch.Dense(4, name="dense", **k),
        "dense, relu": lambda **k: scratch.Dense(4, name="dense", activation="relu"),
        "strided": lambda **k: scratch.Conv2D(3, (3, 2), strides=(1, 2), padding="same",
                                              name="conv"),
    }
    return [make[name](**more.get(name, {})) for name in names]


PLAIN = ("conv", "relu", "flatten", "dense")
LOGITS = scratch.SparseCategoricalCrossentropy(from_logits=True)


def simple(*names, loss=LOGITS, optimizer=None, dtype="float32", **more):
    return examples.network(None, loss, optimizer, dtype, layers=layers(*(names or PLAIN), **more))


@pytest.mark.parametrize("candidate, reference, tensor, said", [
    (simple("conv", "flatten", "dense"), simple(), "layers", "ReLU"),
    (simple("relu", "conv", "flatten", "dense"), simple(), "layers", "'ReLU', 'Conv2D'"),
    (simple("conv", "relu", "flatten", "dense, relu"), simple(), "layers", "Dense/relu"),
    (simple(dtype="float64"), simple(), "precision", "expected float32, received float64"),
    (simple(), simple(dtype="float64"), "precision", "expected float64, received float32"),
    (simple("strided", "relu", "flatten", "dense"), simple(), "settings", "'layer 1 strides'"),
    (simple(), examples.network(None, LOGITS, layers=layers(*PLAIN[:3]) + [scratch.Dense(
        5, name="dense")]), "settings", "'layer 4 units': 5"),
    (simple("wide", "relu", "flatten", "dense"), simple(), "settings", "'layer 1 kernel_size'"),
    (simple(conv=dict(use_bias=False)), simple(), "settings", "'layer 1 use_bias': False"),
    (simple(dense=dict(trainable=False)), simple(), "settings", "'layer 4 trainable': False"),
    (simple(loss="sparse_categorical_crossentropy"), simple(), "loss", "'from_logits'"),
    (simple(optimizer=scratch.SGD(0.2)), simple(), "optimizer", "'learning_rate': 0.2"),
    (simple(optimizer=scratch.SGD(0.1, momentum=0.5)), simple(), "optimizer", "'momentum': 0.5"),
    (simple(optimizer=scratch.SGD(0.1, 0.5, True)), simple(optimizer=scratch.SGD(0.1, 0.5)),
     "optimizer", "'nesterov': True"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_networks_specified_differently_fail_at_the_first_gate(candidate, reference, tensor, said):
    report = compare.check(candidate, reference, *examples.batch(), steps=0)
    first = report.first_failure
    assert (first.gate, first.tensor) == ("network", tensor), report
    assert said in first.note, first.note
    assert tensor in report.summary() and "gate 'network'" in report.summary()
    if tensor in ("layers", "precision") or "strides" in said or "units" in said:
        assert {row.gate for row in report.rows} == {"network"}, "nothing else can be compared"


def test_the_same_network_under_other_names_is_the_same_network():
    model = examples.network("inside", layers=[
        scratch.Conv2D(3, (3, 2), padding="same", kernel_initializer="he_normal"), scratch.ReLU(),
        scratch.Flatten(), scratch.Dense(4, name="last", activation="softmax")])
    other = examples.network("inside", layers=[
        scratch.Conv2D(3, (3, 2), padding="same", name="a"), scratch.ReLU(name="b"),
        scratch.Flatten(name="c"), scratch.Dense(4, activation="softmax")])
    report = compare.check(model, twins.twins(other)[1], *examples.batch())
    assert report, report


def test_labels_of_another_kind_are_another_loss():
    x, y = examples.batch()
    candidate = simple(loss=scratch.CategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="one-hot"):
        compare.check(candidate, simple(), x, y)


def test_one_bit_of_one_weight_fails_at_the_gate_of_the_weights(pair):
    model = copy.deepcopy(pair[0])
    kernel = model.get_layer("second").params["kernel"]
    kernel[1, 2, 0, 4] = np.nextafter(kernel[1, 2, 0, 4], np.float32(np.inf))
    report = compare.check(model, pair[1], *examples.batch(), steps=0)
    first = report.first_failure
    assert (first.gate, first.name, first.index) == ("weights", "second kernel", (1, 2, 0, 4))
    assert first.over == 1 and not first.downstream and first.off == ""
    for row in report.rows:
        assert row.passed or row is first or row.downstream, "whatever else fails is explained"


def test_weights_of_another_shape_are_named(pair):
    model = simple(conv=dict(use_bias=False))
    report = compare.check(model, simple(), *examples.batch(), steps=0)
    missing = next(row for row in rows_of(report, "weights") if row.tensor == "bias"
                   and row.layer == "conv")
    assert not missing.passed and missing.note == "expected shape (3,), received nothing"
    assert ("backward", "conv", "bias_gradient") in failed(report)


class Promotes(scratch.Dense):
    """Computes in float64 and forgets to come back."""

    def affine(self, x):
        return super().affine(x).astype("float64")


def test_a_silent_promotion_is_named(pair):
    report = compare.check(examples.network("inside", dense=Promotes), pair[1], *examples.batch(),
                           steps=0)
    first = report.first_failure
    assert (first.gate, first.tensor) == ("network", "dtypes")
    assert "'dense/output': 'float64'" in first.note
