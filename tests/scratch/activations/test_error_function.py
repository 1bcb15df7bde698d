"""erfc against Python's own, over all of its range."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratch.activations.error_function import erfc
from tests.scratch.support.checks import DTYPES, EXAMPLES, LAYOUTS

ULPS = 8
LAST = {"float32": 9.19, "float64": 26.5}  # beyond, erfc is no normal number


def assert_erfc(x, dtype):
    x = np.asarray(x, dtype)
    made, exact = erfc(x), np.vectorize(math.erfc, otypes=[float])(x.astype(float))
    assert made.dtype == dtype and made.shape == x.shape
    off = np.abs(made - exact) / np.spacing(exact.astype(dtype)).astype(float)
    worst = np.unravel_index(off.argmax(), off.shape)
    assert off[worst] <= ULPS, f"erfc({x[worst]!r}) = {made[worst]!r}, off by {off[worst]:.1f} ulps"


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_dense_sweep(dtype):
    assert_erfc(np.linspace(-7, LAST[dtype], 40001), dtype)
    assert_erfc(np.concatenate([-np.geomspace(1e-40, 1, 2001), [0, -0.0]]), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@EXAMPLES
def test_any_numbers_in_any_layout(dtype, data):
    width = np.dtype(dtype).itemsize * 8
    limit = float(np.dtype(dtype).type(LAST[dtype]) - 0.01)
    limit = float(np.dtype(dtype).type(limit))
    numbers = st.floats(-limit, limit, width=width) | st.sampled_from(
        [0.46875, -0.46875, 4.0, -4.0, 0.0])
    values = np.array(data.draw(st.lists(numbers, min_size=6, max_size=6)), dtype).reshape(2, 3)
    layout = data.draw(st.sampled_from(sorted(LAYOUTS)))
    x = LAYOUTS[layout](values)
    assert_erfc(x, dtype)
    np.testing.assert_array_equal(x, values, "the input was written to")


@pytest.mark.parametrize("dtype", DTYPES)
def test_far_away_it_is_0_or_2_without_a_warning(dtype):
    largest = np.finfo(dtype).max
    x = np.array([30, 1e4, largest, np.inf, -30, -largest, -np.inf, np.nan], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_array_equal(erfc(x), np.array([0, 0, 0, 0, 2, 2, 2, np.nan], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_step_where_the_approximations_meet(dtype):
    """It falls from one number to the next, but for its own rounding."""
    for meeting in (0.46875, 4.0, -0.46875, -4.0):
        x = np.full(41, meeting, dtype)
        for i in range(1, 21):
            x[20 + i] = np.nextafter(x[19 + i], np.dtype(dtype).type(99))
            x[20 - i] = np.nextafter(x[21 - i], np.dtype(dtype).type(-99))
        assert_erfc(x, dtype)
