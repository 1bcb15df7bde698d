"""MaxPooling2D against nested loops: exact for every kind of number, ties and overlaps included."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import scratch
from tests.scratch.support import oracles
from tests.scratch.support.cases import Walk, dtypes, layouts, seeds, walks
from tests.scratch.support.checks import EXAMPLES, assert_exact, assert_within, real, run, whole


def both(walk, dtype, x, dy, layouts=("C", "C")):
    layer = scratch.MaxPooling2D(walk.kernel, strides=walk.strides, padding=walk.padding,
                                 dtype=dtype)
    y, dx, _ = run(layer, x, dy, layouts=layouts)
    return (y, dx), oracles.max_pooling2d(x, dy, walk.kernel, walk.strides, walk.padding)


def output_shape(walk):
    size = oracles.output_size(walk.image, walk.kernel, walk.strides, walk.padding)
    return (walk.batch, *size, walk.channels)


@EXAMPLES
@given(walks(largest_image=7), st.integers(0, 3), dtypes, layouts, seeds)
@example(Walk(2, (2, 3), 2, (4, 5), (1, 2), "same"), 1, "float32", ("Fortran", "C"), 1)
@example(Walk(2, (7, 8), 2, (2, 1), (3, 4), "valid"), 1, "float32", ("reversed", "strided"), 2)
@example(Walk(2, (6, 8), 3, (2, 2), (2, 2), "valid"), 1, "float32", ("batch last", "Fortran"), 3)
@example(Walk(2, (7, 5), 2, (2, 2), (2, 2), "valid"), 1, "float32", ("C", "C"), 4)
@example(Walk(2, (7, 5), 2, (2, 2), (2, 2), "same"), 1, "float64", ("C", "C"), 5)
def test_whole_numbers_and_their_ties_agree_exactly(walk, largest, dtype, layouts, seed):
    """Few different numbers: nearly every window has several maxima."""
    x, dy = whole(seed, walk.input_shape, largest), whole(seed + 1, output_shape(walk))
    (y, dx), (expected, sums) = both(walk, dtype, x, dy, layouts)
    assert_exact(y, expected, "y")
    assert_exact(dx, sums.value, "dx")


@EXAMPLES
@given(walks(largest_image=7), dtypes, layouts, seeds)
def test_real_numbers(walk, dtype, layouts, seed):
    """The maxima are copies and so exact; where windows overlap, their gradients are sums."""
    x, dy = real(seed, walk.input_shape), real(seed + 1, output_shape(walk))
    (y, dx), (expected, sums) = both(walk, dtype, x, dy, layouts)
    assert_exact(y, expected, "y")
    assert_within(dx, sums, "dx")


@EXAMPLES
@given(walks(), dtypes, seeds)
def test_padding_is_never_chosen(walk, dtype, seed):
    """All inputs are below zero: a window that took its padding would show it."""
    walk = walk._replace(padding="same")
    x, dy = -1 - np.abs(whole(seed, walk.input_shape)), whole(seed + 1, output_shape(walk))
    (y, dx), (expected, sums) = both(walk, dtype, x, dy)
    assert y.max() < 0
    assert_exact(y, expected)
    assert_exact(dx, sums.value)
    assert dx.sum() == dy.sum(), "some of the gradient went to the padding"


def test_a_tie_goes_to_the_first_in_row_major_order():
    x = np.array([[1, 3, 3], [3, 3, 1]], "float32").reshape(1, 2, 3, 1)
    layer = scratch.MaxPooling2D(2, strides=1)
    layer.build((None, 2, 3, 1))
    assert layer.forward(x)[0, :, :, 0].tolist() == [[3, 3]]
    dx = layer.backward(np.array([5, 7], "float32").reshape(1, 1, 2, 1))
    assert dx[0, :, :, 0].tolist() == [[0, 12, 0], [0, 0, 0]], "both windows meet at (0, 1)"


def test_strides_are_the_pool_size_unless_given():
    assert scratch.MaxPooling2D((2, 3)).strides == (2, 3)
    assert scratch.MaxPooling2D((2, 3), strides=1).strides == (1, 1)
    assert scratch.MaxPooling2D().pool_size == (2, 2)


@pytest.mark.parametrize("arguments, named", [
    (dict(pool_size=0), "pool_size=0"),
    (dict(pool_size=(2, 2, 2)), "pool_size=(2, 2, 2)"),
    (dict(pool_size=2, strides=(0, 1)), "strides=0"),
    (dict(pool_size=2, padding="causal"), "padding='causal'"),
])
def test_bad_arguments_are_refused(arguments, named):
    with pytest.raises(ValueError) as error:
        scratch.MaxPooling2D(name="pool", **arguments)
    assert "'pool'" in str(error.value) and f"Received: {named}" in str(error.value)


@pytest.mark.parametrize("shape", [(None, 1, 5, 2), (None, 5, 1, 2), (None, 5, 5)])
def test_inputs_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="'pool'.*Received"):
        scratch.MaxPooling2D(2, name="pool").build(shape)
