"""Operations that move numbers, are functions of each, or make sums of products: right ones pass
every gate, and a mistake in any is found at its place."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from scratch import operations as ops
from tests.compare.checks.test_operation_mistakes import ALONE, SHAPE, batch, ended
from tests.compare.checks.test_operation_mistakes import network as arithmetic
from tests.compare.support.faults import scaled, spoiled


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
    yield ops.PadOperation([[0, 0], [2, 0], [0, 1], [0, 0]])(
        ops.SpaceToDepthOperation(2)(ops.DepthToSpaceOperation(2)(deep)))[:, 2:, 1:, 3:5]
    patches = ops.ExtractPatchesOperation([2, 1], strides=[1, 1])(a)
    yield ops.ResizeOperation([4, 3])(patches)[..., 1:3]


def computed(a, b):
    """Likewise, by functions of each number, extremes, lengths and sums of products."""
    positive = ops.AbsoluteOperation()(a) + 0.5
    yield from (ops.ExpOperation()(a), ops.LogOperation()(positive), ops.SqrtOperation()(positive),
                ops.RsqrtOperation()(positive), ops.SquareOperation()(a), b ** 3,
                ops.GeluOperation()(a), ops.GeluOperation(approximate=False)(b),
                ops.EluOperation(0.5)(a), ops.LeakyReluOperation(0.1)(b),
                ops.LogSigmoidOperation()(a), ops.LogSoftmaxOperation()(b),
                ops.NormalizeOperation()(a))
    for kind in (ops.MaxOperation, ops.MinOperation, ops.VarOperation, ops.StdOperation,
                 ops.NormOperation):
        yield a * kind(axis=1, keepdims=True)(b)
    square = ops.MatmulOperation()([a, ops.TransposeOperation([0, 1, 3, 2])(b)])  # (4, 3, 3)
    yield square @ b
    yield ops.EinsumOperation("nhwv,nhvc->nhwc")([square, a])


def network(parts, dtype="float32"):
    """A model of two convolutions and what `parts` makes of them."""
    source = scratch.Input(SHAPE, dtype=dtype)
    a, b = (scratch.Conv2D(2, (3, 2), padding="same", name=n)(source) for n in "ab")
    many = list(parts(a, b))
    return ended(source, ops.ConcatenateOperation(axis=3, operands=[None] * len(many))(many))


def test_every_operation_is_in_a_network():
    layers = [*arithmetic().layers, *network(moved).layers, *network(computed).layers]
    assert {type(layer).__name__ for layer in layers} >= {
        name for name, kind in ops.OPERATIONS.items()
        if kind.__module__ != "scratch.operations.choices"}  # tests/compare/checks/test_choices.py


@pytest.mark.sampled(3)
@pytest.mark.parametrize("parts, dtype", [(moved, "float32"), (computed, "float32"),
                                          (computed, "float64")])
def test_right_ones_pass_every_gate_against_keras(keras, parts, dtype):
    model, twin = twins.twins(network(parts, dtype))
    report = compare.check(model, twin, *batch())
    assert report, report


@pytest.mark.sampled(2)
@pytest.mark.parametrize("parts", [moved, computed])
@pytest.mark.parametrize("tensor", ["output", "input_gradient"])
def test_a_mistake_in_each_is_found_at_its_place(parts, tensor):
    right = compare.record(network(parts), *batch())
    model = network(parts)
    names = {layer.name for layer in model.layers if isinstance(layer, ops.Operation)
             and not (tensor == "input_gradient" and layer.merges)}
    report = compare.check(spoiled(model, **{
        name: scaled(tensor, 1 + 1e-5) for name in names}), right)
    wrong = {row.layer for row in report.rows if not row.passed and row.gate not in ALONE}
    assert wrong == names, report


def test_a_maximum_whose_ties_are_not_shared_is_named(keras):
    x = scratch.Input((4, 3))
    model = scratch.Model(x, ops.MaxOperation(axis=1, name="most")(scratch.ReLU()(x)))
    twin = compare.twin(model)
    most = model.layers[-1]

    def to_the_first(dy, wants_input_gradient=True):
        first = np.arange(4)[:, None] == most._x.argmax(axis=1)[:, None, :]
        return first * np.expand_dims(dy, 1)

    most.backward = to_the_first
    batch_of_five = np.random.default_rng(0).standard_normal((5, 4, 3))
    report = compare.check(model, twin, batch_of_five, steps=0)
    assert report.first_failure.layer == "most"
    assert report.cause.identifier == "pool-ties", report
