"""How small a mistake each gate sees.

`python -m tests.compare.checks.sensitivity` measures all of them.
"""

import numpy as np
import pytest

from tests.compare.checks.sensitivity import FINEST, GATES, seen_by, seen_in_training, smallest

AFFINE = [(layer, tensor) for layer in ("conv", "dense") for tensor in (
    "output", "input_gradient", "kernel_gradient", "bias_gradient")]


@pytest.mark.sampled(4, of="gate")
@pytest.mark.parametrize("gate, dtype, size", [
    # a whole number of two digits that is off by one part in 2^22 is no whole number any more
    ("whole numbers", "float32", 2.0**-22), ("whole numbers", "float64", 2.0**-51),
    # a handful of roundings, each of 2^-24 or 2^-53
    ("few terms", "float32", 2.0**-19), ("few terms", "float64", 2.0**-47),
    ("on its own", "float32", 2.0**-15), ("on its own", "float64", 2.0**-43)])
@pytest.mark.parametrize("layer, tensor", AFFINE)
def test_a_mistake_of_this_size_is_seen(gate, dtype, size, layer, tensor):
    assert seen_by(gate, layer, tensor, dtype, size)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("dtype", FINEST)
@pytest.mark.parametrize("gate", GATES)
def test_where_there_is_no_mistake_none_is_seen(gate, dtype):
    assert not seen_by(gate, "conv", "output", dtype, 0.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_shows_what_changes_its_steps_by_a_few_hundred_roundings(dtype):
    assert seen_in_training(dtype, 512 * np.finfo(dtype).eps)
    assert not seen_in_training(dtype, 0.0)


def test_the_smallest_is_found():
    for power in range(10):
        assert smallest(lambda e, least=2.0**-power: e >= least, 9) == 2.0**-power
    assert smallest(lambda e: False, FINEST["float32"]) is None
