"""Medians, quartiles and slopes, against definitions and known powers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compare.experiments.performance.cases import Case
from compare.experiments.performance.robust_statistics import Spread, slope, upper_half
from compare.experiments.performance.tables import significant, spread
from tests.compare.support.performance_cases import row


def test_quartiles_by_hand():
    assert Spread.of([5, 1, 3, 2, 4]) == Spread(3, 2, 4)
    assert Spread.of([7]) == Spread(7, 7, 7)
    assert Spread.of([0, 1]) == Spread(0.5, 0.25, 0.75)


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=30), st.randoms())
def test_a_spread_is_ordered_within_the_numbers_and_blind_to_their_order(numbers, random):
    found = Spread.of(numbers)
    slack = 1e-9 * max(numbers)
    assert min(numbers) - slack <= found.low <= found.median + slack
    assert found.median <= found.high + slack <= max(numbers) + 2 * slack
    shuffled = numbers[:]
    random.shuffle(shuffled)
    assert Spread.of(shuffled) == found


@given(st.floats(-3, 3), st.floats(0.01, 100))
def test_the_slope_of_a_power_is_its_exponent(power, factor):
    x = np.array([1, 2, 3, 8, 64.0])
    assert slope(x, factor * x ** power) == pytest.approx(power, abs=1e-9)


def test_the_slope_is_the_least_squares_one():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1, 100, 12), rng.uniform(1, 100, 12)
    assert slope(x, y) == pytest.approx(np.polyfit(np.log(x), np.log(y), 1)[0])


@pytest.mark.parametrize("x", [[], [3], [3, 3]])
def test_no_slope_without_two_places(x):
    assert slope(x, x) is None


def test_the_upper_half_is_that_of_a_logarithmic_axis():
    assert upper_half([1, 2, 4, 8, 16]) == [2, 3, 4]
    assert upper_half([14, 28, 56, 112]) == [2, 3]
    assert upper_half([5]) == [0] and upper_half([]) == []


def test_ratios_are_taken_pair_by_pair():
    """The machine slows down threefold: each side's times spread, their ratio does not."""
    found = row(Case("training", "benchmark", 1), scratch=[1, 2, 3], keras=[2, 4, 6])
    assert found.time("keras") == Spread(4, 3, 5)
    assert found.ratio("keras", "scratch") == Spread(2, 2, 2)
    # the median of ratios, not the ratio of medians
    crossed = row(Case("training", "benchmark", 1), scratch=[1, 2, 4], keras=[4, 2, 16])
    assert crossed.ratio("keras", "scratch").median == 4
    assert crossed.time("keras").median / crossed.time("scratch").median == 2


def test_an_unfinished_pair_does_not_count():
    found = row(Case("training", "benchmark", 1), scratch=[1, 2, 9], keras=[2, 4])
    assert found.pairs == 2
    assert found.time("scratch") == Spread.of([1, 2])


@pytest.mark.parametrize("value, text", [(1234.5, "1,234"), (187.4, "187"), (99.96, "100"),
                                         (18.72, "18.7"), (1.034, "1.03"), (0.9996, "1.00"),
                                         (0.0512, "0.051"), (0, "0.000")])
def test_numbers_are_rounded_to_what_is_read(value, text):
    assert significant(value) == text


def test_a_spread_is_written_with_half_the_distance_of_its_quartiles():
    assert spread(Spread(1.5e-4, 1.25e-4, 2e-4), 1e6) == "150 ± 38"


def test_a_spread_has_the_digits_that_it_leaves():
    assert spread(Spread(1.0342, 1.0311, 1.0389)) == "1.03 ± 0.00"
    assert spread(Spread(1.0342, 0.5311, 1.9389)) == "1.0 ± 0.7"
    assert spread(Spread(1.0342, 1.0342, 1.0342)) == "1.03 ± 0.00"
    assert spread(Spread(18.72, 11.2, 42.9)) == "19 ± 16"
