"""The matrix products of a convolution against a loop that knows nothing of them.

With small whole numbers every product and partial sum is exact, in any order, so equality is exact
whatever the shapes, the tile, the memory order and the precision. With real numbers the tile may
change the rounding only.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch import blas
from scratch.lowering import FEW_COLUMNS, JOINED_BAND, JOINED_COLUMNS, Lowering, tile_columns
from scratch.windows import plan_windows
from tests.draws import draws


def naive(x, kernel, dz, windows):
    """(z, dkernel, dx) of a convolution, pixel by pixel, in float64."""
    (n, height, width, _), (kh, kw, _, filters) = x.shape, kernel.shape
    rows, columns = windows
    z = np.zeros((n, rows.outputs, columns.outputs, filters))
    dkernel, dx = np.zeros(kernel.shape), np.zeros(x.shape)
    for oy, ox, i, j in np.ndindex(rows.outputs, columns.outputs, kh, kw):
        y = oy * rows.stride + i * rows.dilation - rows.before
        x_ = ox * columns.stride + j * columns.dilation - columns.before
        if 0 <= y < height and 0 <= x_ < width:
            z[:, oy, ox] += x[:, y, x_] @ kernel[i, j]
            dkernel[i, j] += x[:, y, x_].T @ dz[:, oy, ox]
            dx[:, y, x_] += dz[:, oy, ox] @ kernel[i, j].T
    return z, dkernel, dx


def lowered(x, kernel, dz, windows, tile, back_tile):
    """The same by matrix products, with the gradient of the bias besides."""
    forth = Lowering(windows, kernel.shape[3], tile)
    back = Lowering(windows.reversed(), kernel.shape[2], back_tile)
    matrix = forth.lower(x)
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    return (forth.multiply(matrix, kernel), forth.kernel_gradient(matrix, dz),
            back.multiply(back.lower(dz), turned), forth.bias_gradient(dz))


@st.composite
def cases(draw):
    """A convolution of whole numbers: sizes, strides, dilations and tiles of every kind."""
    size = st.integers(1, 9)
    kernel, strides = draw(st.tuples(*[st.integers(1, 4)] * 2)), draw(
        st.tuples(*[st.integers(1, 3)] * 2))
    dilation = draw(st.tuples(*[st.integers(1, 3)] * 2)) if draw(st.booleans()) else (1, 1)
    padding = draw(st.sampled_from(["valid", "same"]))
    height, width = draw(size), draw(size)
    if padding == "valid":
        height, width = (max(pixels, (k - 1) * d + 1) for pixels, k, d in zip(
            (height, width), kernel, dilation))
    windows = plan_windows(height, width, kernel, strides, padding, dilation)
    n, channels, filters = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 5))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, weights, dz = (rng.integers(-4, 5, shape).astype(dtype) for shape in (
        (n, height, width, channels), (*kernel, channels, filters),
        (n, *windows.output_size, filters)))
    order = draw(st.permutations(range(4)))  # the memory order that x and dz come in
    x, dz = (np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order)) for a in (x, dz))
    return x, weights, dz, windows, draw(st.integers(1, 10)), draw(st.integers(1, 10))


@settings(max_examples=draws(150), deadline=None, derandomize=True)
@given(cases())
def test_whole_numbers_agree_exactly_for_any_shape_and_tile(case):
    x, kernel, dz, windows, tile, back_tile = case
    before = x.copy(), kernel.copy(), dz.copy()
    got = lowered(x, kernel, dz, windows, tile, back_tile)
    for name, a, b in zip(("output", "kernel gradient", "input gradient", "bias gradient"), got,
                          (*naive(x, kernel, dz, windows), dz.sum(axis=(0, 1, 2)))):
        assert a.dtype == x.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)
    for a, b in zip((x, kernel, dz), before):
        np.testing.assert_array_equal(a, b, err_msg="an input was modified")


@pytest.mark.parametrize("tile", [1, 2, 3, 4, 7, 11, 13])
def test_the_tile_changes_real_numbers_by_rounding_only(tile):
    rng = np.random.default_rng(7)
    windows = plan_windows(9, 11, (5, 4), (1, 1), "same")
    x, kernel, dz = (rng.standard_normal(shape).astype("float32")
                     for shape in ((3, 9, 11, 6), (5, 4, 6, 7), (3, 9, 11, 7)))
    # the longest sum has 3 * 9 * 11 = 297 terms: |error| <= 297 u * sum of |terms| (Higham, ch. 3)
    bounds = naive(abs(x), abs(kernel), abs(dz), windows)
    exact = naive(x.astype("float64"), kernel.astype("float64"), dz.astype("float64"), windows)
    for name, got, value, bound in zip(("output", "kernel gradient", "input gradient"),
                                       lowered(x, kernel, dz, windows, tile, tile), exact, bounds):
        assert (abs(got - value) <= 300 * 2.0**-24 * bound).all(), name


@pytest.mark.filterwarnings("ignore:(invalid|overflow):RuntimeWarning")
@settings(max_examples=draws(150), deadline=None, derandomize=True)
@given(cases(), st.sampled_from([np.inf, -np.inf, np.nan, 1e30]), st.integers(0, 2**32 - 1))
def test_what_is_not_finite_stays_within_the_windows_that_see_it(case, number, seed):
    x, kernel, dz, windows, tile, back_tile = case
    rng = np.random.default_rng(seed)
    bad_x, bad_dz = x.copy(), dz.copy()
    for array in (bad_x, bad_dz):
        array[tuple(rng.integers(0, size) for size in array.shape)] = number
    output, kernel_gradient, _, _ = lowered(bad_x, kernel, dz, windows, tile, back_tile)
    expected_output, expected_gradient, _ = naive(bad_x, kernel, dz, windows)
    _, _, input_gradient, _ = lowered(x, kernel, bad_dz, windows, tile, back_tile)
    _, _, expected_input_gradient = naive(x, kernel, bad_dz, windows)
    for name, a, b in (("output", output, expected_output),
                       ("kernel gradient", kernel_gradient, expected_gradient),
                       ("input gradient", input_gradient, expected_input_gradient)):
        # beside 1e30 whole numbers vanish; where it is not seen, they are exact
        far = abs(b) < 1e20
        np.testing.assert_array_equal(a[far], b[far], err_msg=name)
        np.testing.assert_allclose(a, b, rtol=1e-5, err_msg=name)


def test_results_lie_in_memory_with_the_images_innermost():
    windows = plan_windows(6, 5, (3, 2), (1, 1), "same")
    forth = Lowering(windows, 4)
    x, kernel = np.ones((3, 6, 5, 2), "float32"), np.ones((3, 2, 2, 4), "float32")
    z = forth.multiply(forth.lower(x), kernel)
    assert z.shape == (3, 6, 5, 4)
    assert z.transpose(2, 3, 1, 0).flags.c_contiguous


def test_few_filters_get_wide_tiles_and_many_get_none():
    assert tile_columns(28, 6) == 2
    assert tile_columns(28, 64) == 1
    assert tile_columns(3, 1) == 3  # never wider than the image


@pytest.mark.parametrize("thin, images, tile", [(False, 1, 3), (False, 20, 3), (True, 1, 3),
                                                (True, 20, 1)])
def test_a_tile_is_what_blas_is_quick_in(monkeypatch, thin, images, tile):
    monkeypatch.setattr(blas, "THIN_PRODUCTS", thin)
    assert 7 < FEW_COLUMNS <= 7 * 20
    windows = plan_windows(7, 10, (3, 2), (1, 1), "same")
    chosen = Lowering(windows, 5).for_columns(7 * images)
    assert chosen.tile == tile
    rng = np.random.default_rng(images)
    x, kernel, dz = (rng.integers(-4, 5, shape).astype("float32") for shape in (
        (images, 7, 10, 3), (3, 2, 3, 5), (images, 7, 10, 5)))
    for a, b in zip(lowered(x, kernel, dz, windows, None, None), naive(x, kernel, dz, windows)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("strides, joins", [((1, 1), True), ((2, 3), True), ((1, 1), False)])
def test_large_kernels_of_one_pixel_over_small_images_are_one_product(strides, joins):
    channels = filters = 370
    images = 1 if joins else 7
    windows = plan_windows(5, 6, (1, 1), strides, "same")
    rng = np.random.default_rng(8)
    x, kernel, dz = (rng.integers(-4, 5, shape).astype("float32") for shape in (
        (images, 5, 6, channels), (1, 1, channels, filters),
        (images, *windows.output_size, filters)))
    forth = Lowering(windows, filters)
    assert channels * filters >= JOINED_BAND and 5 < JOINED_COLUMNS <= 35
    assert forth.joins(forth._band(kernel), forth.lower(x)) is joins
    z = forth.multiply(forth.lower(x), kernel)
    assert z.transpose(2, 3, 1, 0).flags.c_contiguous
    for a, b in zip(lowered(x, kernel, dz, windows, None, None), naive(x, kernel, dz, windows)):
        np.testing.assert_array_equal(a, b)
