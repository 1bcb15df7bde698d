"""Mistakes of layers of norms, groups, given numbers, images and products, diagnosed alone."""

import pytest

import scratch
from compare.evaluation.faults.families import given_numbers, group_normalization, products
from compare.evaluation.faults.fault import UNKNOWN
from compare.evaluation.faults.injection import output
from tests.compare.support.single_layers import diagnosed, diagnosed_at_home

FAULTS = {fault.identifier: fault for family in (given_numbers, group_normalization, products)
          for fault in family.faults()
          if fault.places[0].cause != UNKNOWN and "dropout" not in fault.identifier}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("identifier", FAULTS)
def test_a_mistake_is_named(identifier):
    (place,) = FAULTS[identifier].places
    finding = diagnosed_at_home(identifier, tensor=place.tensor)
    assert finding is not None and finding.identifier in place.causes, str(finding)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("layer, shape", [
    (scratch.RMSNormalization(axis=[1, 2]), (4, 4)), (scratch.UnitNormalization(axis=1), (4, 3)),
    (scratch.GroupNormalization(3, axis=1), (6, 5)), (scratch.Rescaling([0.5, 2.0, 3.0]), (4, 3)),
    (scratch.Normalization(axis=None), (4, 3)), (scratch.CenterCrop(7, 4), (5, 6, 2)),
    (scratch.Resizing(7, 4, crop_to_aspect_ratio=True), (5, 6, 2)),
    (scratch.Resizing(7, 4, "nearest", data_format="channels_first"), (2, 5, 6)),
    (scratch.RepeatVector(3), (4,)), (scratch.Identity(), (4,)),
    (scratch.Dot((2, 1)), [(4, 3), (3, 5)])], ids=lambda value: type(value).__name__)
def test_with_other_arguments_a_doubled_output_is_a_factor(layer, shape):
    """Whatever the hypotheses make of these layers, a plain mistake is still called one."""
    finding = diagnosed(layer, shape, output(lambda layer, y, x: 1.5 * y), tensor="output")
    assert finding.identifier in ("scale", "given-numbers"), str(finding)
    assert "1.5" in str(finding) or "0.75" in str(finding), str(finding)


def test_what_a_finding_says():
    by_255 = diagnosed_at_home("rescaling-by-255", tensor="output")
    assert "x times 0.00392157 plus -1" in str(by_255)
    one_group = diagnosed_at_home("group-normalization-one-group", tensor="output")
    assert "1 groups in place of 2" in str(one_group)
    corners = diagnosed_at_home("resizing-align-corners", tensor="output")
    assert "the outermost pixels stay in their places" in str(corners)
