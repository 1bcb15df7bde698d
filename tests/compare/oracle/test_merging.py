"""Oracles of merging layers: the loops' values, and bounds that float32 in any order respects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from compare.checks.integer_probe import amplitude
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.compare.support.oracle_checks import assert_inside
from tests.scratch.support.checks import EXAMPLES, real
from tests.scratch.support.merging import JOINED, by_loops, read_at, shapes

FLOAT32 = Rounding.of("float32")
single = np.float32


def draw_inputs(data, kind, seed, batch=2):
    """Two inputs or more of float32 numbers, and an output gradient that fits."""
    count = 2 if kind == "Subtract" else data.draw(st.integers(1, 4))
    inputs = [real(seed + i, (batch, *shape)) for i, shape in enumerate(data.draw(shapes(count)))]
    shape = getattr(scratch, kind)().compute_output_shape([x.shape for x in inputs])
    return inputs, real(seed + 9, shape)


def run(oracle, inputs, dy, errors=None):
    """(output, gradients), as `Bounded`."""
    errors = errors or [None] * len(inputs)
    x = [Bounded(value, FLOAT32, error) for value, error in zip(inputs, errors)]
    y = oracle.forward(x, {})
    gradients, weights = oracle.backward(Bounded(dy, FLOAT32))
    assert weights == {}
    return y, gradients


def in_any_order(kind, inputs, dy, rng):
    """As `by_loops`, in float32: sums and products in random orders, each operation rounded."""
    y, terms = np.zeros(dy.shape), [{} for _ in inputs]
    for place in np.ndindex(dy.shape):
        own = read_at(inputs, place)
        values = [single(x[index]) for x, index in zip(inputs, own)]
        y[place] = joined(kind, values, rng)
        for i, index in enumerate(own):
            terms[i].setdefault(index, []).append(share(kind, values, i, single(dy[place]), rng))
    gradients = []
    for x, found in zip(inputs, terms):
        gradient = np.zeros(x.shape)
        for index, summands in found.items():
            gradient[index] = folded(np.add, summands, rng)
        gradients.append(gradient)
    return y, gradients


def folded(operation, values, rng):
    """The values put together two by two in a random order, each result rounded to float32."""
    values = [values[i] for i in rng.permutation(len(values))]
    total = values[0]
    for value in values[1:]:
        total = single(operation(total, value))
    return total


def joined(kind, values, rng):
    if kind == "Multiply":
        return folded(np.multiply, values, rng)
    if kind in ("Add", "Average"):
        total = folded(np.add, values, rng)
        return total if kind == "Add" else divided(total, len(values), rng)
    return JOINED[kind](values)


def divided(value, count, rng):
    """By the number of inputs, or times its reciprocal."""
    return single(value / single(count)) if rng.integers(2) \
        else single(value * single(1 / single(count)))


def share(kind, values, i, dy, rng):
    if kind == "Multiply":
        return folded(np.multiply, [dy, *values[:i], *values[i + 1:]], rng)
    if kind == "Average":
        return divided(dy, len(values), rng)
    if kind in ("Maximum", "Minimum"):
        return dy if values.index(JOINED[kind](values)) == i else single(0)
    return -dy if kind == "Subtract" and i == 1 else dy


@pytest.mark.parametrize("kind", sorted(JOINED))
@EXAMPLES
@given(data=st.data(), seed=st.integers(0, 999))
def test_values_and_bounds_are_the_loops(data, seed, kind):
    inputs, dy = draw_inputs(data, kind, seed)
    oracle = oracle_for(kind, {})
    y, gradients = run(oracle, inputs, dy)
    expected_y, expected = by_loops(kind, inputs, dy)
    assert_inside(y, expected_y, "exact output")
    np.testing.assert_allclose(y.value, expected_y, rtol=1e-12, atol=1e-12)
    for i, gradient in enumerate(gradients):
        np.testing.assert_allclose(gradient.value, expected[i], rtol=1e-12, atol=1e-12)
    rng = np.random.default_rng(seed)
    for _ in range(2):
        found, shares = in_any_order(kind, inputs, dy, rng)
        assert_inside(y, found, "output")
        for i, gradient in enumerate(gradients):
            assert_inside(gradient, shares[i], f"gradient {i}")
    layer = getattr(scratch, kind)()
    layer.build([x.shape for x in inputs])
    assert_inside(y, layer.forward([x.astype(single) for x in inputs]), "scratch's output")
    for gradient, ours in zip(gradients, layer.backward(dy.astype(single))):
        assert_inside(gradient, ours, "scratch's gradient")


@pytest.mark.parametrize("kind", sorted(JOINED))
@EXAMPLES
@given(data=st.data(), seed=st.integers(0, 999))
def test_bounds_are_not_looser_than_the_count_of_roundings(data, seed, kind):
    """The number of terms and factors, plus the division's two, times the largest sum |terms|."""
    inputs, dy = draw_inputs(data, kind, seed)
    oracle = oracle_for(kind, {})
    y, gradients = run(oracle, inputs, dy)
    sizes = [np.abs(x) for x in inputs]
    kind_of_size = "Add" if kind == "Subtract" else kind
    magnitude, magnitudes = by_loops(kind_of_size, sizes, np.abs(dy))
    counts = oracle.reductions([x.shape for x in inputs], dy.shape)
    roundings = len(inputs) + 3
    if kind in ("Maximum", "Minimum"):
        assert not y.bound.any()
    else:
        assert (y.bound <= FLOAT32.gamma(roundings) * magnitude + 1e-30).all()
        for gradient, size in zip(gradients, magnitudes):
            assert (gradient.bound <= FLOAT32.gamma(roundings + counts["input_gradient"]) * size
                    + 1e-30).all()


