"""Comparisons and choices between layers: a right network passes, a mistake is found, and rounding
that may turn a comparison over is allowed for."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")


def network():
    import keras

    K, ops = keras.layers, keras.ops
    keras.utils.set_random_seed(3)
    x = keras.Input((4, 3))
    a = K.Dense(2, name="a", bias_initializer="random_normal")(x)
    b = K.Dense(2, name="b", bias_initializer="random_normal")(x)
    y = ops.where(ops.logical_and(a > b, ops.less_equal(b, 0.5)), a, 2 * b)
    y = y + ops.cast(ops.greater_equal(a, 0.25), "float32") * b + ops.stop_gradient(a) * y
    y = ops.where(ops.logical_not(ops.equal(a, b)), y, 0.0)
    model = keras.Model(x, K.Dense(2, name="end", activation="softmax")(K.Flatten()(y)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def pair(keras):
    return twins.twins(network())


def batch():
    return (np.random.default_rng(0).standard_normal((5, 4, 3)).astype("float32"),
            np.array([0, 1, 1, 0, 1]))


def test_a_right_one_passes_every_gate(pair):
    report = compare.check(*pair, *batch())
    assert report, report
    kinds = {type(layer).__name__ for layer in pair[0].layers}
    assert {"WhereOperation", "CastOperation", "LogicalAndOperation", "EqualOperation",
            "StopGradientOperation", "LogicalNotOperation"} <= kinds


def swapped(layer, right, dy, *more):
    """The gradients of the two choices exchanged."""
    none, a, b = right(dy, *more)
    return [none, b, a]


def passed_on(layer, right, dy, *more):
    """A stop that stops nothing."""
    return dy


def ties_too(layer, right, x, training=False):
    """a >= b where a > b is asked for."""
    return (x[0] >= x[1]).astype(x[0].dtype)


def other_way(layer, right, x, training=False):
    """What is not to be chosen."""
    return right([1 - x[0], *x[1:]])


@pytest.mark.parametrize("kind, method, wrong, tensor", [
    ("WhereOperation", "backward", swapped, "input_gradient_2"),
    ("WhereOperation", "forward", other_way, "output"),
    ("GreaterOperation", "forward", ties_too, "output"),
    ("StopGradientOperation", "backward", passed_on, None)])
def test_a_mistake_is_found(pair, kind, method, wrong, tensor):
    right, twin = pair
    model = scratch.model_from_config(right.get_config())
    model.set_weights(right.get_weights())
    model.compile("sgd", "sparse_categorical_crossentropy")
    layer = next(each for each in model.layers if type(each).__name__ == kind)
    own = getattr(layer, method)
    setattr(layer, method, lambda *given: wrong(layer, own, *given))
    report = compare.check(model, twin, *batch(), steps=0)
    found = {(row.layer, row.tensor) for row in report.rows if not row.passed}
    assert not report
    if tensor is not None:
        assert (layer.name, tensor) in found, report


@pytest.mark.parametrize("kind, value, turned", [
    ("Greater", 1, True), ("Less", 0, True), ("Equal", 0, True), ("NotEqual", 1, True)])
def test_rounding_may_turn_a_comparison_over_where_it_is_close(kind, value, turned):
    a = Bounded(np.array([[1.0, 5.0]]), FLOAT32, np.array([[1e-3, 1e-3]]))
    b = Bounded(np.array([[0.9995, 1.0]]), FLOAT32)
    made = oracle_for(f"{kind}Operation", {"operands": [None, None]}).forward([a, b], {})
    assert made.value[0, 0] == value
    assert made.bound.tolist() == [[1.0, 0.0]]


def test_a_choice_may_be_the_other_one_where_its_condition_may_be_turned_over():
    condition = Bounded(np.array([[1.0, 1.0]]), FLOAT32, np.array([[1.0, 0.0]]))
    a, b = (Bounded(np.array([[x, x]]), FLOAT32) for x in (3.0, -1.0))
    oracle = oracle_for("WhereOperation", {"operands": [None, None, None]})
    made = oracle.forward([condition, a, b], {})
    assert made.value.tolist() == [[3.0, 3.0]] and made.bound.tolist() == [[4.0, 0.0]]
    (none, da, db), _ = oracle.backward(Bounded(np.array([[2.0, 2.0]]), FLOAT32))
    assert da.value.tolist() == [[2.0, 2.0]] and db.value.tolist() == [[0.0, 0.0]]
    assert da.bound.tolist() == db.bound.tolist() == [[2.0, 0.0]] and not none.value.any()


def test_by_definition():
    x = np.array([[0.0, 1.0, -2.0, np.nan]])
    y = np.array([[0.0, 2.0, -3.0, 1.0]])
    ops = scratch.operations
    for kind, want in (("Greater", [0, 0, 1, 0]), ("GreaterEqual", [1, 0, 1, 0]),
                       ("Less", [0, 1, 0, 0]), ("LessEqual", [1, 1, 0, 0]),
                       ("Equal", [1, 0, 0, 0]), ("NotEqual", [0, 1, 1, 1])):
        layer = getattr(ops, f"{kind}Operation")()
        assert layer.forward([x, y]).tolist() == [want]
        assert layer.backward(x) == [None, None]
    layer = ops.WhereOperation()
    condition = np.array([[1.0, 0.0, 1.0, 0.0]])
    assert layer.forward([condition, x, y]).tolist() == [[0.0, 2.0, -2.0, 1.0]]
    none, da, db = layer.backward(np.array([[1.0, 2.0, 3.0, 4.0]]))
    assert none is None
    assert da.tolist() == [[1.0, 0.0, 3.0, 0.0]] and db.tolist() == [[0.0, 2.0, 0.0, 4.0]]
