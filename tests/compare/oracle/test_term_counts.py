"""The numbers of terms of a convolution's sums: what the products of zeros and ones are."""

import numpy as np
import pytest

from compare.oracle import correlation, term_counts
from compare.oracle.running_error import Bounded, Rounding, bilinear
from compare.oracle.windows import Walk

WALKS = [Walk((5, 4), (3, 2), (2, 1), "same"), Walk((6, 7), (2, 3), (1, 2), "valid", (2, 1)),
         Walk((4, 3, 5), (1, 2, 3), (1, 2, 1), "same")]
FULL = [(1.0, 1.0), (0.5, 1.0), (1.0, 0.5), (0.5, 0.5)]  # shares that are not zero


def drawn(shape, share, seed):
    return np.random.default_rng(seed).random(shape) < share


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("first, second", FULL)
@pytest.mark.parametrize("groups", [1, 2])
def test_they_are_what_the_products_of_zeros_and_ones_are(walk, first, second, groups):
    x = drawn((3, *walk.size, 4), first, 1)
    y = drawn((3, *walk.outputs, 6), first, 2)
    kernel = drawn((*walk.kernel, 4 // groups, 6), second, 3)
    dy = drawn(y.shape, second, 4)
    for name, a, b in (("correlate", x, kernel), ("spread", y, kernel), ("collect", x, dy)):
        right = getattr(correlation, name)(walk, a.astype(float), b.astype(float), groups)
        found = getattr(term_counts, name)(walk, a, b, groups)
        np.testing.assert_array_equal(np.broadcast_to(found, right.shape), right, err_msg=name)


def test_more_terms_than_float32_can_count_are_counted_in_float64(monkeypatch):
    monkeypatch.setattr(term_counts, "EXACT_UP_TO", 3)
    assert [each.dtype for each in term_counts.ones(np.ones(4, bool), np.ones(5, bool))
            ] == [np.float64] * 2
    assert term_counts.ones(np.ones(3, bool), np.ones(5, bool))[1].dtype == np.float32


@pytest.mark.parametrize("a_off, b_off", [(True, False), (False, True), (True, True),
                                          (False, False)])
@pytest.mark.parametrize("special", [None, np.inf])
def test_products_with_exact_zeros_are_left_out_and_change_nothing(a_off, b_off, special):
    """The bound is that of all three products, also where 0 times infinity is among them."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    a[0, 1] = b[2, 1] = 0.0
    if special is not None:
        a[1, 2] = special
    errors = [1e-3 * np.abs(rng.normal(size=each.shape)) if off else None
              for each, off in ((a, a_off), (b, b_off))]
    rounding = Rounding.of("float32")
    with np.errstate(invalid="ignore"):
        made = bilinear(np.matmul, *(Bounded(each, rounding, error)
                                     for each, error in zip((a, b), errors)))
        size_a, size_b = np.abs(a), np.abs(b)
        off_a, off_b = (np.zeros(each.shape) if error is None else error
                        for each, error in zip((a, b), errors))
        terms = (((size_a != 0) | (off_a > 0)).astype(float)
                 @ ((size_b != 0) | (off_b > 0)).astype(float))
        passed_on = 2 * terms * rounding.tiny
        if a_off or b_off:
            passed_on = passed_on + (size_a @ off_b + off_a @ size_b + off_a @ off_b)
        error = passed_on + rounding.gamma(terms) * (size_a @ size_b + passed_on)
    np.testing.assert_array_equal(made.bound, np.where(np.isnan(error), np.inf, error))
