"""Layers of three spatial axes that have no weights, against loops over single numbers.

Volumes are (N, D, H, W, C), arguments (planes, rows, columns); nothing is as large as another.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.layers.test_reshaping import check
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import (
    EXAMPLES,
    assert_close,
    assert_exact,
    assert_within,
    real,
    run,
    whole,
)
from tests.scratch.support.convolution_cases import sizes
from tests.scratch.support.pooling import FORMATS, gamma
from tests.scratch.support.volumes import maxima, means, output_shape, pools, threes

formats = st.sampled_from(FORMATS)


def first(array, data_format):
    return array if data_format == "channels_last" else np.moveaxis(array, -1, 1)


def last(array, data_format):
    return array if data_format == "channels_last" else np.moveaxis(array, 1, -1)


def results(name, arguments, data_format, dtype, x, dy, layouts):
    """The layer's (y, dx) with their channels last."""
    layer = getattr(scratch, name)(data_format=data_format, dtype=dtype, **arguments)
    y, dx, _ = run(layer, first(x, data_format), first(dy, data_format), layouts=layouts)
    return last(y, data_format), last(dx, data_format)


@EXAMPLES
@given(pools(), st.sampled_from([whole, real]), formats, dtypes, layouts, seeds)
def test_maxima(case, draw, data_format, dtype, layouts, seed):
    """Whole numbers tie a lot."""
    arguments, shape = case
    x, dy = draw(seed, shape), draw(seed + 1, output_shape(arguments, shape))
    y, dx = results("MaxPooling3D", arguments, data_format, dtype, x, dy, layouts)
    expected, sums = maxima(arguments, x, dy)
    assert_exact(y, expected, "y")
    assert_within(dx, sums, "dx")


@EXAMPLES
@given(pools(), formats, dtypes, layouts, seeds)
def test_means(case, data_format, dtype, layouts, seed):
    arguments, shape = case
    x, dy = real(seed, shape), real(seed + 1, output_shape(arguments, shape))
    y, dx = results("AveragePooling3D", arguments, data_format, dtype, x, dy, layouts)
    sums, spread, number = means(arguments, x, dy)
    magnitude = sums._each(lambda terms: math.fsum(map(abs, terms))) / number
    assert_close(y, sums.value / number, gamma(number, dtype) * magnitude, "y")
    magnitude = spread._each(lambda terms: math.fsum(map(abs, terms)))
    assert_close(dx, spread.value, gamma(spread._each(len) + 1, dtype) * magnitude, "dx")


@EXAMPLES
@given(sizes((1, 1, 1)), formats, st.booleans(), dtypes, layouts, seeds)
def test_pooling_of_whole_volumes(size, data_format, keepdims, dtype, layouts, seed):
    """Ties share the maximum's gradient, as they do in images."""
    shape, number = (2, *size, 3), math.prod(size)
    x, dy = whole(seed, shape, 1), real(seed + 1, (2, 1, 1, 1, 3))
    arranged = first(dy, data_format) if keepdims else dy[:, 0, 0, 0]
    for name in ("GlobalMaxPooling3D", "GlobalAveragePooling3D"):
        layer = getattr(scratch, name)(data_format=data_format, keepdims=keepdims, dtype=dtype)
        y, dx, _ = run(layer, first(x, data_format), arranged, layouts=layouts)
        y = last(y, data_format) if keepdims else y[:, None, None, None]
        for b, c in np.ndindex(2, 3):
            channel = x[b, ..., c]
            ties = channel == channel.max()
            share = ties / ties.sum() if "Max" in name else np.full(size, 1 / number)
            expected = channel.max() if "Max" in name else channel.sum() / number
            assert_close(y[b, 0, 0, 0, c], expected, gamma(1, dtype) * abs(expected), "y")
            gradient = share * dy[b, 0, 0, 0, c]
            assert_close(last(dx, data_format)[b, ..., c], gradient,
                         gamma(2, dtype) * np.abs(gradient), "dx")


widths = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 1))] * 3)


@pytest.mark.parametrize("name, argument, sign", [("ZeroPadding3D", "padding", 1),
                                                  ("Cropping3D", "cropping", -1)])
