"""Two traces hold the same array where a weight is the same to the bit, and nowhere else."""

import numpy as np

from compare.tracing.shared_weights import same_bits, share
from compare.tracing.trace import Part


def part(**weights):
    nothing = np.zeros((1, 1), "float32")
    return Part("dense", "", "Dense", nothing, nothing, weights=weights)


def test_only_what_is_the_same_to_the_bit_is_shared():
    nan = np.array([np.nan, 1.0])
    ours = part(kernel=np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), bias=np.array([0.0, 1.0]),
                mean=nan.copy(), own=np.ones(2))
    theirs = part(kernel=np.array([[1.0, 2.0], [3.0, 4.0]]), bias=np.array([-0.0, 1.0]), mean=nan)
    bias = ours.weights["bias"]
    share([ours], [theirs])
    assert ours.weights["kernel"] is theirs.weights["kernel"] and ours.weights["mean"] is nan
    assert ours.weights["bias"] is bias, "-0 is another number"
    assert list(ours.weights) == ["kernel", "bias", "mean", "own"]


def test_another_precision_or_shape_is_not_the_same():
    ones = np.ones((2, 3), "float32")
    assert same_bits(ones, ones.copy()) and same_bits(ones[:, ::2], ones[:, :2])
    for other in (ones.astype("float64"), np.ones((3, 2), "float32"), np.ones(6, "float32"),
                  2 * ones):
        assert not same_bits(ones, other)
