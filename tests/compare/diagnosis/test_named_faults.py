"""Faults of layers with many ways to go wrong have names; one of each name is tried here."""

import numpy as np
import pytest

from compare.diagnosis.catalogue import CATALOGUE
from compare.evaluation.faults.families import (
    attention,
    augmentation,
    colors,
    embedding,
    functions,
    image_operations,
    image_places,
    moving_operations,
    multi_head_attention,
    product_operations,
    recurrent,
    reducing_operations,
    time_distributed,
)
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.scoring import Cases, score

FAMILIES = (attention, augmentation, colors, embedding, image_places, multi_head_attention,
            recurrent, time_distributed, moving_operations, image_operations, reducing_operations,
            product_operations, functions)
FAULTS = [fault for family in FAMILIES for fault in family.faults()]
NAMES = ("gate-order", "gate-formula", "reset-gate", "recurrent-bias", "state-not-carried",
         "gradient-not-carried", "other-step", "directions", "index-offset", "padding-class",
         "attention-scale", "attention-mask", "heads-order", "heads-dropped", "projection-swapped",
         "gradient-part-missing", "clip-missing", "transformation-inverted",
         "transformation-center", "angle-unit", "fill-mode", "transformation-gradient",
         "color-weights", "axis-other", "part-other", "copies-order", "copies-not-added",
         "block-order", "product-axes", "reduction-other", "gradient-not-spread", "number-other",
         "function-other")
ONE_OF_EACH = {fault.places[0].cause: fault for fault in reversed(FAULTS)
               if fault.places[0].cause in NAMES}


@pytest.fixture(scope="module")
def cases():
    return Cases()


def test_every_one_has_a_name():
    assert set(ONE_OF_EACH) == set(NAMES)
    assert all(cause != UNKNOWN and cause in CATALOGUE
               for fault in FAULTS for place in fault.places for cause in place.causes)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("fault", ONE_OF_EACH.values(), ids=lambda fault: fault.identifier)
def test_it_is_detected_placed_and_named(keras, cases, fault):
    with np.errstate(all="ignore"):
        made = score(fault, cases)
    assert made.detected and made.placed and made.tensor, made
    assert made.named, made.found