@given(widths, formats, dtypes, layouts, seeds)
@EXAMPLES
def test_borders(name, argument, sign, widths, data_format, dtype, layouts, seed):
    start = 1 if data_format == "channels_last" else 2
    shape = first(np.empty((2, 5, 4, 6, 3)), data_format).shape
    out = [n + sign * sum(widths[axis - start]) if start <= axis < start + 3 else n
           for axis, n in enumerate(shape)]

    def target(index):
        moved = tuple(i + sign * widths[axis - start][0] if start <= axis < start + 3 else i
                      for axis, i in enumerate(index))
        return [moved] if all(0 <= i < n for i, n in zip(moved, out)) else []

    layer = getattr(scratch, name)(widths, data_format, dtype=dtype)
    check(layer, shape, tuple(out), target, dtype, layouts, seed)


@EXAMPLES
@given(threes, formats, dtypes, layouts, seeds)
def test_up_sampling(size, data_format, dtype, layouts, seed):
    start = 1 if data_format == "channels_last" else 2
    shape = first(np.empty((2, 2, 4, 3, 1)), data_format).shape
    times = [size[axis - start] if start <= axis < start + 3 else 1 for axis in range(5)]

    def targets(index):
        return list(itertools.product(*[range(i * n, (i + 1) * n)
                                        for i, n in zip(index, times)]))

    check(scratch.UpSampling3D(size, data_format, dtype=dtype), shape,
          tuple(n * m for n, m in zip(shape, times)), targets, dtype, layouts, seed)


@pytest.mark.parametrize("make, named", [
    (lambda: scratch.MaxPooling3D((2, 2), name="v"), r"pool_size=\(2, 2\)"),
    (lambda: scratch.AveragePooling3D(2, padding="causal", name="v"), "padding='causal'"),
    (lambda: scratch.AveragePooling3D(0, name="v"), "pool_size=0"),
    (lambda: scratch.GlobalMaxPooling3D("NDHWC", name="v"), "data_format='NDHWC'"),
    (lambda: scratch.ZeroPadding3D((1, 2), name="v"), r"padding=\(1, 2\)"),
    (lambda: scratch.ZeroPadding3D(((1, 2), (3, 4), (0, -1)), name="v"), "padding=-1"),
    (lambda: scratch.Cropping3D(((1, 2), (3, 4)), name="v"), r"cropping=\(\(1, 2\), \(3, 4\)\)"),
    (lambda: scratch.UpSampling3D((2, 2), name="v"), r"size=\(2, 2\)"),
    (lambda: scratch.UpSampling3D((2, 2, 0), name="v"), "size=0"),
])
def test_bad_arguments_are_refused(make, named):
    with pytest.raises(ValueError, match=f"'v'.*Received: {named}"):
        make()


@pytest.mark.parametrize("make", [
    lambda: scratch.MaxPooling3D(2, name="v"), lambda: scratch.AveragePooling3D(2, name="v"),
    lambda: scratch.GlobalAveragePooling3D(name="v"), lambda: scratch.ZeroPadding3D(name="v"),
    lambda: scratch.Cropping3D(name="v"), lambda: scratch.UpSampling3D(name="v")])
def test_inputs_of_another_rank_are_refused(make):
    for shape in ((None, 5, 6, 7), (None, 5, 6, 7, 8, 2), (None, 5, None, 6, 3)):
        with pytest.raises(ValueError, match="'v'.*Received: input_shape="):
            make().build(shape)
    for cropped in ((None, 2, 5, 5, 1), (None, 5, 5, 2, 1)):
        with pytest.raises(ValueError, match="'v'.*Received"):
            scratch.Cropping3D(1, name="v").build(cropped)


def test_ties_take_the_gradient_each_and_a_nan_is_the_maximum():
    x = np.array([1, 3, 3, np.nan, 5, 2], "float32").reshape(1, 2, 3, 1, 1)
    layer = scratch.MaxPooling3D((1, 3, 1))
    layer.build((None, 2, 3, 1, 1))
    np.testing.assert_array_equal(layer.forward(x).ravel(), [3, np.nan])
    dx = layer.backward(np.array([7, 4], "float32").reshape(1, 2, 1, 1, 1))
    assert dx.ravel().tolist() == [0, 7, 7, 4, 0, 0]
