"""Pooling over windows against nested loops: maxima and means, of images and of sequences."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import scratch
from tests.scratch.support import oracles
from tests.scratch.support.cases import Walk, dtypes, layouts, seeds
from tests.scratch.support.checks import (
    EXAMPLES,
    assert_close,
    assert_exact,
    assert_within,
    real,
    run,
    whole,
)
from tests.scratch.support.pooling import (
    Arrangement,
    arranged_walks,
    average_pooling2d,
    gamma,
    output_shape,
    pooling,
)

LAST = Arrangement(2, "channels_last")


def numbers(walk, draw, seed):
    """(x, dy) as images."""
    return draw(seed, walk.input_shape), draw(seed + 1, output_shape(walk))


def results(kind, case, dtype, x, dy, layouts=("C", "C")):
    """The layer's (y, dx) for images x and dy, handed over as the case arranges them."""
    walk, arrangement = case
    y, dx, _ = run(pooling(kind, walk, arrangement, dtype=dtype), arrangement.given(x),
                   arrangement.given(dy), layouts=layouts)
    return y, dx


@EXAMPLES
@given(arranged_walks(), st.sampled_from([whole, real]), dtypes, layouts, seeds)
@example((Walk(2, (7, 5), 2, (2, 3), (3, 1), "same"), Arrangement(2, "channels_first")), whole,
         "float32", ("Fortran", "strided"), 1)
@example((Walk(2, (7, 1), 2, (3, 1), (2, 1), "same"), Arrangement(1, "channels_first")), whole,
         "float32", ("batch last", "reversed"), 2)
def test_maxima(case, draw, dtype, layouts, seed):
    walk, arrangement = case
    x, dy = numbers(walk, draw, seed)
    y, dx = results("Max", case, dtype, x, dy, layouts)
    expected, sums = oracles.max_pooling2d(x, dy, walk.kernel, walk.strides, walk.padding)
    assert_exact(y, arrangement.given(expected), "y")
    assert_within(dx, arrangement.sums(sums), "dx")


@EXAMPLES
@given(arranged_walks(), dtypes, layouts, seeds)
@example((Walk(2, (6, 8), 3, (2, 4), (2, 4), "valid"), LAST), "float32", ("C", "C"), 1)
@example((Walk(2, (7, 5), 3, (2, 2), (2, 2), "valid"), LAST), "float32", ("batch last", "C"), 2)
@example((Walk(2, (3, 5), 1, (4, 2), (1, 3), "same"), LAST), "float32", ("C", "Fortran"), 3)
def test_means(case, dtype, layouts, seed):
    """n pixels meet n - 1 additions and a division; a share meets a division and additions."""
    walk, arrangement = case
    x, dy = numbers(walk, real, seed)
    y, dx = results("Average", case, dtype, x, dy, layouts)
    sums, spread, number = average_pooling2d(x, dy, walk.kernel, walk.strides, walk.padding)
    magnitude = sums._each(lambda terms: math.fsum(map(abs, terms))) / number
    assert_close(y, arrangement.given(sums.value / number),
                 arrangement.given(gamma(number, dtype) * magnitude), "y")
    magnitude = spread._each(lambda terms: math.fsum(map(abs, terms)))
    assert_close(dx, arrangement.given(spread.value),
                 arrangement.given(gamma(spread._each(len) + 1, dtype) * magnitude), "dx")


@EXAMPLES
@given(arranged_walks(), dtypes, layouts, seeds)
def test_means_of_whole_numbers_over_powers_of_two_are_exact(case, dtype, layouts, seed):
    walk, arrangement = case
    sizes = (1, 2, 4) if walk.padding == "valid" else (1, 2)
    kernel = tuple(max(n for n in sizes if n <= k) for k in walk.kernel)
    walk = walk._replace(kernel=kernel)
    x, dy = numbers(walk, whole, seed)
    y, dx = results("Average", (walk, arrangement), dtype, x, dy, layouts)
    sums, spread, number = average_pooling2d(x, dy, walk.kernel, walk.strides, walk.padding)
    assert_exact(y, arrangement.given(sums.value / number), "y")
    assert_exact(dx, arrangement.given(spread.value), "dx")