@pytest.mark.parametrize("kind", sorted(JOINED))
@EXAMPLES
@given(data=st.data(), seed=st.integers(0, 999))
def test_what_the_inputs_are_off_by_is_within_the_bound(data, seed, kind):
    """Inputs that may differ by so much that the largest is not the same any more."""
    inputs, dy = draw_inputs(data, kind, seed)
    rng = np.random.default_rng(seed)
    errors = [rng.choice([0.0, 2.0**-10, 0.5], x.shape) for x in inputs]
    y, gradients = run(oracle_for(kind, {}), inputs, dy, errors)
    for _ in range(4):
        moved = [x + rng.choice([-1.0, 1.0, 0.25], x.shape) * e for x, e in zip(inputs, errors)]
        found, shares = by_loops(kind, moved, dy)
        assert_inside(y, found, "output")
        for gradient, ours in zip(gradients, shares):
            assert_inside(gradient, ours, "gradient")


@pytest.mark.parametrize("kind", [
    "Add", "Maximum", "Minimum", "Multiply", "Subtract"])
@EXAMPLES
@given(data=st.data(), seed=st.integers(0, 999))
def test_whole_numbers_are_exact(data, seed, kind):
    inputs, dy = draw_inputs(data, kind, seed)
    oracle = oracle_for(kind, {})
    assert oracle.exact
    largest = amplitude(oracle.reductions([x.shape for x in inputs], dy.shape), "float32")
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(-largest, largest, x.shape, endpoint=True) * 1.0 for x in inputs]
    dy = rng.integers(-largest, largest, dy.shape, endpoint=True) * 1.0
    y, gradients = run(oracle, inputs, dy)
    layer = getattr(scratch, kind)()
    layer.build([x.shape for x in inputs])
    np.testing.assert_array_equal(layer.forward([x.astype(single) for x in inputs]), y.value)
    for gradient, ours in zip(gradients, layer.backward(dy.astype(single))):
        np.testing.assert_array_equal(ours, gradient.value)


def test_ties_of_exact_values_leave_nothing_open_and_others_do():
    a, b, dy = np.array([[2.0, 2.0, 1.0]]), np.array([[2.0, 2.0, 5.0]]), np.array([[1.0, 2.0, 4.0]])
    errors = [np.array([[0.0, 0.1, 0.1]]), np.zeros((1, 3))]
    _, (first, second) = run(oracle_for("Maximum", {}), [a, b], dy, errors)
    np.testing.assert_array_equal(first.value, [[1, 2, 0]])
    np.testing.assert_array_equal(first.bound, [[0, 2, 0]])
    np.testing.assert_array_equal(second.value, [[0, 0, 4]])
    np.testing.assert_array_equal(second.bound, [[0, 2, 0]])


def test_concatenate_moves_values_and_bounds():
    inputs = [real(i, (2, n, 3)) for i, n in enumerate((1, 4))]
    errors = [np.abs(real(5 + i, x.shape)) for i, x in enumerate(inputs)]
    dy = real(9, (2, 5, 3))
    oracle = oracle_for("Concatenate", {"axis": 1})
    y, gradients = run(oracle, inputs, dy, errors)
    np.testing.assert_array_equal(y.value, np.concatenate(inputs, axis=1))
    np.testing.assert_array_equal(y.bound, np.concatenate(errors, axis=1))
    for gradient, expected in zip(gradients, (dy[:, :1], dy[:, 1:])):
        np.testing.assert_array_equal(gradient.value, expected)
        assert not gradient.bound.any()
