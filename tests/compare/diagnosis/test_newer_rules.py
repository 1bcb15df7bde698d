"""Mistakes in newer optimizers, in averages, in gathered gradients and in constraints are named."""

import numpy as np
import pytest

import scratch
from compare.diagnosis.constraint_causes import cause_of_constraint
from compare.evaluation.faults.families import averages, constraints, newer_rules
from compare.evaluation.faults.scoring import Cases, score

# one of each optimizer, and what stands around the rules
TRIED = ("rule-adamax-epsilon-inside", "rule-nadam-not-ahead", "rule-adadelta-rate-remembered",
         "rule-ftrl-l2-halved", "rule-lion-momentum-first", "rule-lamb-by-gradient",
         "rule-adafactor-unfactored", "rule-muon-first-scale", "rule-free-old-z",
         "around-average-from-zero", "around-average-late", "around-gathered-not-cleared",
         "around-average-not-at-the-end", "constraint-max-norm-of-rows",
         "constraint-min-max-norm-rate-of-old")
FAULTS = {fault.identifier: fault for family in (newer_rules, averages, constraints)
          for fault in family.faults()}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("identifier", TRIED)
def test_the_mistake_is_found_placed_and_named(keras, identifier):
    found = score(FAULTS[identifier], Cases())
    assert found.detected and found.placed and found.named and found.first, found.found


def test_each_optimizer_and_constraint_has_three_faults():
    for name in ("adamax", "nadam", "adadelta", "ftrl", "lion", "lamb", "adafactor", "muon", "free",
                 "average", "gathered", "max-norm", "non-neg", "unit-norm", "min-max-norm"):
        prefixes = tuple(f"{kind}-{name}-" for kind in ("rule", "around", "constraint"))
        assert sum(identifier.startswith(prefixes) or identifier == prefixes[1][:-1]
                   for identifier in FAULTS) >= 3, name


def expected(name, **config):
    return {"class_name": name, "config": config}


class Own:
    """A constraint of somebody's own."""

    def __init__(self, function):
        self.function = function

    def __call__(self, weight):
        return self.function(weight)


CASES = [
    ("it is not applied", None, expected("UnitNorm", axis=0)),
    ("there should be none", scratch.constraints.NonNeg(), None),
    ("it leaves the weight as it is", Own(lambda w: w), expected("NonNeg")),
    ("it takes absolute values", Own(np.abs), expected("NonNeg")),
    ("the norm is that of the whole weight", scratch.constraints.MaxNorm(0.5, [0, 1]),
     expected("MaxNorm", max_value=0.5, axis=0)),
    ("the norm is along axis 1 in place of 0", scratch.constraints.UnitNorm(1),
     expected("UnitNorm", axis=0)),
    ("min_value is ignored", scratch.constraints.MinMaxNorm(0.0, 0.9),
     expected("MinMaxNorm", min_value=0.4, max_value=0.9, rate=1.0, axis=0)),
    ("UnitNorm in its place", scratch.constraints.UnitNorm(0),
     expected("MaxNorm", max_value=0.5, axis=0)),
    ("each number is clipped by itself", Own(lambda w: np.clip(w, -0.5, 0.5)),
     expected("MaxNorm", max_value=0.5, axis=0)),
    ("what it makes of a weight is something else", Own(lambda w: w * w * w),
     expected("UnitNorm", axis=0))]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("said, constraint, right", CASES, ids=lambda value: str(value)[:30])
def test_a_constraint_of_ones_own_is_tried_by_itself(said, constraint, right):
    cause = cause_of_constraint(constraint, right, (5, 3), "float32")
    assert cause is not None and (cause.identifier, cause.detail) == ("constraint", said)


def test_a_right_constraint_has_no_cause():
    for made in (scratch.constraints.MaxNorm(0.3), scratch.constraints.NonNeg(),
                 scratch.constraints.UnitNorm(1),
                 scratch.constraints.MinMaxNorm(0.2, 0.7, 0.4)):
        right = expected(type(made).__name__, **made.get_config())
        assert cause_of_constraint(made, right, (5, 3), "float32") is None
    assert cause_of_constraint(None, None, (5, 3), "float32") is None
    # the same in another form
    other = Own(lambda w: w / (np.linalg.norm(w, axis=0, keepdims=True) + np.float32(1e-7)))
    assert cause_of_constraint(other, expected("UnitNorm", axis=0), (5, 3), "float32") is None
