"""The products of a convolution in groups against a loop over pixels for each group by itself.

With small whole numbers every partial sum is exact, in any order, and so is equality.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch.grouped_lowering import lowering_for
from scratch.windows import plan_windows
from tests.draws import draws
from tests.scratch.test_lowering import naive


@st.composite
def cases(draw):
    """A convolution in groups, of whole numbers, in any memory order."""
    groups, inner, outer = draw(st.integers(2, 5)), draw(st.integers(1, 3)), draw(st.integers(1, 5))
    kernel, strides = draw(st.tuples(*[st.integers(1, 4)] * 2)), draw(
        st.tuples(*[st.integers(1, 3)] * 2))
    dilation = draw(st.tuples(*[st.integers(1, 3)] * 2)) if draw(st.booleans()) else (1, 1)
    size = [(k - 1) * d + draw(st.integers(1, 7)) for k, d in zip(kernel, dilation)]
    windows = plan_windows(*size, kernel, strides, draw(st.sampled_from(["valid", "same"])),
                           dilation)
    n = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, weights, dz = (rng.integers(-4, 5, shape).astype("float32") for shape in (
        (n, *size, groups * inner), (*kernel, inner, groups * outer),
        (n, *windows.output_size, groups * outer)))
    order = draw(st.permutations(range(4)))
    x, dz = (np.ascontiguousarray(a.transpose(order)).transpose(np.argsort(order)) for a in (x, dz))
    return groups, x, weights, dz, windows


def by_group(groups, x, kernel, dz, windows):
    """(z, dkernel, dx), each group of channels on its own."""
    parts = [naive(*part, windows) for part in zip(
        np.split(x, groups, -1), np.split(kernel, groups, -1), np.split(dz, groups, -1))]
    return [np.concatenate(results, axis=-1) for results in zip(*parts)]


def products(groups, x, kernel, dz, windows):
    forth = lowering_for(windows, x.shape[3], kernel.shape[3], groups)
    back = lowering_for(windows.reversed(), kernel.shape[3], x.shape[3], groups)
    lowered = forth.lower(x)
    return (forth.multiply(lowered, kernel), forth.kernel_gradient(lowered, dz),
            back.multiply(back.lower(dz), back.turned(kernel)))


@settings(max_examples=draws(150), deadline=None, derandomize=True)
@given(cases())
def test_whole_numbers_agree_exactly(case):
    groups, x, kernel, dz, windows = case
    before = x.copy(), kernel.copy(), dz.copy()
    for name, a, b in zip(("output", "kernel gradient", "input gradient"),
                          products(groups, x, kernel, dz, windows),
                          by_group(groups, x, kernel, dz, windows)):
        assert a.dtype == x.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)
    for a, b in zip((x, kernel, dz), before):
        np.testing.assert_array_equal(a, b, err_msg="an input was modified")


@pytest.mark.filterwarnings("ignore:(invalid|overflow):RuntimeWarning")
@settings(max_examples=draws(100), deadline=None, derandomize=True)
@given(cases(), st.sampled_from([np.inf, -np.inf, np.nan]), st.integers(0, 2**32 - 1))
def test_what_is_not_finite_stays_within_its_group_and_windows(case, number, seed):
    groups, x, kernel, dz, windows = case
    rng = np.random.default_rng(seed)
    bad = []
    for array in (x, dz):
        bad.append(array.copy())
        bad[-1][tuple(rng.integers(0, size) for size in array.shape)] = number
    forth = products(groups, bad[0], kernel, dz, windows)[:2]
    expected = by_group(groups, bad[0], kernel, dz, windows)[:2]
    back = products(groups, x, kernel, bad[1], windows)[2]
    for name, a, b in zip(("output", "kernel gradient", "input gradient"), (*forth, back),
                          (*expected, by_group(groups, x, kernel, bad[1], windows)[2])):
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b), err_msg=name)
        np.testing.assert_array_equal(a[np.isfinite(b)], b[np.isfinite(b)], err_msg=name)
