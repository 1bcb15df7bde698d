"""Operations between layers: right ones pass every gate, a mistake in one is found at its place."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from scratch import operations as ops
from tests.compare.support.faults import scaled, spoiled
from tests.compare.support.graphs import finished

SHAPE = (4, 3, 2)


def moved(a, b):
    """Of shape (4, 3, 2), as a and b, by operations that put numbers elsewhere."""
    turned = ops.TransposeOperation([0, 3, 1, 2])(a)
    yield ops.MoveaxisOperation(1, 3)(turned)
    yield ops.SwapaxesOperation(1, 2)(ops.SwapaxesOperation(2, 1)(b))
    yield ops.SqueezeOperation(2)(ops.ExpandDimsOperation(2)(a))
    yield ops.UnstackOperation(axis=1, place=1)(
        ops.StackOperation(axis=1, operands=[None] * 2)([a, b]))
    first, second = (ops.SplitOperation([1], axis=2, place=k, name=f"cut:{k}")(b) for k in (0, 1))
    yield ops.ConcatenateOperation(axis=2)([second, first])
    yield ops.PadOperation([[0, 0], [1, 1], [0, 0], [0, 0]], "reflect")(a)[:, 1:-1]
    yield ops.PadOperation([[0, 0], [0, 0], [2, 0], [0, 0]], constant_values=0.5)(a)[..., :3, :]
    yield ops.FlipOperation(2)(ops.RollOperation([1, -1], [1, 2])(b))
    yield ops.TileOperation([1, 1, 1, 2])(a)[..., 1:3]
    yield ops.RepeatOperation(2, 1)(b)[:, 1:5]
    deep = ops.ConcatenateOperation(operands=[None] * 4)([a, b, a, b])
    yield ops.SpaceToDepthOperation(2)(ops.DepthToSpaceOperation(2)(deep))[..., 3:5]
    patches = ops.ExtractPatchesOperation([2, 1], strides=[1, 1])(a)
    yield ops.ResizeOperation([4, 3])(patches)[..., 1:3]


def reduced(a, b):
    """Of shape (4, 3, 2), by operations that make fewer numbers, or sums of products."""
    for kind in (ops.MaxOperation, ops.MinOperation, ops.VarOperation, ops.StdOperation,
                 ops.NormOperation):
        yield a * kind(axis=1, keepdims=True)(b)
    square = ops.MatmulOperation()([a, ops.TransposeOperation([0, 1, 3, 2])(b)])  # (4, 3, 3)
    yield square @ b
    yield ops.EinsumOperation("nhwv,nhvc->nhwc")([square, a])


def network(dtype="float32"):
    """Every operation, some of them called twice with a model that they stand in."""
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
    positive = ops.AbsoluteOperation()(a) + 0.5
    many += [ops.ExpOperation()(a), ops.LogOperation()(positive), ops.SqrtOperation()(positive),
             ops.RsqrtOperation()(positive), ops.SquareOperation()(a), b ** 3,
             ops.GeluOperation()(a), ops.GeluOperation(approximate=False)(b),
             ops.EluOperation(0.5)(a), ops.LeakyReluOperation(0.1)(b),
             ops.LogSigmoidOperation()(a), ops.LogSoftmaxOperation()(b),
             ops.NormalizeOperation()(a), *moved(a, b), *reduced(a, b)]
    y = ops.ConcatenateOperation(axis=3, operands=[None] * len(many))(many)
    y = y - ops.MeanOperation(axis=[1, 2], keepdims=True)(y)
    y = ops.ReshapeOperation([-1, 12])(ops.SumOperation(axis=-1)(y))
    model = scratch.Model(source, scratch.Dense(3, name="last")(y))
    return finished(model, "mean_squared_error", None, 1)


def batch():
    rng = np.random.default_rng(2)
    return rng.standard_normal((5, *SHAPE)), rng.standard_normal((5, 3))


def test_every_operation_is_in_the_network():
    assert {type(layer).__name__ for layer in network().layers} >= set(ops.OPERATIONS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_ones_pass_every_gate_against_keras(keras, dtype):
    model, twin = twins.twins(network(dtype))
    report = compare.check(model, twin, *batch())
    assert report, report


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
        wrong = {row.layer for row in report.rows if not row.passed
                 and row.gate not in ("whole network", "lockstep", "loss")}
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
