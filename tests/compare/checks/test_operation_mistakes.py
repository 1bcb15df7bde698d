"""Arithmetic and activations between layers: right ones pass every gate, a mistake in one is found
at its place."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from scratch import operations as ops
from tests.compare.support.faults import scaled, spoiled
from tests.compare.support.graphs import finished

SHAPE = (4, 3, 2)
ALONE = ("whole network", "lockstep", "loss")  # gates in which layers read what others made


def network(dtype="float32"):
    """Operations, some of them called twice with a model that they stand in; all others are in
    `test_more_operation_mistakes`."""
    x = scratch.Input(SHAPE, dtype=dtype)
    base = scratch.Model(x, ops.Relu6Operation(name="relu6")(x * 3.0 + 3.0) * (1 / 6), name="base")
    source = scratch.Input(SHAPE, dtype=dtype)
    a, b = (scratch.Conv2D(2, (3, 2), padding="same", name=n)(base(source)) for n in "ab")
    many = [a + b, 0.5 - a, a * b, a / (ops.SoftplusOperation()(b) + 0.25), -b, 1.0 / base(b + 2.0),
            ops.MaximumOperation()([a, b]), ops.MinimumOperation(operands=[None, 0.5])(b),
            ops.DivideOperation(operands=[None, 3.0])(a), ops.ClipOperation(-0.5, 0.75)(a),
            *(ops.OPERATIONS[f"{name}Operation"]()(a) for name in (
                "Relu", "Selu", "Sigmoid", "Tanh", "Silu", "HardSigmoid", "HardSilu", "Softsign",
                "Softmax"))]
    y = ops.ConcatenateOperation(axis=3, operands=[None] * len(many))(many)
    return ended(source, y - ops.MeanOperation(axis=[1, 2], keepdims=True)(y))


def ended(source, y):
    """A compiled model of what reads y, (4, 3, any)."""
    y = ops.ReshapeOperation([-1, 12])(ops.SumOperation(axis=-1)(y))
    model = scratch.Model(source, scratch.Dense(3, name="last")(y))
    return finished(model, "mean_squared_error", None, 1)


def batch():
    rng = np.random.default_rng(2)
    return rng.standard_normal((5, *SHAPE)), rng.standard_normal((5, 3))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_ones_pass_every_gate_against_keras(keras, dtype):
    model, twin = twins.twins(network(dtype))
    report = compare.check(model, twin, *batch())
    assert report, report


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [layer.name for layer in network().layers
                                  if isinstance(layer, ops.Operation)])
def test_a_mistake_is_found_at_its_place(name):
    right = compare.record(network(), *batch())
    for tensor in ("output", "input_gradient"):
        layer = next(layer for layer in network().layers if layer.name == name)
        if tensor == "input_gradient" and layer.merges:
            continue  # a list of them
        model = spoiled(network(), **{name: scaled(tensor, 1 + 1e-5)})
        report = compare.check(model, right)
        wrong = {row.layer for row in report.rows if not row.passed and row.gate not in ALONE}
        assert wrong == {name}, report


def test_another_number_is_another_network():
    def model(number):
        x = scratch.Input((3,))
        return scratch.Model(x, scratch.Dense(2, name="d")(x) * number)

    x = np.ones((2, 3))
    right = model(0.5)
    wrong = model(0.25)
    wrong.set_weights(right.get_weights())
    report = compare.check(wrong, right, x, upstream=np.ones((2, 2)))
    assert report.first_failure.tensor == "settings"
    assert "operands" in report.first_failure.note
