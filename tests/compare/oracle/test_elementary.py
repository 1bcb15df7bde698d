"""Elementary functions of single numbers, which have no axes."""

import math

import pytest

from compare.oracle import elementary
from compare.oracle.running_error import Bounded, Rounding


@pytest.mark.parametrize("function, right", [
    (elementary.erfc, math.erfc), (elementary.tanh, math.tanh), (elementary.expm1, math.expm1)])
def test_a_number_without_axes(function, right):
    made = function(Bounded(0.5, Rounding.of("float32")))
    assert made.shape == () and made.value == pytest.approx(right(0.5), rel=1e-15)
    assert 0 < made.bound < 1e-5


@pytest.mark.parametrize("function, right, most", [
    (elementary.tanh, math.tanh, 2.001),
    (elementary.sigmoid, lambda x: 1 / (1 + math.exp(-x)), 1.001)])
def test_what_has_ends_is_off_by_no_more_than_these_are_apart(function, right, most):
    """However far its operand may be off; unless that is not known."""
    rounding = Rounding.of("float32")
    for error in (1e-3, 1.0, 1e10):
        made = function(Bounded(0.3, rounding, error))
        assert made.bound < most
        for x in (0.3 - min(error, 700), 0.3 + min(error, 700)):
            assert abs(right(x) - made.value) <= made.bound
    assert function(Bounded(0.3, rounding, math.inf)).bound == math.inf
