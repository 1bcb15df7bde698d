"""Global pooling against loops: means and maxima of whole channels, ties shared equally."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from tests.scratch.support.cases import dtypes, layouts, seeds
from tests.scratch.support.checks import EXAMPLES, assert_close, assert_exact, real, run, whole
from tests.scratch.support.pooling import FORMATS, arrangements, gamma, global_average, global_max


@st.composite
def cases(draw):
    """(input shape as images, arrangement, keepdims)."""
    arrangement = draw(arrangements)
    sizes = draw(st.permutations([1, 2, 3, 4, 5]))
    shape = (draw(st.integers(2, 3)), *sizes[:3])
    if arrangement.rank == 1:
        shape = (shape[0], shape[1], 1, shape[3])
    return shape, arrangement, draw(st.booleans())


def results(kind, case, dtype, x, dy, layouts):
    """The layer's (y, dx) as images, for images x and dy (N, 1, 1, C)."""
    _, arrangement, keepdims = case
    make = getattr(scratch, f"Global{kind}Pooling{arrangement.rank}D")
    layer = make(data_format=arrangement.data_format, keepdims=keepdims, dtype=dtype)
    arranged = arrangement.given(dy) if keepdims else dy[:, 0, 0]
    y, dx, _ = run(layer, arrangement.given(x), arranged, layouts=layouts)
    return (arrangement.images(y) if keepdims else y[:, None, None]), arrangement.images(dx)


@EXAMPLES
@given(cases(), st.integers(0, 2), dtypes, layouts, seeds)
def test_maxima_share_their_gradient_equally(case, largest, dtype, layouts, seed):
    """Whole numbers tie a lot. One over the number of ties, times dy: two roundings."""
    shape = case[0]
    x, dy = whole(seed, shape, largest), real(seed + 1, (shape[0], 1, 1, shape[3]))
    y, dx = results("Max", case, dtype, x, dy, layouts)
    expected, gradient = global_max(x, dy)
    assert_exact(y, expected, "y")
    assert_close(dx, gradient, gamma(2, dtype) * np.abs(gradient), "dx")
    single = gradient == dy  # nobody to share with: nothing rounded
    np.testing.assert_array_equal(dx[single], gradient[single])


@EXAMPLES
@given(cases(), dtypes, layouts, seeds)
def test_means(case, dtype, layouts, seed):
    shape = case[0]
    x, dy = real(seed, shape), real(seed + 1, (shape[0], 1, 1, shape[3]))
    y, dx = results("Average", case, dtype, x, dy, layouts)
    sums, gradient = global_average(x, dy)
    number = shape[1] * shape[2]
    magnitude = sums._each(lambda terms: math.fsum(map(abs, terms))) / number
    assert_close(y, sums.value / number, gamma(number, dtype) * magnitude, "y")
    assert_close(dx, gradient, gamma(1, dtype) * np.abs(gradient), "dx")


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("keepdims, last, first", [(False, (2, 3), (2, 3)),
                                                   (True, (2, 1, 1, 3), (2, 3, 1, 1))])
def test_shapes(data_format, keepdims, last, first):
    shape = (2, 5, 4, 3) if data_format == "channels_last" else (2, 3, 5, 4)
    for make in (scratch.GlobalMaxPooling2D, scratch.GlobalAveragePooling2D):
        layer = make(data_format, keepdims)
        layer.build(shape)
        expected = last if data_format == "channels_last" else first
        assert layer.output_shape == expected
        assert layer.forward(np.zeros(shape, "float32")).shape == expected


def test_two_of_three_ties_get_half_each():
    x = np.array([[1, 3, 3], [2, 2, 2]], "float32").reshape(2, 3, 1)
    layer = scratch.GlobalMaxPooling1D()
    layer.build((None, 3, 1))
    assert layer.forward(x).tolist() == [[3], [2]]
    dx = layer.backward(np.array([[8], [6]], "float32"))
    assert dx[..., 0].tolist() == [[0, 4, 4], [2, 2, 2]]


NAMES = [f"Global{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2)]


@pytest.mark.parametrize("name", NAMES)
def test_what_does_not_fit_is_refused(name):
    make, rank = getattr(scratch, name), int(name[-2])
    with pytest.raises(ValueError, match="'pool'.*Received: data_format='NHWC'"):
        make(data_format="NHWC", name="pool")
    for shape in [(None, *[3] * rank), (None, *[3] * (rank + 2)), (None, *[None] * rank, 3)]:
        with pytest.raises(ValueError, match="'pool'.*Received: input_shape="):
            make(name="pool").build(shape)
