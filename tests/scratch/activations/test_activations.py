"""ReLU without arguments, Softmax and its logits: values, gradients, at 0 and far from it."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from scratch import activations
from tests.scratch.support import oracles
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import (
    DTYPES,
    EXAMPLES,
    assert_close,
    assert_exact,
    real,
    run,
    whole,
)

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(lambda rest: (2, *rest))
makers = {
    "ReLU": lambda dtype: scratch.ReLU(dtype=dtype),
    "Activation": lambda dtype: scratch.Activation("relu", dtype=dtype),
}


@pytest.mark.parametrize("maker", makers)
@EXAMPLES
@given(shapes, dtypes, layouts, seeds)
def test_relu_agrees_exactly(maker, shape, dtype, layouts, seed):
    """Whole numbers, so that many are exactly 0."""
    x, dy = whole(seed, shape, 1), real(seed + 1, shape)
    y, dx, _ = run(makers[maker](dtype), x, dy, layouts=layouts)
    expected = oracles.relu(x, dy)
    assert_exact(y, expected[0])
    assert_exact(dx, expected[1])


@pytest.mark.parametrize("name", ["linear", None])
def test_linear_changes_nothing(name):
    x, dy = real(0, (2, 3)), real(1, (2, 3))
    y, dx, _ = run(scratch.Activation(name), x, dy)
    assert_exact(y, x)
    assert_exact(dx, dy)


def softmax_bounds(z, dy, axis, u):
    """Exact softmax and gradient along `axis`, and how far rounding can take each.

    Rounding z - max(z) moves an exponential by u |z - max| of itself, exp itself is good to 4 u;
    that happens above and below the fraction line, where n terms are added.
    """
    z, dy = np.moveaxis(z, axis, -1), np.moveaxis(dy, axis, -1)
    y, dx, y_bound, dx_bound = (np.empty(z.shape) for _ in range(4))
    for where in np.ndindex(*z.shape[:-1]):
        row, upstream = z[where].tolist(), dy[where].tolist()
        p = oracles.softmax_row(row)
        spread, n = max(row) - min(row), len(row)
        relative = u * (2 * (spread + 4) + n + 1) * 1.01
        mean = sum(g * q for g, q in zip(upstream, p))
        size = sum(abs(g) * q for g, q in zip(upstream, p))
        for i, (g, q) in enumerate(zip(upstream, p)):
            y[(*where, i)], y_bound[(*where, i)] = q, relative * q
            dx[(*where, i)] = q * (g - mean)
            dx_bound[(*where, i)] = q * (abs(g) + size) * (2 * relative + (n + 3) * u) * 1.01
    return [np.moveaxis(a, -1, axis) for a in (y, dx, y_bound, dx_bound)]


@EXAMPLES
@given(shapes, st.booleans(), dtypes, layouts, seeds)
def test_softmax_along_all_axes_is_that_of_one_long_row(shape, from_the_end, dtype, layouts, seed):
    z, dy = 4 * real(seed, shape), real(seed + 1, shape)
    rank = len(shape)
    axes = list(range(1, rank))[::-1]
    layer = scratch.Softmax([a - rank for a in axes] if from_the_end else axes, dtype=dtype)
    y, dx, _ = run(layer, z, dy, layouts=layouts)
    rows = [a.reshape(shape[0], -1) for a in (z, dy)]
    expected = softmax_bounds(*rows, -1, np.finfo(dtype).eps / 2)
    y_exact, dx_exact, y_bound, dx_bound = (a.reshape(shape) for a in expected)
    assert_close(y, y_exact, y_bound, "y")
    assert_close(dx, dx_exact, dx_bound, "dx")


@EXAMPLES
@given(shapes, dtypes, layouts, seeds)
def test_log_softmax_is_the_logarithm(shape, dtype, layouts, seed):
    z, dy = 4 * real(seed, shape), real(seed + 1, shape)
    y, dx, _ = run(scratch.Activation("log_softmax", dtype=dtype), z, dy, layouts=layouts)
    p = np.apply_along_axis(lambda row: oracles.softmax_row(row.tolist()), -1, z)
    units = np.finfo(dtype).eps / 2
    assert_close(y, np.log(p), 30 * units * (1 + np.abs(z).max()), "y")
    assert_close(dx, dy - p * dy.sum(-1, keepdims=True),
                 60 * units * (1 + np.abs(z).max()) * (1 + np.abs(dy).sum(-1, keepdims=True)), "dx")


@EXAMPLES
@given(shapes, st.integers(0, 2), st.booleans(), dtypes, layouts, seeds)
def test_softmax_agrees_within_rounding(shape, axis, from_the_end, dtype, layouts, seed):
    axis = axis % (len(shape) - 1) + 1
    z, dy = 4 * real(seed, shape), real(seed + 1, shape)
    layer = scratch.Softmax(axis=axis - len(shape) if from_the_end else axis, dtype=dtype)
    y, dx, _ = run(layer, z, dy, layouts=layouts)
    expected, gradient, bound, gradient_bound = softmax_bounds(z, dy, axis,
                                                               np.finfo(dtype).eps / 2)
    assert_close(y, expected, bound, "y")
    assert_close(dx, gradient, gradient_bound, "dx")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [
    lambda dtype: scratch.Softmax(dtype=dtype),
    lambda dtype: scratch.Activation("softmax", dtype=dtype),
])
def test_softmax_of_huge_logits_neither_overflows_nor_divides_by_zero(make, dtype):
    z = np.array([[1e4, 0, -1e4], [-1e30, -1e30, -1e30], [700, 700, 0]])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y, dx, _ = run(make(dtype), z, np.ones((3, 3)))
    assert_close(y, [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], 4 * np.finfo(dtype).eps)
    assert_close(dx, np.zeros((3, 3)), 4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("axis", [[], [1, 2.0], None, 1.0, "1", True])
def test_a_softmax_axis_that_is_no_integer_is_refused(axis):
    with pytest.raises(ValueError) as error:
        scratch.Softmax(axis=axis, name="scores")
    assert "'scores'" in str(error.value) and f"Received: axis={axis!r}" in str(error.value)


@pytest.mark.parametrize("axis", [0, -3, 3, -4, [0, 1], [1, 1], [2, -1], [1, 3]])
def test_a_softmax_over_the_batch_or_no_axis_or_one_twice_is_refused(axis):
    with pytest.raises(ValueError, match=re.escape(f"Received: axis={axis}")) as error:
        scratch.Softmax(axis=axis, name="scores").build((None, 4, 5))
    assert "'scores'" in str(error.value)


@pytest.mark.parametrize("make, kind", [
    (lambda: scratch.Softmax(), "softmax"), (lambda: scratch.Softmax(axis=1), "softmax"),
    (lambda: scratch.Softmax(axis=[2]), "softmax"), (lambda: scratch.Softmax(axis=[1, 2]), None),
    (lambda: scratch.Activation("softmax"), "softmax"),
    (lambda: scratch.Activation("sigmoid"), "sigmoid"),
    (lambda: scratch.Activation("log_softmax"), None), (lambda: scratch.ReLU(), None),
    (lambda: scratch.Dense(4, activation="softmax"), "softmax"),
    (lambda: scratch.Dense(4, activation="sigmoid"), "sigmoid"),
    (lambda: scratch.Dense(4, activation={"class_name": "Softmax", "config": {"name": "p"}}),
     "softmax"),
    (lambda: scratch.Dense(4, activation={"class_name": "ReLU", "config": {"name": "softmax"}}),
     None),
    (lambda: scratch.Dense(4), None)])
def test_which_layers_keep_their_logits(make, kind):
    layer = make()
    assert layer.logits_kind == kind
    x = real(1, (2, 3, 4))
    y, _, _ = run(layer, x, real(2, (2, 3, 4)))
    if kind is None:
        assert layer.logits is None
    else:
        again = scratch.Softmax(getattr(layer, "axis", -1)) if kind == "softmax" \
            else scratch.Activation("sigmoid")
        np.testing.assert_array_equal(again.forward(layer.logits), y)


def test_a_layer_class_enters_the_activations_where_it_is_defined():
    assert list(activations.LAYERS) == ["ReLU", "LeakyReLU", "ELU", "Softmax"]

    class Twice(scratch.ReLU):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.activation = activations.Activation("twice", lambda z: 2 * z,
                                                     lambda dy, z, y: 2 * dy)

    config = {"class_name": "Twice", "config": {}}
    with pytest.raises(scratch.UnsupportedError, match="Twice"):
        scratch.Activation(config)
    try:
        assert activations.may_stand_inside(Twice) is Twice
        layer = scratch.Activation(config)
        assert layer([[-1.0, 3.0]]).tolist() == [[-2, 6]]
        assert layer.get_config()["activation"]["class_name"] == "Twice"
    finally:
        del activations.LAYERS["Twice"]
