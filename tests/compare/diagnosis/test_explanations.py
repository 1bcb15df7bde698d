"""What counts as an explanation: by itself, beside another one, and as rounding to fewer bits."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from compare.diagnosis.hypotheses.precision import inside_coarse_bound
from compare.diagnosis.hypothesis import Variant
from compare.diagnosis.observation import CLEAR, Observation
from compare.diagnosis.search import Explanation, explain, pairs, ranked
from compare.oracle.running_error import Bounded, Rounding

FLOAT32 = Rounding.of("float32")


@dataclass(frozen=True)
class Known:
    """A computation of known numbers, each the result of so many roundings."""

    numbers: tuple
    roundings: int = 1
    rounding: Rounding = field(default_factory=lambda: FLOAT32)

    def evaluate(self) -> Bounded:
        value = np.array(self.numbers)
        return Bounded(value, self.rounding, self.rounding.gamma(self.roundings) * np.abs(value))

    def changed(self, **fields) -> "Known":
        return replace(self, **fields)


def seen(numbers, made, **fields) -> Observation:
    return Observation(Known(tuple(map(float, numbers)), **fields), np.asarray(made, float))


def times(factor, identifier="scale"):
    return Variant(identifier, f"times {factor}", lambda c, made: c.changed(
        numbers=tuple(factor * number for number in c.numbers)))


def explanation(*results):
    return Explanation((), (), 2.0, 0.5, [Bounded(np.array(r, float), FLOAT32) for r in results])


def test_two_explanations_are_the_same_only_if_all_their_numbers_are():
    first = explanation([1, 2], [3.0])
    assert first.same_as(explanation([1, 2 + 1e-12], [3.0]))
    assert not first.same_as(explanation([1, 2.001], [3.0]))
    assert not first.same_as(explanation([1, 2], [3.001]))
    assert not first.same_as(explanation([[1, 2]], [3.0]))


def test_an_explanation_has_to_change_something_and_to_fit_everything():
    observations = [seen([1, 2, 3], [2, 4, 6]), seen([5, 7], [10, 14])]
    found = explain(observations, times(2))
    assert found.details == ("times 2",) and found.before > 1e6 and found.after == 0
    assert explain(observations, times(2.5)) is None
    assert explain([*observations, seen([1], [1])], times(2)) is None


UNIT = FLOAT32.unit


def test_what_leaves_everything_as_it_was_explains_nothing():
    """Not even where the slack for roundings and for what was recovered would let it pass: what
    was made is 4.1 roundings off, of which 0.05 are allowed, 4 forgiven and 0.1 come from
    recovering it."""
    near = replace(seen([1.0], [1 + 4.1 * UNIT], roundings=0.05), slack=np.array([0.1 * UNIT]))
    assert near.before > CLEAR and near.residual(near.right) <= 1
    assert explain([near], times(1.0)) is None
    found = explain([near], times(1 + 4 * UNIT))
    assert found is not None and found.identifiers == ("scale",), "what comes nearer does"


def test_what_leads_further_away_explains_nothing():
    """Nearer by itself, but not in units of a bound that has become narrower still."""
    observation = seen([1.0], [1 + 6 * UNIT], roundings=0.2)
    narrower = Variant("other", "", lambda c, made: c.changed(
        numbers=(1 + 2.5 * UNIT,), roundings=0.1))
    made = narrower.change(observation.right, observation.made)
    assert observation.residual(made) <= 1 < CLEAR < observation.before
    assert observation.residual(made, slack=False) > observation.before
    assert explain([observation], narrower) is None


def test_where_nothing_is_wrong_nothing_is_explained():
    right = [seen([1, 2, 3], [1, 2, 3]), seen([5, 7], [5, 7])]
    assert explain(right, times(1.0)) is None
    # of several it has to explain one that is wrong, not all
    assert explain([*right, seen([0], [1])], Variant(
        "shift", "", lambda c, made: c.changed(numbers=tuple(made)))) is not None


def test_what_needs_two_causes_is_found_with_two():
    observations = [seen([1, 2, 3], [-2, -4, -6])]
    found, late = pairs(observations, [times(2), times(-1, "sign"), times(7, "other")])
    assert [set(each.identifiers) for each in found] == [{"scale", "sign"}] and not late


def test_a_search_that_ends_for_time_says_so():
    observations = [seen([1, 2, 3], [-2, -4, -6])]
    variants = [times(2), times(-1, "sign")]
    assert pairs(observations, variants, seconds=-1.0) == ([], True)
    assert pairs(observations, [times(7), times(11, "sign")]) == ([], False), "all were tried"


def counting(identifier, factors, asked):
    """A variant that multiplies each number by a factor of its own, and keeps what it is asked."""
    def change(computation, made):
        asked.append(computation)
        return computation.changed(numbers=tuple(
            number * factors.get(number, 1) for number in computation.numbers))

    return Variant(identifier, "", change)


def test_what_leaves_the_tensor_as_it_is_is_no_first_of_a_pair():
    asked = []
    second = counting("sign", {1: -1}, asked)
    idle = counting("other", {}, [])
    assert pairs([seen([1, 2], [5, 5])], [idle, second]) == ([], False)
    alone = len(asked)
    asked.clear()
    assert pairs([seen([1, 2], [5, 5])], [times(7), second]) == ([], False)
    assert len(asked) > alone, "after one that changes something it is tried"


def test_what_shows_in_other_numbers_alone_is_tried_all_the_same():
    """In the first numbers only the sign is wrong, in the second ones only the 9."""
    observations = [seen([1, 2], [-1, 2]), seen([9, 2], [18, 2])]
    found, _ = pairs(observations, [counting("other", {9: 2}, []), counting("sign", {1: -1}, [])])
    assert [set(each.identifiers) for each in found] == [{"other", "sign"}]


def test_a_lower_precision_is_no_part_of_a_pair():
    variants = [times(2), times(-1, "sign"), times(1.001, "low-precision")]
    tried = {index for _, *both in ranked(variants) for index in both}
    assert tried == {0, 1}


def rounded_to(numbers, name):
    rng = np.random.default_rng(3)
    unit = {"float16": 2.0**-11, "bfloat16": 2.0**-8}[name]
    return numbers * (1 + unit * rng.uniform(-1, 1, numbers.shape))


NUMBERS = np.random.default_rng(2).standard_normal(40) + 0.01


def test_rounding_to_fewer_bits_is_told_by_its_size():
    for name in ("float16", "bfloat16"):
        assert inside_coarse_bound([seen(NUMBERS, rounded_to(NUMBERS, name))]) == name
    assert inside_coarse_bound([seen(NUMBERS, NUMBERS)]) == "", "nothing is wrong"


@pytest.mark.parametrize("factor", [1 + 2.0**-12, 1 - 2.0**-12])
def test_a_factor_is_no_rounding_however_near_to_1_for_roundings_balance(factor):
    assert inside_coarse_bound([seen(NUMBERS, NUMBERS * factor)]) == ""


def test_what_touches_few_numbers_is_no_rounding():
    made = NUMBERS.copy()
    made[:9] = rounded_to(NUMBERS, "float16")[:9]
    assert inside_coarse_bound([seen(NUMBERS, made)]) == ""


def test_a_bound_as_large_as_the_numbers_says_nothing():
    """After 500 roundings to bfloat16 anything is within the bound."""
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, NUMBERS.shape)
    assert inside_coarse_bound([seen(NUMBERS, NUMBERS * (1 + noise), roundings=100)]) == ""
