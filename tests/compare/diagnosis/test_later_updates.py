"""The causes that are named where an optimizer goes wrong after its first step."""

import pytest

from compare.diagnosis.catalogue import CATALOGUE
from compare.diagnosis.hypotheses.fitting import fitted
from compare.diagnosis.hypotheses.optimizers import of_updates
from compare.diagnosis.later_updates import LaterSteps
from compare.evaluation.faults import scoring
from compare.evaluation.faults.catalogue import by_identifier

# fault -> what has to stand in the sentence of its cause
SAID = {
    "later-momentum-0.9001": "momentum is 0.9001 in place of 0.9",
    "later-velocity-grows": "multiplied by 1.001 after each step",
    "later-velocity-not-kept": "cleared after the step",
    "later-velocity-by-shape": "weights of the same shape share",
    "later-rate-0.05-percent-off": "the rate is 1.0005",
    "later-third-step-skipped": "the weight stays as it is",
    "later-decay-twice": "twice in each step",
    "later-adam-v-leaks": "multiplied by 0.9999",
    "later-adam-amsgrad-ignored": "AMSGrad's maximum is not taken",
    "later-adam-step-per-weight": "counted anew with every weight",
    "later-adam-from-two": "counted from 2",
    "rule-nesterov-twice": "looks two steps ahead",
    "rule-adam-corrections-swapped": "the two are exchanged",
    "rule-adam-epsilon-of-paper": "as in the paper and in PyTorch",
    "rule-rmsprop-rho-0.99": "rho is 0.99 in place of 0.9",
    "rule-adamw-decay-afterwards": "after the step, not before it",
    "clip-value-upper-side-far": "limited above, not below",
    "clip-norm-always": "stretched to the limit",
    "clip-norm-by-unit": "each unit's weights",
    "clip-global-guarded": "1e-6 is added to the norm",
    "clip-of-the-step": "the step is clipped",
    "schedule-late-boundary-exclusive": "one step ahead",
    "schedule-decay-one-behind": "one step behind",
    "schedule-decay-per-epoch": "once in 100 steps",
    "schedule-stairs-rounded": "in the middle of a period",
    "schedule-cosine-rises-again": "goes up again after its end",
    "schedule-warmup-from-one": "its rise counts from 1",
    "schedule-polynomial-to-zero": "end_learning_rate is taken for 0",
    "schedule-restarts-missing": "it never restarts",
    "keras-model-velocity-grows": "multiplied by 1.001",
    "keras-model-schedule-one-ahead": "one step ahead",
}


@pytest.fixture(scope="module")
def cases(keras):
    return scoring.Cases()


@pytest.mark.sampled(5)
@pytest.mark.parametrize("identifier", SAID)
def test_the_cause_is_named_and_says_what_it_comes_to(identifier, cases):
    fault = by_identifier()[identifier]
    report = cases[fault.network].broken(fault).check()
    finding = report.cause
    assert finding is not None and finding.side == fault.side
    assert finding.causes[0].identifier in fault.places[0].causes
    assert SAID[identifier] in finding.sentence


def test_every_name_of_the_hypotheses_is_in_the_catalogue(cases):
    for identifier in ("rule-nesterov-twice", "schedule-warmup-missing", "clip-norm-never",
                       "rule-adam-decay-coupled", "later-rmsprop-average-not-kept"):
        fault = by_identifier()[identifier]
        clean = cases[fault.network]
        report = clean.check()
        steps = LaterSteps(clean.model, clean.twin, report.explained.reference, "candidate")
        right = steps.observed(0, "", steps.states[0]).right
        names = {variant.identifier for variant in of_updates(right)}
        assert names <= CATALOGUE.keys()


def test_a_right_optimizer_has_no_finding(cases):
    fault = by_identifier()["later-momentum-0.9001"]
    report = cases[fault.network].check()
    assert report and report.diagnosis == []


def test_a_number_is_found_from_what_depends_on_it(cases):
    clean = cases[by_identifier()["later-momentum-0.9001"].network]
    reference = clean.check().explained.reference
    steps = LaterSteps(clean.model, clean.twin, reference, "candidate")
    right = steps.observed(0, "momentum", steps.states[2]).right

    def holding(c, number):
        return c.configured(momentum=number)

    made = holding(right, 0.875).evaluate().value
    number, unsure = fitted(right, made, holding, 0.9, 0.45)
    assert abs(number - 0.875) <= unsure < 1e-5
    with pytest.raises(ValueError, match="depends on the number"):
        fitted(right, made, lambda c, number: c, 0.9, 0.45)
