"""The bound on Muon's iteration: it holds for what float32 makes of it and for any error handed in,
and it says something."""

import numpy as np
import pytest

from compare.oracle.orthogonalizing import orthogonalized, steepest
from compare.oracle.running_error import Bounded, Rounding
from scratch.optimizers import muon
from tests.scratch.support.checks import real

MUON = (3.4445, -4.7750, 2.0315)
SHAPES = [(4, 4), (3, 5), (6, 2), (1, 4), (4, 1), (12, 9)]


def by_singular_values(matrix, coefficients, steps):
    """The same by its definition: a polynomial of the singular values."""
    a, b, c = coefficients
    left, sizes, right = np.linalg.svd(matrix / (np.linalg.norm(matrix) + 1e-7),
                                       full_matrices=False)
    for _ in range(steps):
        sizes = a * sizes + b * sizes ** 3 + c * sizes ** 5
    return left @ np.diag(sizes) @ right


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_values_are_those_of_the_singular_values(shape, steps):
    matrix = real(1, shape)
    expected = by_singular_values(matrix, MUON, steps)
    found = orthogonalized(Bounded(matrix, Rounding.of("float32")), MUON, steps)
    np.testing.assert_allclose(found.value, expected, atol=1e-12)
    np.testing.assert_allclose(muon.orthogonalized(matrix, MUON, steps), expected, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_rounding_does_is_within_the_bound(shape, dtype):
    unit = np.finfo(dtype).eps
    for seed in range(10):
        matrix = real(seed, shape).astype(dtype)
        found = orthogonalized(Bounded(matrix, Rounding.of(dtype)), MUON, 5)
        made = muon.orthogonalized(matrix, MUON, 5)
        assert made.dtype == dtype
        assert (np.abs(made - found.value) <= found.bound).all()
        assert found.bound.max() < 4e3 * matrix.size * unit, "and it says something"


@pytest.mark.parametrize("coefficients", [MUON, (1.5, -0.5, 0.0), (2.0, 1.0, -0.3)], ids=str)
def test_errors_of_the_matrix_are_passed_on_within_the_bound(coefficients):
    """The worst of many directions, those of single entries and of singular vectors among them."""
    rng = np.random.default_rng(3)
    for shape in SHAPES:
        matrix, error = real(5, shape), 1e-3
        bounded = Bounded(matrix, Rounding.of("float64"), np.full(shape, error))
        found = orthogonalized(bounded, coefficients, 3)
        left, _, right = np.linalg.svd(matrix, full_matrices=False)
        directions = [np.sign(rng.standard_normal(shape)) for _ in range(50)]
        directions += [np.outer(left[:, i], right[j]) for i in range(len(right))
                       for j in range(len(right))]
        for direction in directions:
            moved = matrix + error * direction / np.abs(direction).max()
            made = by_singular_values(moved, coefficients, 3)
            assert (np.abs(made - found.value) <= found.bound).all()


def test_the_steepest_slope_is_found_wherever_it_is():
    for coefficients in (MUON, (1.5, -0.5, 0.0), (0.0, 1.0, -1.0), (1.0, 2.0, 3.0)):
        a, b, c = coefficients
        for most in (0.1, 0.5, 0.9, 1.3):
            s = np.linspace(0, most, 20_001)
            largest = np.abs(a + 3 * b * s**2 + 5 * c * s**4).max()
            assert steepest(most, coefficients) == pytest.approx(largest, rel=1e-6)
