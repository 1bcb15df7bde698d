"""A row of a verdict: what it says of two arrays and an oracle with a bound."""

import json

import numpy as np
import pytest

from compare.checks.gate import Gate
from compare.checks.row import Row, bitwise, distance, judge, mismatch, share
from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")
NAN, INF = np.nan, np.inf


def row(actual, expected, exact, bound, **options) -> Row:
    oracle = Bounded(np.array(exact, float), FLOAT32, None if bound is None else np.array(bound))
    return judge("forward", "layer", "output", np.array(actual, "float32"),
                 np.array(expected, "float32"), oracle, **options)


def test_a_row_that_passes_says_how_much_of_its_bound_was_used():
    found = row([[1.0, 2.5], [3.0, 4.0]], [[1.0, 2.25], [3.0, 4.0]], [[1, 2, 3, 4]] and
                [[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]])
    assert found.passed and found.off == ""
    assert (found.used, found.allowed, found.index) == (0.5, 1.0, (0, 1))
    assert (found.actual, found.expected) == (2.5, 2.25)
    assert (found.max_abs, found.max_rel) == (0.25, 0.0625)
    assert (found.candidate_error, found.reference_error) == (0.5, 0.25)
    assert (found.over, found.size, found.shape) == (0, 4, (2, 2))
    assert found.kind == "componentwise"


@pytest.mark.parametrize("actual, expected, off, index", [
    ([1.0, 5.0], [1.0, 2.0], "candidate", (1,)), ([1.0, 2.0], [1.0, 5.0], "reference", (1,)),
    ([9.0, 2.0], [1.0, 5.0], "both", (0,)), ([9.0, 2.0], [9.0, 2.0], "both", (0,))])
def test_the_referee_says_who_is_off_even_where_both_agree(actual, expected, off, index):
    found = row(actual, expected, [1.0, 2.0], [0.5, 0.5])
    assert not found.passed
    assert (found.off, found.index) == (off, index)
    assert found.over == (2 if off == "both" and actual != expected else 1)


def test_the_worst_element_is_the_one_that_used_most_of_its_bound_not_the_largest():
    found = row([100.5, 0.002], [100.0, 0.0], [100.0, 0.0], [1.0, 0.001])
    assert found.index == (1,) and found.used == pytest.approx(2) and found.over == 1
    assert found.max_abs == pytest.approx(0.5)


def test_error_allowed_and_used_are_of_one_element():
    rng = np.random.default_rng(5)
    for _ in range(50):
        exact, bound = rng.standard_normal((2, 4, 3))
        bound = np.abs(bound) + 0.5
        near, far = (exact + bound * rng.uniform(-1, 1, exact.shape) for _ in range(2))
        found = row(near, far, exact, bound)
        assert found.passed and found.error <= found.allowed * (1 + 1e-6)
        assert found.error == pytest.approx(found.used * found.allowed)
        assert found.error == max(abs(found.actual - exact[found.index]),
                                  abs(found.expected - exact[found.index]))
        assert found.max_abs >= abs(found.actual - found.expected)


def test_where_nothing_may_differ_the_worst_number_is_the_one_farthest_off():
    exact = [0.0, 1.0, 2.0, 3.0]
    found = row([0.0, 1.5, 7.0, 3.5], exact, exact, None)
    assert (found.index, found.actual, found.error, found.used) == ((2,), 7, 5, INF)
    found = row(exact, [0.0, 1.5, NAN, 3.5], exact, None)
    assert (found.index, found.error, found.off) == ((2,), INF, "reference")


def test_what_fills_its_bound_exactly_passes():
    found = row([1.5], [1.0], [1.0], [0.5])
    assert found.passed and found.used == 1 and found.over == 0


def test_without_any_error_the_place_is_that_of_the_largest_difference():
    assert row([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], None).index == (0,)


def test_a_bound_of_zero_asks_for_equal_bits():
    exact = [1.0, 2.0]
    assert row(exact, exact, exact, None).kind == "exact"
    assert row([0.0], [-0.0], [0.0], None).passed
    found = row([1.0, np.nextafter(np.float32(2), np.float32(3))], exact, exact, None)
    assert not found.passed and found.used == INF and found.allowed == 0 and found.over == 1


@pytest.mark.parametrize("actual, expected, exact, passed", [
    (NAN, NAN, 1.0, True), (INF, INF, 1.0, True), (-INF, -INF, NAN, True),
    (NAN, 1.0, 1.0, False), (1.0, NAN, 1.0, False), (INF, -INF, 1.0, False),
    (INF, 1.0, INF, False), (1.0, 1.0, NAN, False), (1.0, 1.0, INF, False), (INF, NAN, NAN, False)])
@pytest.mark.parametrize("bound", [0.0, 10.0, INF])
def test_nan_and_infinity_pass_only_where_both_have_the_same(actual, expected, exact, passed,
                                                             bound):
    found = row([0.0, actual], [0.0, expected], [0.0, exact], [1.0, bound])
    assert found.passed == passed
    if not passed:
        assert found.used == INF and found.over == 1 and found.index == (1,)