def test_padding_is_left_out_of_the_mean():
    x = np.arange(9, dtype="float32").reshape(1, 3, 3, 1)
    layer = scratch.AveragePooling2D(3, strides=1, padding="same")
    layer.build((None, 3, 3, 1))
    assert layer.forward(x)[0, :, :, 0].tolist() == [[2, 2.5, 3], [3.5, 4, 4.5], [5, 5.5, 6]]


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_what_is_not_finite_stays_within_its_windows(value, strides):
    """Forward: the windows that see it. Backward: the pixels of its window, or the winner alone."""
    x, size = real(1, (1, 6, 6, 1)).astype("float32"), (6 - 2) // strides + 1
    x[0, 2, 3] = value
    seen = np.zeros((size, size), bool)
    for i, j in np.ndindex(size, size):
        rows, columns = (range(start * strides, start * strides + 2) for start in (i, j))
        seen[i, j] = 2 in rows and 3 in columns
    mean = scratch.AveragePooling2D(2, strides)
    largest = scratch.MaxPooling2D(2, strides)
    for layer in (mean, largest):
        layer.build((None, 6, 6, 1))
    assert ((~np.isfinite(mean.forward(x)[0, :, :, 0])) == seen).all()
    np.testing.assert_array_equal(mean.forward(x)[0, :, :, 0][seen], value)
    if value != -np.inf:
        np.testing.assert_array_equal(largest.forward(x)[0, :, :, 0][seen], value)
    assert np.isfinite(largest.forward(x)[0, :, :, 0][~seen]).all()
    dy = np.zeros((1, size, size, 1), "float32")
    dy[0, 0, 1] = value
    for layer, pixels in ((mean, 4), (largest, 1)):
        layer.forward(real(2, (1, 6, 6, 1)).astype("float32"))
        dx = layer.backward(dy)
        assert np.array_equal(dx[dx != 0], [value] * pixels, equal_nan=True)


def test_a_nan_is_the_maximum_and_takes_the_gradient():
    x = np.array([1, np.nan, 3, 2, np.nan, np.nan], "float32").reshape(1, 6, 1)
    layer = scratch.MaxPooling1D(3)
    layer.build((None, 6, 1))
    np.testing.assert_array_equal(layer.forward(x).ravel(), [np.nan, np.nan])
    dx = layer.backward(np.array([5, 7], "float32").reshape(1, 2, 1))
    assert dx.ravel().tolist() == [0, 5, 0, 0, 7, 0]


def test_strides_are_the_pool_size_unless_given():
    assert scratch.AveragePooling2D((2, 3)).strides == (2, 3)
    assert scratch.AveragePooling2D((2, 3), strides=1).strides == (1, 1)
    assert scratch.MaxPooling1D().pool_size == scratch.MaxPooling1D().strides == (2,)
    assert scratch.MaxPooling1D(3, strides=(2,)).strides == (2,)


NAMES = ["MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arguments, named", [
    (dict(pool_size=0), "pool_size=0"), (dict(pool_size=(2, 2, 2)), "pool_size=(2, 2, 2)"),
    (dict(pool_size=2, strides=-1), "strides=-1"), (dict(pool_size="2"), "pool_size='2'"),
    (dict(pool_size=2, padding="causal"), "padding='causal'"),
    (dict(pool_size=2, data_format="NCHW"), "data_format='NCHW'"),
    (dict(pool_size=2.0), "pool_size=2.0"), (dict(pool_size=True), "pool_size=True"),
])
def test_bad_arguments_are_refused(name, arguments, named):
    with pytest.raises(ValueError) as error:
        getattr(scratch, name)(name="pool", **arguments)
    assert "'pool'" in str(error.value) and f"Received: {named}" in str(error.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_inputs_that_do_not_fit_are_refused(name, data_format):
    rank = int(name[-2])
    layer = getattr(scratch, name)(3, data_format=data_format, name="pool")
    arrangement = Arrangement(rank, data_format)
    small, unknown = (arrangement.given(np.empty((9, size, 1 if rank == 1 else 5, 4))).shape
                      for size in (2, 7))
    for shape in [(None, *small[1:]), (None, *small[1:], 6), (None, 5),
                  (None, *[None if n == 7 else n for n in unknown[1:]])]:
        with pytest.raises(ValueError, match="'pool'.*Received"):
            layer.build(shape)
