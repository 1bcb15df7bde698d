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
