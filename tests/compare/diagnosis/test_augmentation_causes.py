"""Faults of augmentations are named; what lies in the catalogue of faults is scored here."""

import numpy as np
import pytest

from compare.evaluation.faults.families import augmentation
from compare.evaluation.faults.scoring import Cases, score


@pytest.fixture(scope="module")
def cases():
    return Cases()


@pytest.mark.parametrize("fault", list(augmentation.faults()),
                         ids=lambda fault: fault.identifier)
def test_each_is_detected_placed_and_named(keras, cases, fault):
    with np.errstate(all="ignore"):
        made = score(fault, cases)
    assert made.detected and made.placed and made.tensor, made
    assert made.named, made.found
