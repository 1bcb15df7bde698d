"""One axis at another size: TensorFlow's shares, pixel by pixel, for many pairs of sizes."""

import itertools

import numpy as np
import pytest

from compare.oracle.resampling import SINGLE, shares
from scratch.layers.resampling import KINDS, Resampling

SIZES = (1, 2, 3, 5, 7, 8, 13, 32, 57, 100)
NEW = (1, 2, 3, 4, 9, 16, 31, 64, 227, 2048)
PAIRS = [pair for pair in itertools.product(SIZES, NEW) if pair[0] != pair[1]]


def of_tensorflow(old, new, kind):
    """What each new pixel takes of each old one: images with a single 1 in all columns of a row."""
    import tensorflow as tf

    images = np.repeat(np.eye(old, dtype="float32").reshape(old, old, 1, 1), 3, axis=2)
    return tf.image.resize(images, (new, 3), method=kind).numpy()[:, :, 1, 0].T


@pytest.mark.parametrize("kind", KINDS)
def test_shares_are_tensorflows(keras, kind):
    worst = 0.0
    for old, new in PAIRS:
        found, made = shares(old, new, kind), of_tensorflow(old, new, kind)
        error = np.abs(made - found.exact)
        if kind == "nearest":
            np.testing.assert_array_equal(made, found.exact, f"{old} to {new}")
            continue
        assert not error[found.touched == 0].any(), f"{old} to {new}"
        assert (error <= found.off + 6 * SINGLE.unit * np.abs(made)).all(), f"{old} to {new}"
        worst = max(worst, (error / (found.off + SINGLE.unit)).max())
    assert worst > 0.05 or kind == "nearest", "the bound is wider than need be"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", KINDS)
def test_scratch_has_the_same_shares(kind):
    for old, new in PAIRS:
        found = shares(old, new, kind).exact
        made = Resampling(old, new, kind).forward(np.eye(old), 0)
        np.testing.assert_allclose(made, found, rtol=0, atol=0 if kind == "nearest" else 1e-13)
        back = Resampling(old, new, kind).backward(np.eye(new), 0)
        np.testing.assert_allclose(back, made.T, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", ["bilinear", "bicubic"])
def test_shares_add_up_to_one_and_keep_what_is_even(kind):
    for old, new in PAIRS:
        exact = shares(old, new, kind).exact
        np.testing.assert_allclose(exact.sum(axis=1), 1, rtol=1e-13)
        np.testing.assert_allclose(exact, exact[::-1, ::-1], rtol=0,
                                   atol=1e-13 if kind == "bilinear" else 2e-3)


def test_the_nearest_pixel_on_a_border_is_decided_by_float32():
    """Two pixels made three: the middle one lies on the border between both."""
    assert shares(2, 3, "nearest").exact.tolist() == [[1, 0], [0, 1], [0, 1]]
    assert not shares(2, 4, "bilinear").off.any(), "quarters are exact"
    assert shares(2, 3, "bilinear").off.any()
