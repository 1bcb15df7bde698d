"""Conv2D against nested loops: output, input gradient, kernel and bias gradients."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import scratch
from tests.scratch.support import oracles
from tests.scratch.support.cases import Walk, dtypes, layouts, seeds, walks
from tests.scratch.support.checks import EXAMPLES, assert_exact, assert_within, real, run, whole

LARGER_THAN_IMAGE = Walk(2, (2, 3), 2, (4, 5), (1, 2), "same")
STRIDE_LARGER_THAN_KERNEL = Walk(2, (7, 8), 2, (2, 1), (3, 4), "valid")
STRIDE_LARGER_SAME = Walk(3, (5, 7), 1, (2, 1), (3, 2), "same")
EVEN_SAME_STRIDE_2 = Walk(2, (4, 6), 2, (3, 3), (2, 2), "same")


def both(walk, filters, dtype, draw, seed, layouts=("C", "C")):
    """scratch's (y, dx, dkernel, dbias) and the oracle's, for numbers of `draw(seed, shape)`."""
    size = oracles.output_size(walk.image, walk.kernel, walk.strides, walk.padding)
    x, dy = draw(seed, walk.input_shape), draw(seed + 1, (walk.batch, *size, filters))
    kernel, bias = draw(seed + 2, (*walk.kernel, walk.channels, filters)), draw(seed + 3, filters)
    layer = scratch.Conv2D(filters, walk.kernel, strides=walk.strides, padding=walk.padding,
                           dtype=dtype)
    y, dx, grads = run(layer, x, dy, {"kernel": kernel, "bias": bias}, layouts)
    return ((y, dx, grads["kernel"], grads["bias"]),
            oracles.conv2d(x, kernel, bias, dy, walk.strides, walk.padding))


@EXAMPLES
@given(walks(), st.integers(1, 3), dtypes, layouts, seeds)
@example(LARGER_THAN_IMAGE, 3, "float32", ("Fortran", "reversed"), 1)
@example(STRIDE_LARGER_THAN_KERNEL, 2, "float32", ("reversed", "strided"), 2)
@example(STRIDE_LARGER_SAME, 2, "float64", ("strided", "Fortran"), 3)
@example(EVEN_SAME_STRIDE_2, 1, "float32", ("batch last", "batch last"), 4)
def test_whole_numbers_agree_exactly(walk, filters, dtype, layouts, seed):
    ours, oracle = both(walk, filters, dtype, whole, seed, layouts)
    for name, actual, sums in zip(("y", "dx", "dkernel", "dbias"), ours, oracle):
        assert_exact(actual, sums.value, name)


@EXAMPLES
@given(walks(), st.integers(1, 3), dtypes, layouts, seeds)
@example(LARGER_THAN_IMAGE, 3, "float64", ("C", "C"), 1)
def test_real_numbers_agree_within_rounding(walk, filters, dtype, layouts, seed):
    ours, oracle = both(walk, filters, dtype, real, seed, layouts)
    for name, actual, sums in zip(("y", "dx", "dkernel", "dbias"), ours, oracle):
        assert_within(actual, sums, name)


def test_the_benchmark_layer_agrees_exactly():
    walk = Walk(2, (9, 8), 6, (5, 5), (1, 1), "same")
    ours, oracle = both(walk, 6, "float32", whole, 5)
    for name, actual, sums in zip(("y", "dx", "dkernel", "dbias"), ours, oracle):
        assert_exact(actual, sums.value, name)


def test_keras_pads_same_after_the_image_first():
    """k = 3, s = 2: 4 or 6 pixels are padded (0, 1), 5 pixels (1, 1)."""
    for pixels, expected in ((4, [3, 2]), (6, [3, 3, 2]), (5, [2, 3, 2])):
        layer = scratch.Conv2D(1, (3, 1), strides=(2, 1), padding="same",
                               kernel_initializer="ones")
        layer.build((None, pixels, 1, 1))
        counts = layer.forward(np.ones((2, pixels, 1, 1), "float32"))
        assert counts[:, :, 0, 0].tolist() == [expected] * 2


def test_without_bias():
    x, dy = whole(0, (2, 4, 5, 2)), whole(1, (2, 2, 3, 3))
    kernel = whole(2, (3, 3, 2, 3))
    y, dx, grads = run(scratch.Conv2D(3, 3, use_bias=False), x, dy, {"kernel": kernel})
    oracle = oracles.conv2d(x, kernel, np.zeros(3), dy, (1, 1), "valid")
    for actual, sums in zip((y, dx, grads["kernel"]), oracle):
        assert_exact(actual, sums.value)
    assert list(grads) == ["kernel"]


def test_an_activation_of_its_own_is_a_relu_behind_it():
    """A kernel of whole numbers makes exact zeros, where relu must pass nothing back."""
    x, dy = whole(0, (2, 5, 4, 2), 1), whole(1, (2, 5, 4, 3))
    kernel, bias = whole(2, (2, 3, 2, 3), 1), whole(3, 3, 1)
    z = oracles.conv2d(x, kernel, bias, dy, (1, 1), "same")[0].value
    assert (z == 0).any()
    expected, dz = oracles.relu(z, dy)
    _, dx, dkernel, dbias = oracles.conv2d(x, kernel, bias, dz, (1, 1), "same")
    layer = scratch.Conv2D(3, (2, 3), padding="same", activation="relu")
    y, ours, grads = run(layer, x, dy, {"kernel": kernel, "bias": bias})
    assert_exact(y, expected)
    assert_exact(ours, dx.value)
    assert_exact(grads["kernel"], dkernel.value)
    assert_exact(grads["bias"], dbias.value)


@pytest.mark.parametrize("arguments, named", [
    (dict(filters=0, kernel_size=3), "filters=0"),
    (dict(filters=True, kernel_size=3), "filters=True"),
    (dict(filters=2.0, kernel_size=3), "filters=2.0"),
    (dict(filters=2, kernel_size=0), "kernel_size=0"),
    (dict(filters=2, kernel_size=(3, 0)), "kernel_size=0"),
    (dict(filters=2, kernel_size=(3, 3, 3)), "kernel_size=(3, 3, 3)"),
    (dict(filters=2, kernel_size=3, strides=(1, 0)), "strides=0"),
    (dict(filters=2, kernel_size=3, strides=-1), "strides=-1"),
    (dict(filters=2, kernel_size=3, padding="full"), "padding='full'"),
    (dict(filters=2, kernel_size=3, padding=None), "padding=None"),
])
def test_bad_arguments_are_refused(arguments, named):
    with pytest.raises(ValueError) as error:
        scratch.Conv2D(name="edges", **arguments)
    assert "'edges'" in str(error.value) and f"Received: {named}" in str(error.value)


@pytest.mark.parametrize("shape, received", [
    ((None, 2, 5, 1), "(2, 5)"),  # smaller than the kernel
    ((None, 5, 2, 1), "(5, 2)"),
    ((None, 5, 5), "(None, 5, 5)"),
    ((None, None, 5, 1), "(None, None, 5, 1)"),
    ((None, 5, 5, None), "(None, 5, 5, None)"),
])
def test_inputs_that_do_not_fit_are_refused(shape, received):
    with pytest.raises(ValueError) as error:
        scratch.Conv2D(1, 3, name="edges").build(shape)
    assert "'edges'" in str(error.value) and received in str(error.value)
