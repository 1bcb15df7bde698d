"""Statistics of several runs, against textbook numbers, simulation and direct counting."""

import math

import numpy as np
import pytest

from compare.experiments.replication import statistics as st


def test_a_summary_is_student_s_interval():
    found = st.summarize([2.0, 4.0, 6.0])
    # t with 2 degrees of freedom at 97.5 %: 4.302653 (any table)
    assert (found.mean, found.deviation) == (4.0, 2.0)
    assert found.high - 4 == pytest.approx(4.302653 * 2 / math.sqrt(3), rel=1e-6)
    assert found.low == pytest.approx(8 - found.high)


def test_one_run_has_a_mean_and_nothing_else():
    assert st.summarize([0.5]) == st.Summary(1, 0.5, None, None, None)
    found = st.equivalence([0.5], [0.4])
    assert found.verdict == "not enough runs" and found.runs_needed == 2
    assert "at least 2" in found.sentence("Accuracy")


@pytest.mark.parametrize("first, second, verdict", [
    ([0.890, 0.891, 0.889, 0.890], [0.890, 0.890, 0.890, 0.889], "equivalent"),
    ([0.890, 0.891, 0.889, 0.890], [0.860, 0.861, 0.858, 0.860], "different"),
    ([0.890, 0.850, 0.900, 0.870], [0.870, 0.880, 0.860, 0.890], "not enough runs"),
    ([0.5, 0.6], [0.5, 0.6], "equivalent"),  # no spread at all
    ([0.5, 0.6], [0.4, 0.5], "different"),
])
def test_verdicts(first, second, verdict):
    found = st.equivalence(first, second)
    assert found.verdict == verdict
    assert verdict in found.sentence("Accuracy")


def test_equivalence_is_the_90_percent_interval_inside_the_margin():
    """The well-known twin of two one-sided tests at 5 %."""
    from scipy import stats
    rng = np.random.default_rng(1)
    for _ in range(200):
        differences = rng.normal(rng.normal(0, 0.006), 0.006, rng.integers(2, 9))
        low, high = stats.t.interval(0.9, len(differences) - 1, differences.mean(),
                                     stats.sem(differences))
        found = st.equivalence(differences, np.zeros_like(differences))
        assert (found.p_equivalent < 0.05) == (-0.01 < low and high < 0.01), differences


def test_wrong_claims_of_equivalence_are_rare():
    """At a true difference of exactly the margin, at most 5 % of experiments claim equivalence."""
    rng = np.random.default_rng(2)
    claims = sum(st.equivalence(d, 0 * d).verdict == "equivalent"
                 for d in rng.normal(0.01, 0.004, (1000, 6)))
    assert claims <= 50 + 3 * math.sqrt(1000 * 0.05 * 0.95)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("mean, deviation", [(0.0, 0.004), (0.002, 0.008), (-0.004, 0.006)])
def test_the_number_of_runs_said_to_be_needed_is_enough(mean, deviation):
    needed = st.runs_needed(mean, deviation, 0.01)
    rng = np.random.default_rng(3)
    shown = sum(st.equivalence(d, 0 * d).p_equivalent < 0.05
                for d in rng.normal(mean, deviation, (500, needed)))
    assert shown / 500 > 0.8 - 3 * math.sqrt(0.8 * 0.2 / 500)
    assert needed < 60


def test_no_number_of_runs_shows_what_is_not_so():
    assert st.runs_needed(0.012, 0.004, 0.01) is None
    assert st.runs_needed(0.00999, 0.05, 0.01) is None


def test_predictions_are_compared_by_mcnemar_and_kappa():
    labels = np.array([0] * 6 + [1] * 6)
    first = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0])
    second = np.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1])
    found = st.compare_predictions(labels, first, second)
    assert (found.only_first_right, found.only_second_right) == (4, 1)
    assert found.p == pytest.approx(2 * (5 + 1) / 2**5)  # P(>= 4 of 5 heads), two-sided
    # observed agreement 7/12; by chance (6*3 + 6*9)/144
    chance = (6 * 3 + 6 * 9) / 144
    assert found.kappa == pytest.approx((7 / 12 - chance) / (1 - chance))
    assert found.same == pytest.approx(7 / 12)


def test_equal_predictions_have_no_evidence_of_anything():
    found = st.compare_predictions([0, 1, 1], [0, 0, 1], [0, 0, 1])
    assert (found.p, found.kappa, found.same) == (1.0, 1.0, 1.0)


def test_a_published_figure_has_a_place_among_the_runs():
    values = [0.88, 0.89, 0.90]
    inside, outside = st.place(0.891, values), st.place(0.8, values)
    assert inside.inside and not outside.inside
    assert outside.deviations == pytest.approx(-9)
    assert inside.high - 0.89 == pytest.approx(4.302653 * 0.01 * math.sqrt(4 / 3), rel=1e-6)
    assert st.place(0.891, [0.9]) is None


def test_equivalent_and_yet_not_zero_is_said():
    ahead = np.array([0.892, 0.893, 0.891, 0.892])
    found = st.equivalence(ahead, ahead - [0.002, 0.0021, 0.0019, 0.002])
    assert found.verdict == "equivalent" and found.p_different < 0.05
    assert "It is not zero either (paired t test, p < 0.001): the two differ, by less than that." \
        in found.sentence("Accuracy")
    assert "not zero" not in st.equivalence([0.89, 0.891, 0.889], [0.891, 0.889, 0.89]).sentence("")
