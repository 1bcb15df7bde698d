"""Right variants are right: in float64 they agree with what they are variants of."""

import copy
from dataclasses import replace

import numpy as np
import pytest

import scratch
from compare.evaluation.faults.catalogue import by_identifier, variants
from tests.compare.support.fault_effects import of_a_batch, same

EVERY = list(variants())
# which draw other numbers of the same distribution
DRAWING = ("right-dropout-binomial", "right-noise-box-muller")
# of a rule or product that is the same to the last bit for some numbers
EXACT = 20


def results(model, network):
    with np.errstate(all="ignore"):
        return [np.asarray(array) for array in of_a_batch(copy.deepcopy(model), network)]


def pair(variant, dtype):
    network = replace(variant.network, dtype=dtype)
    model = network.build()
    other = copy.deepcopy(model)
    variant.inject(other)
    return results(model, network), results(other, network)


def test_there_are_many_of_many_kinds():
    assert len(EVERY) >= 60 and len({variant.identifier for variant in EVERY}) == len(EVERY)
    assert not {variant.identifier for variant in EVERY} & set(by_identifier())
    for variant in EVERY:
        assert variant.identifier.startswith("right-") and variant.sentence and variant.steps > 0


@pytest.mark.parametrize("variant", [v for v in EVERY if v.identifier not in DRAWING],
                         ids=lambda variant: variant.identifier)
def test_a_variant_is_the_same_mathematics(variant):
    """All but digits that cancel agree; a bias before a normalization has a gradient of none."""
    right, other = pair(variant, "float64")
    assert len(right) == len(other)
    for a, b in zip(right, other):
        np.testing.assert_allclose(b, a, rtol=2e-7, atol=2e-8)


@pytest.mark.parametrize("identifier", DRAWING)
def test_a_variant_that_draws_has_the_same_moments(identifier):
    variant = next(v for v in EVERY if v.identifier == identifier)
    model = variant.network.build()
    other = copy.deepcopy(model)
    variant.inject(other)
    moments = []
    for each in (model, other):
        scratch.set_random_seed(1)
        layer = each.layers[1]
        layer.forward(np.zeros((40_000, *layer.input_shape[1:]), np.float32), training=True)
        moments.append([float(np.mean(layer.noise**power)) for power in (1, 2, 4)])
    assert np.allclose(*moments, rtol=0.02, atol=0.01)


def test_most_variants_round_in_another_way():
    alike = [variant.identifier for variant in EVERY if same(*pair(variant, "float32"))]
    assert len(alike) < EXACT, alike
