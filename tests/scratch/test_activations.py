"""ReLU, Softmax and Activation: values, gradients, and what happens at 0 and far from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch import oracles
from tests.scratch.cases import dtypes, layouts, seeds
from tests.scratch.checks import (DTYPES, EXAMPLES, assert_close, assert_exact, real, run, whole)

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


@pytest.mark.parametrize("axis", [[1, 2], None, 1.0, "1", True])
def test_a_softmax_axis_that_is_no_integer_is_refused(axis):
    with pytest.raises(ValueError) as error:
        scratch.Softmax(axis=axis, name="scores")
    assert "'scores'" in str(error.value) and f"Received: axis={axis!r}" in str(error.value)


@pytest.mark.parametrize("axis", [0, -3, 3, -4])
def test_a_softmax_over_the_batch_or_no_axis_is_refused(axis):
    with pytest.raises(ValueError, match=f"'scores'.*Received: axis={axis}"):
        scratch.Softmax(axis=axis, name="scores").build((None, 4, 5))


@pytest.mark.parametrize("activation", ["gelu", "ReLU", 3, {"class_name": "ReLU"}])
def test_an_activation_that_is_not_known_is_refused(activation):
    for layer in (scratch.Activation, lambda a: scratch.Dense(2, activation=a)):
        with pytest.raises(scratch.UnsupportedError, match="not supported. Expected one of"):
            layer(activation)