def test_nan_and_infinity_are_counted_in_the_note():
    found = row([NAN, NAN, INF], [NAN, 1.0, 2.0], [NAN, 1.0, 2.0], None)
    assert found.note == "candidate: 2 NaN, candidate: 1 infinite, reference: 1 NaN"


def test_a_bound_that_is_not_known_fails_what_is_not_equal():
    assert row([1.0], [1.0], [1.0], [NAN]).passed
    assert row([1.5], [1.0], [1.0], [NAN]).passed  # such a bound promises nothing
    assert not row([NAN], [1.0], [1.0], [NAN]).passed


def test_other_shapes_and_missing_arrays_are_failures_that_say_so():
    found = judge("forward", "a", "output", np.zeros((2, 3)), np.zeros((3, 2)),
                  Bounded(np.zeros((3, 2)), FLOAT32))
    assert not found.passed and found.note == "expected shape (3, 2), received (2, 3)"
    assert mismatch("backward", "a", "b", None, np.zeros(3)).note \
        == "expected shape (3,), received nothing"
    assert mismatch("backward", "a", "b", np.zeros(3), None).note \
        == "expected shape nothing, received (3,)"
    assert mismatch("backward", "a", "b", None, np.zeros(3)).used == INF


def test_empty_arrays_are_equal():
    found = row(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2)), None)
    assert found.passed and found.size == 0 and found.actual is None


def test_one_bit_of_one_weight_is_seen():
    weight = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
    assert bitwise("weights", "a", "kernel", weight.copy(), weight).passed
    other = weight.copy()
    other[2, 1] = np.nextafter(other[2, 1], np.float32(9))
    found = bitwise("weights", "a", "kernel", other, weight)
    assert not found.passed and found.index == (2, 1) and found.over == 1 and found.off == ""
    assert found.candidate_error is None


def test_whole_labels_are_compared_too():
    assert bitwise("network", "", "y", np.array([1, 2]), np.array([1, 2])).passed
    assert not bitwise("network", "", "y", np.array([1, 2]), np.array([1, 3])).passed


def test_the_sqrt_level_is_the_stricter_one_of_the_two():
    few = row([1.5], [1.0], [1.0], [1.0], terms=4)
    many = row([1.5], [1.0], [1.0], [1.0], terms=10_000)
    assert few.likely == few.used == many.used == 0.5
    # gamma_n / gamma_(2 sqrt n) = n / (2 sqrt n) = 50
    assert many.likely == pytest.approx(25, rel=1e-2)


def test_distance_and_share():
    np.testing.assert_array_equal(
        distance(np.array([1.0, NAN, INF, NAN, INF, -INF]), np.array([3, NAN, INF, 1, 1, INF])),
        [2, 0, 0, INF, INF, INF])
    np.testing.assert_array_equal(
        share(np.array([0.0, 1, 1, INF, 0, 2, 2]), np.array([0.0, 0, 2, INF, INF, NAN, INF])),
        [0, INF, 0.5, INF, 0, INF, 0])


def test_one_sum_may_overflow_in_float16_where_another_does_not():
    """Then nothing can be said of it; a number that is finite on both sides is judged."""
    def found(candidate, overflows):
        rounding = Rounding.of("float32")
        rounding.overflows = rounding.overflows_low = overflows
        return judge("backward", "layer", "kernel_gradient", np.float32(candidate),
                     np.float32([INF, 2]), Bounded([58000, 2], rounding, [900, 1e-3]))

    assert not found([58100, 2], False).passed
    half_way = found([58100, 2], True)
    assert half_way.passed and half_way.unjudged == 1 and not half_way.judged
    assert not found([58100, 3], True).passed


def test_a_row_as_json_keeps_what_json_cannot_hold_as_text():
    found = row([NAN, 1.0], [1.0, 1.0], [1.0, 1.0], None)
    read = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert read["used"] == "inf" and read["actual"] == "nan" and read["expected"] == 1.0
    assert read["index"] == [0] and read["passed"] is False and read["gate"] == "forward"
    assert read["smallest_tolerance"] == "inf"
    assert {"layer", "tensor", "max_abs", "allowed", "off", "kind", "note"} <= read.keys()


def test_the_smallest_tolerance_that_would_have_passed_is_the_largest_difference():
    found = row([1.0, 2.5], [1.25, 2.0], [1.0, 2.0], None)
    assert found.smallest_tolerance == 0.5
    assert np.allclose([1.0, 2.5], [1.25, 2.0], rtol=0, atol=found.smallest_tolerance)


def test_gates_stand_in_the_order_in_which_they_are_passed():
    order = ["network", "weights", "forward", "loss", "backward", "update", "lockstep"]
    assert sorted(order, key=lambda gate: Gate(gate).order) == order
    assert found_name() == "dense kernel_gradient"


def found_name():
    return Row("backward", "dense", "kernel_gradient", passed=True).name
